//! `airlock check` and `airlock healthcheck`.

use std::path::Path;

use serde::Serialize;

use super::asked::ask;
use super::queue::{odd, print_json};
use super::{Failure, runtime};
use crate::app::passcodes::Passcodes;
use crate::app::peers::{address_of, door_tls};
use crate::clean::metadata::{ProfileAccount, account};
use crate::clean::text::ModelFiles;
use crate::config::{Config, Destination, DoorTls, Features, Peer, Project};
use crate::control::{self, Answer, Request};
use crate::dimse::Limits;
use crate::dimse::scu;
use crate::dimse::tls::ClientTls;
use crate::disk::{Disk as _, RealDisk};
use crate::error::ExitCode;
use crate::pseudonym::MasterKey;
use crate::spool::SpoolLimits;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Verdict {
    what: String,
    good: bool,
    /// What was found; when it is not good, what to do.
    says: String,
    /// What the project's profile does.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileAccount>,
}

/// Looks at everything that can be wrong before a first instance comes.
pub(super) fn run(config: &Config, json: bool) -> Result<ExitCode, Failure> {
    let mut verdicts = vec![verdict("configuration", Ok(summary(config)))];
    verdicts.extend(config.projects.values().map(profile));
    verdicts.push(verdict("master key", key(config)));
    verdicts.push(verdict("models", models(config.models_dir.as_deref())));
    verdicts.push(verdict("disk", disk(config)));
    let data = data(config);
    // Where it cannot be opened that is said once.
    let receipts = receipts(config).filter(|receipts| receipts.is_ok() || *receipts != data);
    verdicts.push(verdict("data", data));
    verdicts.extend(receipts.map(|found| verdict("receipts", found)));
    verdicts.push(verdict("encryption at rest", Ok(at_rest(config))));
    verdicts.extend(config.tls.as_ref().map(|tls| verdict("TLS", secured(tls))));
    if config.senders.iter().any(|sender| sender.user.is_some()) {
        verdicts.push(verdict("passcodes of senders", passcodes(config)));
    }
    let runtime = runtime()?;
    for (name, destination) in &config.destinations {
        let found = runtime.block_on(reach(config, destination));
        verdicts.push(verdict(&format!("destination {name}"), found));
    }
    verdicts.extend(commitments(config, &runtime));
    let good = verdicts.iter().all(|verdict| verdict.good);
    if json {
        print_json(&verdicts)?;
    } else {
        for verdict in &verdicts {
            let word = if verdict.good { "good" } else { "BAD " };
            println!("{word}  {}: {}", verdict.what, verdict.says);
            for line in verdict.profile.iter().flat_map(lines) {
                println!("        {line}");
            }
        }
    }
    Ok(if good { ExitCode::Ok } else { ExitCode::Usage })
}

/// Exit 0 when the node answers on its socket; for containers.
pub(super) fn health(config: &Config) -> Result<ExitCode, Failure> {
    match runtime()?.block_on(control::ask(&config.data_dir, &Request::Health)) {
        Ok(Answer::Ready) => Ok(ExitCode::Ok),
        Ok(Answer::Failed { what }) => Err(Failure::later(format!("the node is not well: {what}"))),
        Ok(_) => Err(odd()),
        Err(error) => Err(Failure::later(format!("no node answers: {error}"))),
    }
}

fn verdict(what: &str, found: Result<String, String>) -> Verdict {
    let (good, says) = match found {
        Ok(says) => (true, says),
        Err(says) => (false, says),
    };
    Verdict { what: what.to_owned(), good, says, profile: None }
}

/// What a project's profile does and where it departs from PS3.15.
fn profile(project: &Project) -> Verdict {
    let account = account(&project.rules.profile);
    let on = account.options.iter().filter(|option| option.on);
    let on: Vec<_> = on.map(|option| format!("{} ({})", option.name, option.code)).collect();
    let [standard, site] = account.safe_private;
    let says = format!(
        "{}: Basic Application Level Confidentiality Profile (113100) with {}; dates {}; private \
         elements that stay: {standard} of PS3.15, {site} of the site",
        account.name,
        if on.is_empty() { "no option".to_owned() } else { on.join(", ") },
        account.longitudinal,
    );
    let what = format!("profile of project {}", project.name);
    Verdict { what, good: true, says, profile: Some(account) }
}

