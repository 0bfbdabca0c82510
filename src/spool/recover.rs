//! [`Spool::open`]: what a crash left is finished or taken back, by names alone.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::id::IdSource;
use super::layout::{Dir, JSON, META, PART};
use super::record::Record;
use super::store::{Shared, unpoisoned};
use super::{DestinationName, Spool, SpoolError, SpoolId, SpoolLimits, State};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::vault::Vault;

/// What was found and done at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Instances that wait to be cleaned.
    pub received: u64,
    /// Instances whose clean copy stands.
    pub held: u64,
    /// Instances in quarantine.
    pub quarantined: u64,
    /// Deliveries to make.
    pub outbox_links: u64,
    /// Files removed that were never finished.
    pub parts_removed: u64,
    /// Instances with a half-done step that was finished or taken back.
    pub mended: u64,
    /// Instances without original whose last names were removed.
    pub litter_removed: u64,
    /// Originals whose record is missing: they are quarantined when their turn comes.
    pub without_record: u64,
    /// Instances that were acknowledged and whose original somebody removed: an
    /// empty one stands for it, so that they are quarantined and not passed over.
    pub originals_missing: u64,
    /// Records without original that nothing tells of, they themselves included: never
    /// acknowledged, or somebody removed the original before it was touched.
    pub records_alone: u64,
    /// Names that are not ours; they are left alone.
    pub foreign_names: u64,
}

/// Which names of one instance were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Names {
    received: bool,
    held: bool,
    quarantine: bool,
    cleaned: bool,
    report: bool,
    link: bool,
    record: bool,
    part: bool,
}

impl Names {
    /// The original that counts: the strongest one.
    fn original(self) -> Option<State> {
        if self.quarantine {
            Some(State::Quarantine)
        } else if self.held {
            Some(State::Held)
        } else if self.received {
            Some(State::Received)
        } else {
            None
        }
    }

    /// Names that a step cut short has left: a second original, or parts of a
    /// clean commit where there should be none.
    fn is_half_done(self) -> bool {
        let of_clean_commit = self.cleaned || self.report || self.link;
        match self.original() {
            Some(State::Held) => self.received,
            Some(State::Quarantine) => self.held || self.received || of_clean_commit,
            Some(State::Received | State::Cleaned) | None => of_clean_commit,
        }
    }
}

impl Spool {
    /// Opens the spool under `root`, creating it when absent. One process owns a
    /// spool: hold [`super::DataLock`].
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the node does not start.
    pub fn open(
        root: &Path,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        limits: SpoolLimits,
    ) -> Result<(Self, Recovery), SpoolError> {
        Self::open_with(root, disk, clock, (limits, Vault::default()))
    }

    /// [`Spool::open`] of a spool whose files are sealed, or may be.
    ///
    /// # Errors
    /// As there.
    pub fn open_with(
        root: &Path,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        (limits, vault): (SpoolLimits, Vault),
    ) -> Result<(Self, Recovery), SpoolError> {
        let shared = Shared::new(root, disk, clock, (limits, vault));
        shared.make_root()?;
        let mut recovery = Recovery::default();
        let mut found = shared.survey(&mut recovery)?;
        // A killed process left names unsynced; nothing is built on them before.
        shared.sync_everything()?;
        for (id, names) in &found {
            shared.mend(*id, *names, &mut recovery)?;
        }
        shared.sync_everything()?;

        shared.count_all()?;

        let newest = found.pop_last().map(|(id, _names)| id);
        *unpoisoned(&shared.ids) = IdSource::new(newest, random()?);
        Ok((Self(Arc::new(shared)), recovery))
    }
}

