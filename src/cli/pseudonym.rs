//! `airlock pseudonym`: the one command whose answers name patients.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::Failure;
use super::args::{ByArgs, LinkArgs, PseudonymCommand};
use super::asked::ask;
use super::queue::{odd, print_json};
use crate::config::Config;
use crate::control::{Answer, Request};
use crate::error::ExitCode;
use crate::identified::Identified;
use crate::pipeline::{By, PersonAnswer, PersonRequest, PersonView, Whom, WrittenId};
use crate::pseudonym::list::LIST_BYTES_MAX;

/// Head line of an export.
const EXPORT_HEAD: &str =
    "code,issuer,patient_id,shift_days,key_id,baseline_date,kind,former_codes";

/// Carries out one of its commands.
pub(super) fn run(config: &Config, command: PseudonymCommand) -> Result<ExitCode, Failure> {
    match command {
        PseudonymCommand::Lookup { code, id, issuer, project, by, json } => {
            let whom = match (code, id) {
                (Some(code), _) => Whom::Code(Identified::new(code)),
                (None, Some(id)) => Whom::Id(written(issuer, id)?),
                (None, None) => return Err(Failure::usage("give --code or --id")),
            };
            let project = project_name(config, project)?;
            let request = PersonRequest::Lookup { project, whom, by: by.into() };
            let PersonAnswer::Found(found) = put(config, request)? else { return Err(odd()) };
            show(found.as_ref(), json)
        }
        PseudonymCommand::Export { file, project, by, json } => {
            let rows = export(config, &file, project_name(config, project)?, by.into())?;
            if json {
                return print_json(&serde_json::json!({ "persons": rows }));
            }
            println!(
                "{rows} persons in {}: keep it as you keep the patients' names",
                file.display()
            );
            Ok(ExitCode::Ok)
        }
        PseudonymCommand::Import { file, project, dry_run, by, json } => {
            let list = Identified::new(text_of(&file)?);
            let project = project_name(config, project)?;
            let request = PersonRequest::Import { project, list, dry_run, by: by.into() };
            let PersonAnswer::Imported { new, known } = put(config, request)? else {
                return Err(odd());
            };
            if json {
                let done = serde_json::json!({ "new": new, "known": known, "dry_run": dry_run });
                return print_json(&done);
            }
            let word = if dry_run { "would be imported" } else { "imported" };
            println!("{new} persons {word}, {known} were known with just this");
            Ok(ExitCode::Ok)
        }
        PseudonymCommand::Link(args) => link(config, args),
        PseudonymCommand::Rekey { dry_run, by, json } => {
            rekey(config, PersonRequest::Rekey { dry_run, by: by.into() }, json)
        }
        PseudonymCommand::Verify { json } => {
            let PersonAnswer::Verified { persons } = put(config, PersonRequest::Verify)? else {
                return Err(odd());
            };
            if json {
                return print_json(&serde_json::json!({ "persons": persons }));
            }
            println!("table and journal agree: {persons} persons, each with a code of its own");
            Ok(ExitCode::Ok)
        }
    }
}

impl From<ByArgs> for By {
    fn from(args: ByArgs) -> Self {
        Self { actor: args.actor, reason: args.reason }
    }
}

/// Asks; what is refused is the user's to mend, exit 64.
fn put(config: &Config, request: PersonRequest) -> Result<PersonAnswer, Failure> {
    match ask(config, Request::Persons(request))? {
        Answer::Persons(PersonAnswer::Refused { faults }) => Err(Failure::usage(faults.join("\n"))),
        Answer::Persons(answer) => Ok(answer),
        Answer::Ready
        | Answer::Queue(_)
        | Answer::Studies(_)
        | Answer::Quarantine(_)
        | Answer::Done(_)
        | Answer::Receipts(_)
        | Answer::Recalls(_)
        | Answer::ChainWhole(_)
        | Answer::Failed { .. } => Err(odd()),
    }
}

fn project_name(config: &Config, given: Option<String>) -> Result<String, Failure> {
    match (given, config.projects.len()) {
        (Some(name), _) if config.projects.contains_key(&name) => Ok(name),
        (Some(name), _) => Err(Failure::usage(format!("there is no [project.{name}]"))),
        (None, 1) => Ok(config.projects.keys().next().cloned().unwrap_or_default()),
        (None, _) => Err(Failure::usage("there are several projects: give --project NAME")),
    }
}

fn written(issuer: String, id: String) -> Result<WrittenId, Failure> {
    let id = if id == "-" { line_of_stdin()? } else { id };
    Ok(WrittenId { issuer: Identified::new(issuer), patient_id: Identified::new(id) })
}