/// The rest of what is told of a profile, a line each.
fn lines(account: &ProfileAccount) -> Vec<String> {
    let rows: Vec<_> = account.rows.iter().map(|(done, rows)| format!("{rows} {done}")).collect();
    let mut lines = vec![format!("Table E.1-1: {}", rows.join("; "))];
    lines.extend(account.rules.iter().map(|rule| format!("rule of the site: {rule}")));
    let departures = account.departures.iter();
    lines.extend(departures.map(|one| format!("departs: {} ({})", one.what, one.why)));
    lines
}

fn summary(config: &Config) -> String {
    let projects: Vec<_> = config
        .projects
        .values()
        .map(|project| {
            let profile = &project.rules.profile.name;
            let to = project.destinations.join(" and ");
            format!("{} → {} ({profile}{}) → {to}", project.ae_title, project.name, faces(project))
        })
        .collect();
    format!("listens on {}; {}; {}", ports(config), projects.join(", "), archive(config))
}

/// Where it listens, and who gets in how where it has TLS.
fn ports(config: &Config) -> String {
    let Some(tls) = &config.tls else { return config.listen.to_string() };
    if !config.plain {
        return format!("{} (TLS)", tls.listen);
    }
    let plain = config.senders.iter().filter(|sender| !sender.tls);
    let plain: Vec<_> = plain.map(|sender| sender.name.as_str()).collect();
    let who = if plain.is_empty() { "nobody".to_owned() } else { plain.join(", ") };
    format!("{} (without TLS: {who}) and {} (TLS)", config.listen, tls.listen)
}

/// That airlock is no archive, and who may take it for one.
fn archive(config: &Config) -> String {
    let asking = config.senders.iter().filter(|sender| sender.commitment.is_some());
    let asking: Vec<_> = asking.map(|sender| sender.name.as_str()).collect();
    if asking.is_empty() {
        return "Storage Commitment is not offered: airlock is no archive".to_owned();
    }
    format!(
        "AIRLOCK IS NO ARCHIVE: to {} Storage Commitment is offered, and reports as kept only what \
         is still held, {} from its last delivery on; a sender that deletes on that report relies \
         on another archive",
        asking.join(", "),
        humantime_serde::re::humantime::format_duration(config.keep)
    )
}

/// What is done with heads, and that nobody has said so.
fn faces(project: &Project) -> &'static str {
    match (project.rules.content.faces, project.faces_stated) {
        (Features::Quarantine, _) => ", faces quarantined",
        (Features::Accepted, true) => ", faces accepted",
        (Features::Accepted, false) => {
            ", FACES ACCEPTED BY DEFAULT: write faces = \"accepted\" or \"quarantine\""
        }
    }
}

fn key(config: &Config) -> Result<String, String> {
    let path = match &config.master_key_file {
        Some(path) => path.clone(),
        None => config.data_dir.join("keys").join("master"),
    };
    let stands = RealDisk.exists(&path).map_err(|error| error.to_string())?;
    if !stands && config.master_key_file.is_none() {
        return Ok("made at first start; back it up then".into());
    }
    MasterKey::from_file(&path)
        .map(|key| format!("key id {}", key.id()))
        .map_err(|error| error.to_string())
}

fn models(dir: Option<&Path>) -> Result<String, String> {
    let files = ModelFiles::find(dir).map_err(|error| error.to_string())?;
    files.verify_digests().map_err(|error| error.to_string())?;
    let names = match files.names() {
        Some(_) => "",
        None => {
            "; WITHOUT THE RECOGNISER OF NAMES: names that no header has are found by rules alone"
        }
    };
    Ok(files.versions().join(", ") + names)
}

fn secured(tls: &DoorTls) -> Result<String, String> {
    door_tls(tls).map_err(|error| error.to_string())?;
    let senders = match &tls.authorities {
        Some(_) => "senders must show a certificate",
        None => "senders need no certificate",
    };
    Ok(format!("listens on {}; {senders}", tls.listen))
}

fn disk(config: &Config) -> Result<String, String> {
    let mut dir = config.data_dir.as_path();
    while !RealDisk.exists(dir).map_err(|error| error.to_string())? {
        dir =
            dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    }
    let free = RealDisk.free_bytes(dir).map_err(|error| error.to_string())?;
    let says = format!("{} MiB free, {} MiB reserved", free >> 20, config.reserve_bytes >> 20);
    let reserve_files = SpoolLimits::default().reserve_files;
    let files = RealDisk.free_files(dir).map_err(|error| error.to_string())?;
    if free <= config.reserve_bytes {
        Err(format!("{says}: free space or lower data.reserve_mib"))
    } else if let Some(files) = files.filter(|files| *files < reserve_files) {
        Err(format!(
            "{says}, but only {files} more files fit, {reserve_files} reserved: remove files that \
             are not airlock's or give the file system more inodes"
        ))
    } else if free <= config.reserve_bytes.saturating_mul(2) {
        Ok(format!("{says}: ALARM, UNDER TWICE THE RESERVE: free space soon"))
    } else {
        Ok(says)
    }
}