impl Shared {
    /// Makes the directories, each durable in its parent. Those of the two innermost
    /// are synced also where they stood: a start that failed may have left them unsynced.
    fn make_root(&self) -> Result<(), SpoolError> {
        let mut created = Vec::new();
        for dir in self.layout.root().ancestors() {
            if dir.as_os_str().is_empty() || self.stands(dir)? {
                break;
            }
            created.push(dir.to_owned());
        }
        Dir::ALL.into_iter().try_for_each(|dir| self.make_dir(dir))?;
        self.sync_path(self.layout.root())?;
        created.iter().try_for_each(|dir| self.sync_path(parent_of(dir)))?;
        let innermost = self.layout.root().ancestors().take(2);
        for dir in innermost.filter(|dir| !created.iter().any(|made| made == dir)) {
            match self.sync_path(parent_of(dir)) {
                // Somebody else's, who made what stands in it; or none.
                Err(SpoolError::Io { source, .. })
                    if matches!(
                        source.kind(),
                        ErrorKind::PermissionDenied | ErrorKind::NotFound
                    ) => {}
                synced => synced?,
            }
        }
        Ok(())
    }

    /// Reads all names; unfinished files are removed on the way.
    fn survey(&self, recovery: &mut Recovery) -> Result<BTreeMap<SpoolId, Names>, SpoolError> {
        let mut found = BTreeMap::<SpoolId, Names>::new();
        for dir in Dir::ALL {
            if dir == Dir::Transactions {
                continue;
            }
            let path = self.layout.dir(dir);
            for name in self.names(&path)? {
                if dir == Dir::Outbox {
                    self.survey_outbox(&name, recovery, &mut found)?;
                } else if is_part(&name) {
                    if let (Dir::Incoming, Some(id)) = (dir, part_of(&name)) {
                        found.entry(id).or_default().part = true;
                    }
                    self.remove_if_there(&path.join(&name))?;
                    recovery.parts_removed = recovery.parts_removed.saturating_add(1);
                } else if let Some(id) = id_of(dir, &name) {
                    found.entry(id).or_default().note(dir);
                } else {
                    recovery.foreign_names = recovery.foreign_names.saturating_add(1);
                }
            }
        }
        Ok(found)
    }

    fn survey_outbox(
        &self,
        name: &str,
        recovery: &mut Recovery,
        found: &mut BTreeMap<SpoolId, Names>,
    ) -> Result<(), SpoolError> {
        let Ok(destination) = name.parse::<DestinationName>() else {
            recovery.foreign_names = recovery.foreign_names.saturating_add(1);
            return Ok(());
        };
        for name in self.names(&self.layout.outbox(&destination))? {
            if let Ok(id) = name.parse() {
                found.entry(id).or_default().link = true;
                recovery.outbox_links = recovery.outbox_links.saturating_add(1);
            } else {
                recovery.foreign_names = recovery.foreign_names.saturating_add(1);
            }
        }
        unpoisoned(&self.destinations).insert(destination);
        Ok(())
    }

    /// One row of the table in the module's documentation.
    fn mend(&self, id: SpoolId, names: Names, recovery: &mut Recovery) -> Result<(), SpoolError> {
        let remove = |state| self.remove_if_there(&self.layout.object(state, id));
        let count = match names.original() {
            None if names == Names::only_part() => return Ok(()),
            None if self.was_promised(id, names) => {
                self.stand_in_for(id)?;
                self.drop_links(id, names, recovery)?;
                self.drop_clean(id)?;
                recovery.originals_missing = recovery.originals_missing.saturating_add(1);
                &mut recovery.received
            }
            None => {
                if names == Names::only_record() && !self.has_ended(id) {
                    recovery.records_alone = recovery.records_alone.saturating_add(1);
                }
                self.drop_links(id, names, recovery)?;
                self.drop_clean(id)?;
                self.remove_if_there(&self.layout.record(id))?;
                &mut recovery.litter_removed
            }
            Some(State::Quarantine) => {
                if names.is_half_done() {
                    remove(State::Held)?;
                    remove(State::Received)?;
                    self.drop_links(id, names, recovery)?;
                    self.drop_clean(id)?;
                }
                &mut recovery.quarantined
            }
            Some(State::Held) => {
                if names.received {
                    remove(State::Received)?;
                }
                &mut recovery.held
            }
            Some(State::Received | State::Cleaned) => {
                if names.is_half_done() {
                    self.drop_links(id, names, recovery)?;
                    self.drop_clean(id)?;
                }
                &mut recovery.received
            }
        };
        *count = count.saturating_add(1);
        if names.original().is_some() {
            recovery.mended = recovery.mended.saturating_add(u64::from(names.is_half_done()));
            recovery.without_record =
                recovery.without_record.saturating_add(u64::from(!names.record));
        }
        Ok(())
    }

