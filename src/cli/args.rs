//! The arguments, and what `--help` says of them.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// DICOM node between clinic and research: receives, removes identity from
/// header and picture, checks its own work, forwards.
#[derive(Debug, Parser)]
#[command(name = "airlock", version, about, after_help = EXIT_CODES)]
pub(super) struct Args {
    /// Configuration (TOML); environment variables AIRLOCK__SECTION__KEY win over it.
    #[arg(long, global = true, value_name = "FILE", env = "AIRLOCK_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Data directory; wins over the configuration.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 all well; 2 some instances quarantined (deid); \
    64 bad usage or configuration; 70 bug; 75 try later.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the node until SIGTERM or Ctrl-C.
    Serve,
    /// Clean a file, a folder or a ZIP archive; what cannot be cleaned stays out of OUT.
    Deid(DeidArgs),
    /// Judge lines of text as the burned-in and free-text cleaners do.
    Text {
        /// File with one line of text a row, or - for standard input.
        file: PathBuf,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Ask a peer whether it answers (C-ECHO).
    Echo {
        /// AE@HOST:PORT
        peer: String,
    },
    /// Send files or folders as they are (C-STORE), as a modality would.
    Send {
        /// AE@HOST:PORT
        peer: String,
        /// Files or folders.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Check configuration, key, models, disk and destinations; tell what each
    /// project's profile does and where it departs from PS3.15.
    Check {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Show what is waiting where.
    Queue {
        /// What became of each study instead: received, waiting, delivered, set aside.
        #[arg(long)]
        studies: bool,
        /// Of this study alone, by its new Study Instance UID.
        #[arg(long, value_name = "UID")]
        study: Option<String>,
        /// One JSON object, or a list of studies.
        #[arg(long)]
        json: bool,
    },
    /// Look at, release or discard what is in quarantine.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Ask, fill or mend the table of pseudonyms; each use leaves a line in the ledger.
    #[command(subcommand)]
    Pseudonym(PseudonymCommand),
    /// Show or verify the receipts.
    Receipts(ReceiptsArgs),
    /// Show what rejection notes withdrew: what was sent already, and what is held.
    Recall {
        /// JSON, each instance by itself.
        #[arg(long)]
        json: bool,
    },
    /// Print the tables of the conformance statement (PS3.2) as this configuration makes them.
    Conformance {
        /// One JSON list.
        #[arg(long)]
        json: bool,
    },
    /// Import or list rules for devices.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Exit 0 when the node on this data directory is ready.
    Healthcheck,
    /// A cleaning process (started by the node).
    #[command(hide = true)]
    Worker {
        #[arg(long)]
        role: WorkerRole,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum WorkerRole {
    Clean,
    Verify,
}

#[derive(Debug, clap::Args)]
pub(super) struct DeidArgs {
    /// File, folder or ZIP archive to read.
    pub(super) input: PathBuf,
    /// Folder to write into.
    pub(super) output: PathBuf,
    /// Project whose rules apply. Default: the first one.
    #[arg(long)]
    pub(super) project: Option<String>,
    /// Issuer of Patient ID for files that say none. Default: the project's.
    #[arg(long)]
    pub(super) issuer: Option<String>,
    /// Profile instead of the project's: basic, tcia, or a file.
    #[arg(long)]
    pub(super) profile: Option<String>,
    /// Write what happened to each instance (JSON).
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Input paths stand in the report; they may hold names of patients.
    #[arg(long)]
    pub(super) report_with_paths: bool,
    /// OUT keeps the tree of IN, every directory under a new name.
    #[arg(long)]
    pub(super) keep_tree: bool,
    /// Follow links to files, also those that lead out of IN.
    #[arg(long)]
    pub(super) follow_links: bool,
}

/// Who uses the table, and why.
#[derive(Debug, clap::Args)]
pub(super) struct ByArgs {
    /// Who asks.
    #[arg(long)]
    pub(super) actor: String,
    /// Why, in a few words without a patient's value.
    #[arg(long)]
    pub(super) reason: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum PseudonymCommand {
    /// Who has a pseudonym, or which pseudonym a patient has.
    Lookup {
        /// The pseudonym.
        #[arg(long, conflicts_with = "id", required_unless_present = "id")]
        code: Option<String>,
        /// Patient ID; - reads a line from standard input, so that no list of processes shows it.
        #[arg(long)]
        id: Option<String>,
        /// Issuer of the Patient ID. Default: the project's.
        #[arg(long, default_value = "")]
        issuer: String,
        /// Project; needed where there are several.
        #[arg(long)]
        project: Option<String>,
        #[command(flatten)]
        by: ByArgs,
        /// JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write a project's list to a new file that its owner alone can read (CSV).
    Export {
        /// File to make.
        file: PathBuf,
        /// Project; needed where there are several.
        #[arg(long)]
        project: Option<String>,
        #[command(flatten)]
        by: ByArgs,
        /// JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take pseudonyms from a list: CSV with a head line of issuer, patient_id, code and perhaps
    /// baseline_date, shift_days. All of it or, with any fault, nothing.
    Import {
        /// File to read.
        file: PathBuf,
        /// Project; needed where there are several.
        #[arg(long)]
        project: Option<String>,
        /// Only look whether it would be taken.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        by: ByArgs,
        /// JSON.
        #[arg(long)]
        json: bool,
    },
    /// Two Patient IDs are one person: the second gets pseudonym and date shift of the first.
    Link(LinkArgs),
    /// Make a new master key for new persons; known ones keep theirs.
    Rekey {
        /// Only say what would happen.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        by: ByArgs,
        /// JSON.
        #[arg(long)]
        json: bool,
    },
    /// Compare the table with its journal, record by record.
    Verify {
        /// JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct LinkArgs {
    /// Patient ID whose pseudonym stays; - reads a line from standard input.
    #[arg(long)]
    pub(super) id: String,
    /// Its issuer. Default: the project's.
    #[arg(long, default_value = "")]
    pub(super) issuer: String,
    /// The other Patient ID; - reads a line from standard input.
    #[arg(long)]
    pub(super) other_id: String,
    /// Its issuer. Default: the project's.
    #[arg(long, default_value = "")]
    pub(super) other_issuer: String,
    /// Also where the other has another pseudonym already. What was sent under that one stays so.
    #[arg(long)]
    pub(super) merge: bool,
    /// Project; needed where there are several.
    #[arg(long)]
    pub(super) project: Option<String>,
    #[command(flatten)]
    pub(super) by: ByArgs,
    /// JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Make device rules of a CTP pixel anonymizer script or a recipe of pydicom's deid.
    /// What no rule can say is listed; exit 2 then, and 64 when no rule came out.
    Import(ImportArgs),
    /// Show the device rules of each project.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// Script or recipe to read.
    pub(super) file: PathBuf,
    /// Whose it is. Default: by its content.
    #[arg(long)]
    pub(super) format: Option<RulesFormat>,
    /// File to make. Default: standard output.
    #[arg(long, value_name = "FILE.toml")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RulesFormat {
    Ctp,
    Deid,
}

#[derive(Debug, Subcommand)]
pub(super) enum QuarantineCommand {
    /// All of it by cause, with reason and next step.
    List {
        /// Each instance by itself.
        #[arg(long)]
        each: bool,
        /// JSON, each instance by itself.
        #[arg(long)]
        json: bool,
    },
    /// One instance.
    Show {
        /// Id, as in the list.
        id: String,
        /// JSON.
        #[arg(long)]
        json: bool,
    },
    /// Clean again under the present profile and rules.
    Release(ReleaseArgs),
    /// Throw away for good; leaves a receipt.
    Discard {
        /// Id, as in the list.
        id: String,
        /// Who decides.
        #[arg(long)]
        actor: String,
        /// Why, in a few words without a patient's value.
        #[arg(long)]
        reason: String,
        /// JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct ReleaseArgs {
    /// Ids, as in the list.
    #[arg(required_unless_present = "cause", conflicts_with = "cause")]
    pub(super) ids: Vec<String>,
    /// All of the same study that stand for the same reason at the same place;
    /// a cause of the list, or the id of one of its instances.
    #[arg(long, value_name = "ID")]
    pub(super) cause: Option<String>,
    /// What is done beside cleaning again: remove or empty the element that the
    /// reason names; adopt the study for this patient (second-patient); accept
    /// what a rejection note names (recalled); replace what was sent under its SOP
    /// Instance UID (conflict).
    #[arg(long, requires_all = ["actor", "reason"])]
    pub(super) then: Option<Then>,
    /// Who decides.
    #[arg(long)]
    pub(super) actor: Option<String>,
    /// Why, in a few words without a patient's value.
    #[arg(long)]
    pub(super) reason: Option<String>,
    /// JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Then {
    Remove,
    Empty,
    Adopt,
    Accept,
    Replace,
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ReceiptsArgs {
    /// Only those of this (new) Study Instance UID.
    #[arg(long)]
    pub(super) study: Option<String>,
    /// One JSON object a line.
    #[arg(long, conflicts_with = "csv")]
    pub(super) json: bool,
    /// Comma separated, with a head line.
    #[arg(long)]
    pub(super) csv: bool,
    #[command(subcommand)]
    pub(super) command: Option<ReceiptsCommand>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum ReceiptsCommand {
    /// Walk the chain of the whole ledger.
    Verify,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_sound() {
        Args::command().debug_assert();
    }
}