/// How far storage commitment has come at each destination that is asked; counts
/// where a node runs.
fn commitments(config: &Config, runtime: &tokio::runtime::Runtime) -> Vec<Verdict> {
    let asked = config.destinations.iter();
    let asked = asked.filter_map(|(name, one)| Some((name, one.commitment_wait()?)));
    let asked: Vec<_> = asked.collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let view = match runtime.block_on(control::ask(&config.data_dir, &Request::Queue)) {
        Ok(Answer::Queue(view)) => Some(view),
        Ok(_) | Err(_) => None,
    };
    let verdict_of = |(name, wait): (&String, _)| {
        let wait = humantime_serde::re::humantime::format_duration(wait);
        let rule = format!("originals go after its report, which is waited for {wait}");
        let counts = view.as_ref().and_then(|view| view.commitments.get(name));
        let found = match counts {
            None => Ok(rule),
            Some(counts) if counts.given_up == 0 => {
                Ok(format!("{rule}; {} are awaited", counts.awaited))
            }
            Some(counts) => Err(format!(
                "{} were never reported on; find out whether {name} has them",
                counts.given_up
            )),
        };
        verdict(&format!("storage commitment of {name}"), found)
    };
    asked.into_iter().map(verdict_of).collect()
}

/// What stands in the data directory, as the node that runs on it says, or as a
/// start would find it.
fn data(config: &Config) -> Result<String, String> {
    let shown = config.data_dir.display();
    let stands = |name| RealDisk.exists(&config.data_dir.join(name));
    let is_used = stands("keys").and_then(|keys| Ok(keys || stands("spool")?));
    if !is_used.map_err(|error| format!("{shown}: {error}"))? {
        return Ok(format!("{shown} is made at first start"));
    }
    let view = match ask(config, Request::Queue) {
        Ok(Answer::Queue(view)) => view,
        Ok(_) => return Err(odd().what),
        Err(failure) => return Err(failure.what),
    };
    let waiting = view.outbox.values().fold(view.received, |sum, more| sum.saturating_add(*more));
    let mut says = format!("{shown}: {waiting} waiting, {} in quarantine", view.quarantine);
    for found in &view.found {
        says.push_str("; found at a start, ");
        says.push_str(found);
    }
    if view.alarms.is_empty() {
        Ok(says)
    } else {
        Err(format!("{says}; {}", view.alarms.join("; ")))
    }
}

/// Whether the ledger's chain is whole, where there is one. A start looks at its end alone.
fn receipts(config: &Config) -> Option<Result<String, String>> {
    if !RealDisk.exists(&config.data_dir.join("receipts")).unwrap_or(true) {
        return None;
    }
    Some(match ask(config, Request::VerifyReceipts) {
        Ok(Answer::ChainWhole(lines)) => Ok(format!("{lines} lines, the chain is whole")),
        Ok(_) => Err(odd().what),
        Err(failure) => Err(failure.what),
    })
}

fn passcodes(config: &Config) -> Result<String, String> {
    Passcodes::read(config).map_err(|error| error.to_string())?;
    Ok("readable by nobody else".into())
}

fn at_rest(config: &Config) -> String {
    let dir = config.data_dir.display();
    if config.encrypts {
        format!("what waits in {dir} is encrypted; without the master key it is lost: back it up")
    } else {
        format!("off: {dir} must lie on an encrypted disk, or set data.encrypt = true")
    }
}

async fn reach(config: &Config, destination: &Destination) -> Result<String, String> {
    match destination {
        Destination::Folder(path) => Ok(format!("folder {}", path.display())),
        Destination::Ae(peer) => {
            let Peer { called, calling, host, port, .. } = peer;
            let address = address_of(peer);
            if let Some(Err(error)) = address.tls.as_ref().map(ClientTls::check) {
                return Err(error.to_string());
            }
            match scu::verify(&address, &Limits::default()).await {
                Ok(0) => Ok(format!("{called}@{host}:{port} answers {} C-ECHO", config.ae_title)),
                Ok(status) => {
                    Err(format!("{called}@{host}:{port} answers C-ECHO with {status:04X}H"))
                }
                Err(error) => Err(format!(
                    "{called}@{host}:{port}: {error}; is it running, and does it know {}?",
                    calling
                )),
            }
        }
    }
}