    /// Whether an instance without original was acknowledged and neither delivered
    /// nor thrown away: no step of ours leaves that.
    fn was_promised(&self, id: SpoolId, names: Names) -> bool {
        let Ok(record) = self.read_record(id) else { return false };
        let waits = names.link || (record.attempts > 0 && record.deliveries.is_empty());
        waits && !names.part && !record.has_ended()
    }

    /// Whether its record says that it was delivered or thrown away: the record goes last,
    /// and what was delivered is forgotten without a note of it.
    fn has_ended(&self, id: SpoolId) -> bool {
        let record = self.read_record(id);
        record.is_ok_and(|record| record.has_ended() || was_let_go(&record))
    }

    /// An original without bytes: its digest is wrong, and that quarantines it.
    fn stand_in_for(&self, id: SpoolId) -> Result<(), SpoolError> {
        self.write_new(&self.layout.object(State::Received, id), b"")?;
        // Before the links go, which tell that it was promised.
        self.sync_dir(Dir::Received)
    }

    fn drop_links(
        &self,
        id: SpoolId,
        names: Names,
        recovery: &mut Recovery,
    ) -> Result<(), SpoolError> {
        if !names.link {
            return Ok(());
        }
        for destination in self.destinations() {
            let link = self.layout.link(&destination, id);
            if self.stands(&link)? {
                self.remove_if_there(&link)?;
                recovery.outbox_links = recovery.outbox_links.saturating_sub(1);
            }
        }
        Ok(())
    }

    fn sync_everything(&self) -> Result<(), SpoolError> {
        Dir::ALL.into_iter().try_for_each(|dir| self.sync_dir(dir))?;
        self.sync_outboxes()
    }
}

impl Names {
    fn only_part() -> Self {
        Self { part: true, ..Self::default() }
    }

    fn only_record() -> Self {
        Self { record: true, ..Self::default() }
    }

    fn note(&mut self, dir: Dir) {
        match dir {
            Dir::Received => self.received = true,
            Dir::Held => self.held = true,
            Dir::Cleaned => self.cleaned = true,
            Dir::Quarantine => self.quarantine = true,
            Dir::Meta => self.record = true,
            Dir::Report => self.report = true,
            // Parts and directories are handled where they are found.
            Dir::Incoming | Dir::Outbox | Dir::Transactions => {}
        }
    }
}

/// It was delivered wherever it was meant to go, and not set aside after that.
fn was_let_go(record: &Record) -> bool {
    let is_aside = record.quarantine.as_ref().is_some_and(|note| note.round >= record.releases);
    record.is_delivered() && !record.meant_for.is_empty() && !is_aside
}

fn is_part(name: &str) -> bool {
    name.strip_suffix(PART).is_some_and(|stem| {
        let stem = stem.strip_suffix(META).unwrap_or(stem);
        stem.parse::<SpoolId>().is_ok()
    })
}

/// The instance that a part of an original is of.
fn part_of(name: &str) -> Option<SpoolId> {
    name.strip_suffix(PART)?.parse().ok()
}

fn id_of(dir: Dir, name: &str) -> Option<SpoolId> {
    let stem = match dir {
        Dir::Meta => name.strip_suffix(META)?,
        Dir::Report => name.strip_suffix(JSON)?,
        Dir::Received | Dir::Held | Dir::Cleaned | Dir::Quarantine => name,
        Dir::Incoming | Dir::Outbox | Dir::Transactions => return None,
    };
    stem.parse().ok()
}

fn parent_of(dir: &Path) -> &Path {
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

fn random() -> Result<u64, SpoolError> {
    #[cfg(test)]
    if let Some(drawn) = crate::simulated::throw(usize::MAX) {
        return Ok(u64::try_from(drawn).unwrap_or_default());
    }
    getrandom::u64()
        .map_err(|e| SpoolError::Io { step: "draw random bytes", source: std::io::Error::other(e) })
}