/// The next line of standard input, and no byte more of it.
fn line_of_stdin() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(Failure::usage)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn text_of(file: &Path) -> Result<String, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", file.display()));
    let mut bytes = Vec::new();
    let limit = LIST_BYTES_MAX as u64 + 1;
    let opened = File::open(file).map_err(|error| failed(&error))?;
    opened.take(limit).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 == limit {
        return Err(failed(&"longer than 48 MiB; import it in parts"));
    }
    String::from_utf8(bytes).map_err(|_other_set| failed(&"not in UTF-8; save it as CSV UTF-8"))
}

fn show(found: Option<&PersonView>, json: bool) -> Result<ExitCode, Failure> {
    if json {
        return print_json(&serde_json::json!({ "found": found.is_some(), "person": found }));
    }
    let Some(found) = found else {
        println!("nobody");
        return Ok(ExitCode::Ok);
    };
    println!("project: {}", found.project);
    println!("pseudonym: {}", found.code);
    if found.unlinked_study {
        println!("a study that names nobody: {}", found.patient_id.expose());
    } else {
        println!("issuer: {}", found.issuer.expose());
        println!("patient id: {}", found.patient_id.expose());
    }
    println!("date shift: {} days", found.shift_days);
    if let Some(date) = &found.baseline_date {
        println!("baseline date: {}", date.expose());
    }
    println!("key: {}", found.key_id);
    if found.linked {
        println!("linked with another ID of the same pseudonym");
    }
    for former in &found.former_codes {
        println!("before a merge: {former}");
    }
    Ok(ExitCode::Ok)
}

/// Writes the list page by page to a new file; gives the number of rows.
fn export(config: &Config, path: &Path, project: String, by: By) -> Result<usize, Failure> {
    let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut out = BufWriter::new(file.map_err(failed)?);
    let mut written = || -> Result<usize, Failure> {
        writeln!(out, "{EXPORT_HEAD}").map_err(failed)?;
        let (mut rows_written, mut next) = (0, Some(0));
        while let Some(after) = next {
            let (project, by) = (project.clone(), by.clone());
            let request = PersonRequest::Export { project, after, by };
            let PersonAnswer::Page { rows, next: following } = put(config, request)? else {
                return Err(odd());
            };
            for row in &rows {
                writeln!(out, "{}", csv_row(row)).map_err(failed)?;
            }
            rows_written += rows.len();
            next = following;
        }
        out.flush().map_err(failed)?;
        out.get_ref().sync_all().map_err(failed)?;
        Ok(rows_written)
    };
    let done = written();
    if done.is_err() {
        // Half a list would pass for a whole one.
        drop(std::fs::remove_file(path));
    }
    done
}

fn csv_row(row: &PersonView) -> String {
    let kind = match (row.unlinked_study, row.linked) {
        (true, _) => "unlinked-study",
        (false, true) => "linked",
        (false, false) => "person",
    };
    let baseline = row.baseline_date.as_ref().map_or("", |date| date.expose());
    [
        quoted(&row.code),
        quoted(row.issuer.expose()),
        quoted(row.patient_id.expose()),
        row.shift_days.to_string(),
        row.key_id.clone(),
        baseline.to_owned(),
        kind.to_owned(),
        quoted(&row.former_codes.join(" ")),
    ]
    .join(",")
}

/// A field of RFC 4180.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r', ';']) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn link(config: &Config, args: LinkArgs) -> Result<ExitCode, Failure> {
    let request = PersonRequest::Link {
        project: project_name(config, args.project)?,
        known: written(args.issuer, args.id)?,
        other: written(args.other_issuer, args.other_id)?,
        merge: args.merge,
        by: args.by.into(),
    };
    let answer = put(config, request)?;
    let PersonAnswer::Linked { code, former_code, ids } = answer else { return Err(odd()) };
    if args.json {
        return print_json(
            &serde_json::json!({ "code": code, "former_code": former_code, "ids": ids }),
        );
    }
    println!("both are {code} from now on");
    if let Some(former) = former_code {
        println!(
            "what was sent as {former} stays so at its destinations, with its dates moved by \
             another number of days:\nask them to join {former} to {code}, or to delete it and \
             send its studies again\n{ids} Patient IDs had {former}; a look-up of it leads to {code}"
        );
    }
    Ok(ExitCode::Ok)
}

fn rekey(config: &Config, request: PersonRequest, json: bool) -> Result<ExitCode, Failure> {
    let answer = put(config, request)?;
    let PersonAnswer::Rekeyed { old_key_id, new_key_id, persons } = answer else {
        return Err(odd());
    };
    if json {
        return print_json(&serde_json::json!({
            "old_key_id": old_key_id, "new_key_id": new_key_id, "persons": persons,
        }));
    }
    match new_key_id {
        None => println!(
            "{persons} persons would keep key {old_key_id}; persons after them would get a new one"
        ),
        Some(new_key_id) => println!(
            "{persons} persons keep key {old_key_id}; persons from the next start on get \
             {new_key_id}\nBACK UP {}: each of its files is needed",
            config.data_dir.join("keys").display()
        ),
    }
    Ok(ExitCode::Ok)
}
