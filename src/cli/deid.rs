//! `airlock deid IN OUT`.

use std::path::Path;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::DeidArgs;
use super::{Failure, runtime};
use crate::app::{AppError, Opened};
use crate::clean::report::ContentNote;
use crate::config::{Config, Profile, Project};
use crate::disk::RealDisk;
use crate::error::ExitCode;
use crate::forward::folder::Folder;
use crate::pipeline::CleanLine;
use crate::pipeline::folder::{
    FileOutcome, FolderRun, FolderRunError, input_files, prepare, refuse_overlap, staging_dir,
};

/// Cleans a file or a folder.
pub(super) fn run(mut config: Config, args: DeidArgs) -> Result<ExitCode, Failure> {
    let project = choose_project(&mut config, &args)?;
    let config = Arc::new(config);
    let files = input_files(&args.input)?;
    refuse_overlap(&args.input, &args.output, &config.data_dir)?;
    let opened = Opened::new(&config)?;
    prepare(&args.output, &config.data_dir)?;
    let staging = staging_dir(&config.data_dir);
    let line = CleanLine::new(&config, opened.line_memory(), vec![staging.clone()])
        .map_err(AppError::system("find the program's own path"))?;
    let run = Arc::new(FolderRun {
        line: Arc::new(line),
        project: Arc::new(project),
        ledger: Arc::clone(&opened.ledger),
        run_id: format!("deid-{:012x}", opened.clock.unix_ms()),
        unix_ms: opened.clock.unix_ms(),
        at_once: config.workers + 1,
        staging: staging.clone(),
        folder: Folder::new(args.output.clone(), Arc::new(RealDisk)),
    });
    let bar = progress_bar(files.len());
    let outcomes = runtime()?.block_on(async {
        run.line.warm().await.map_err(FolderRunError::Work)?;
        Arc::clone(&run).run(files, |_| bar.inc(1)).await
    })?;
    bar.finish_and_clear();
    // Empty by now; one that is not holds what a killed run left.
    drop(std::fs::remove_dir_all(&staging));
    let cleaned = outcomes.iter().filter(|outcome| outcome.reason.is_none()).count();
    let quarantined = outcomes.len() - cleaned;
    if outcomes.is_empty() {
        return Err(Failure::usage(format!("{}: there is no file", args.input.display())));
    }
    if let Some(path) = &args.report {
        write_report(path, &outcomes, args.report_with_paths)?;
    }
    summary(&outcomes, &args);
    print_content(&outcomes);
    println!("{cleaned} cleaned, {quarantined} quarantined, of {} files", outcomes.len());
    Ok(if quarantined == 0 { ExitCode::Ok } else { ExitCode::Quarantined })
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

fn write_report(path: &Path, outcomes: &[FileOutcome], paths: bool) -> Result<(), Failure> {
    let rows: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            let mut row = serde_json::json!(outcome);
            if paths && let Some(row) = row.as_object_mut() {
                row.insert("input".into(), outcome.path.to_string_lossy().into());
            }
            row
        })
        .collect();
    let cleaned = outcomes.iter().filter(|outcome| outcome.reason.is_none()).count();
    let report = serde_json::json!({
        "version": 1,
        "cleaned": cleaned,
        "quarantined": outcomes.len() - cleaned,
        "instances": rows,
    });
    std::fs::write(path, report.to_string())
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

/// Quarantined ones with reason and next step; paths are the user's own.
fn summary(outcomes: &[FileOutcome], args: &DeidArgs) {
    for outcome in outcomes {
        if let Some(reason) = outcome.reason {
            let place = if args.report_with_paths {
                outcome.path.display().to_string()
            } else {
                format!("file {}", outcome.number)
            };
            eprintln!("{place}: {} ({}): {}", reason.code(), outcome.detail, reason.plain());
            eprintln!("  what to do: {}", reason.next_step());
        }
    }
}

/// What a reader must know of those that came out.
fn print_content(outcomes: &[FileOutcome]) {
    let reports = || outcomes.iter().filter_map(|outcome| outcome.report.as_ref());
    let count = |note| reports().filter(|report| report.content.contains(&note)).count();
    let faces = count(ContentNote::Faces);
    if faces > 0 {
        println!("{faces} show a head: a face can be rendered from such volumes (faces)");
    }
    let replaced = count(ContentNote::DocumentReplaced);
    if replaced > 0 {
        println!("{replaced} hold a placeholder instead of their document");
    }
    let recalls: u32 =
        reports().filter_map(|report| report.recall.as_ref()).map(|note| note.instances).sum();
    if recalls > 0 {
        println!("{recalls} are named by rejection notes: see airlock recall");
    }
}

impl From<FolderRunError> for Failure {
    fn from(error: FolderRunError) -> Self {
        let code = match &error {
            FolderRunError::Input { .. } | FolderRunError::Overlap | FolderRunError::Work(_) => {
                ExitCode::Usage
            }
            FolderRunError::Output(_) => ExitCode::TryLater,
        };
        Self { code, what: error.to_string() }
    }
}
