//! `airlock deid IN OUT`.

use std::path::Path;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::DeidArgs;
use super::deid_report::Written;
use super::{Failure, folder_runtime};
use crate::app::{AppError, Opened};
use crate::config::{Config, Profile, Project};
use crate::disk::RealDisk;
use crate::error::ExitCode;
use crate::forward::folder::Folder;
use crate::pipeline::CleanLine;
use crate::pipeline::folder::{
    End, FileOutcome, FolderRun, FolderRunError, Tally, Tree, find, prepare, refuse_overlap,
    refuse_report, refuse_unusable, staging_dir,
};
use crate::pseudonym::KeyPurpose;

/// Files at once beside one for each cleaning process: so many wait for their
/// turn, for the second door or for the disk.
const WAITING_FILES: usize = 4;

/// Cleans a file or a folder.
pub(super) fn run(mut config: Config, args: DeidArgs) -> Result<ExitCode, Failure> {
    let project = choose_project(&mut config, &args)?;
    let config = Arc::new(config);
    let found = find(&args.input, args.follow_links)?;
    refuse_overlap(&args.input, &args.output, &config.data_dir)?;
    refuse_unusable(&args.output, &config.data_dir)?;
    if let Some(report) = &args.report {
        refuse_report(report, &args.input, &config.data_dir)?;
    }
    if found.is_empty() {
        return Err(Failure::usage(format!("{}: there is no file", args.input.display())));
    }
    let opened = Opened::new(&config)?;
    prepare(&args.output, &config.data_dir)?;
    let staging = staging_dir(&config.data_dir);
    let line = CleanLine::new(&config, opened.line_memory(), vec![staging.clone()])
        .map_err(AppError::system("find the program's own path"))?;
    let tree_key = || opened.keys.current().derive(KeyPurpose::Tree, &project.name);
    let run = FolderRun {
        tree: args.keep_tree.then(|| Tree::new(tree_key())),
        line: Arc::new(line),
        project: Arc::new(project),
        ledger: Arc::clone(&opened.ledger),
        run_id: format!("deid-{:012x}", opened.clock.unix_ms()),
        unix_ms: opened.clock.unix_ms(),
        at_once: config.workers + WAITING_FILES,
        staging: staging.clone(),
        vault: opened.spool.vault().clone(),
        folder: Folder::new(args.output.clone(), Arc::new(RealDisk)),
        input: args.input.clone(),
    };
    let bar = progress_bar(found.len());
    let mut tally = Tally::default();
    let report = args.report.as_deref().map(|path| Written::begin(path, args.report_with_paths));
    let mut report = report.transpose()?;
    let told = |outcome: FileOutcome, expected: usize| {
        bar.set_length(expected as u64);
        bar.inc(1);
        tally.add(&outcome.end);
        if matches!(outcome.end, End::Quarantined { .. }) {
            bar.suspend(|| explain(&outcome, args.report_with_paths));
        }
        report.as_mut().map_or(Ok(()), |report| report.add(&outcome))
    };
    let ended = folder_runtime()?.block_on(async {
        run.line.warm().await.map_err(FolderRunError::Work)?;
        run.run(found, told).await
    });
    bar.finish_and_clear();
    // Empty by now; one that is not holds what a killed run left.
    drop(std::fs::remove_dir_all(&staging));
    ended?;
    report.map_or(Ok(()), |report| report.end(&tally))?;
    for line in tally.lines() {
        println!("{line}");
    }
    Ok(if tally.quarantined == 0 { ExitCode::Ok } else { ExitCode::Quarantined })
}

fn choose_project(config: &mut Config, args: &DeidArgs) -> Result<Project, Failure> {
    let name = match &args.project {
        Some(name) => name.clone(),
        None => config.projects.keys().next().cloned().unwrap_or_default(),
    };
    let project = config
        .projects
        .get_mut(&name)
        .ok_or_else(|| Failure::usage(format!("there is no [project.{name}]")))?;
    if let Some(profile) = &args.profile {
        project.rules.profile = Profile::named(profile).map_err(Failure::usage)?;
    }
    if let Some(issuer) = &args.issuer {
        project.rules.persons.default_issuer = issuer.trim().to_owned();
    }
    Ok(project.clone())
}

/// A bar on a terminal, nothing else.
fn progress_bar(files: usize) -> ProgressBar {
    let bar = ProgressBar::new(files as u64);
    let template = "{bar:40} {pos}/{len} {elapsed} (ends in {eta})";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_constant_template) => bar,
    }
}

/// A quarantined one with reason and next step; paths are the user's own.
fn explain(outcome: &FileOutcome, with_path: bool) {
    let End::Quarantined { reason, detail } = &outcome.end else { return };
    let place = if with_path {
        Path::new(&outcome.input).display().to_string()
    } else {
        format!("file {}", outcome.number)
    };
    eprintln!("{place}: {} ({detail}): {}", reason.code(), reason.plain());
    // Nothing is held in a queue here: what is put right is cleaned by another run.
    let next_step = reason.next_step().replace("release it", "run this again");
    eprintln!("  what to do: {next_step}");
}

impl From<FolderRunError> for Failure {
    fn from(error: FolderRunError) -> Self {
        let code = match &error {
            FolderRunError::Input { .. }
            | FolderRunError::Overlap
            | FolderRunError::Unusable { .. }
            | FolderRunError::Work(_) => ExitCode::Usage,
            FolderRunError::Output(_) | FolderRunError::Report { .. } => ExitCode::TryLater,
        };
        Self { code, what: error.to_string() }
    }
}
