//! A new master key for new persons: the one in use becomes a retired one.
//!
//! Invariant: at every moment the key in use and all earlier ones stand in
//! `DATA/keys`, whatever crashes; a key file is never written over before its
//! copy under another name is durable. Takes effect when the table is opened.

use std::io::Write as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::keys::{
    KEY_BYTES, KEY_DIR, KeyError, MASTER_FILE, MasterKey, PART_FILE, RETIRED_PREFIX, io_at,
};
use crate::disk::{Disk as _, RealDisk};
use crate::kill_point::kill_point;

/// What a change of key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rekeyed {
    /// Id of the key that old persons keep.
    pub old_key_id: String,
    /// Id of the key that new persons get.
    pub new_key_id: String,
}

/// Makes a new `DATA/keys/master` and keeps the present one as
/// `DATA/keys/retired-ID`. The caller holds the data directory.
///
/// # Errors
/// [`KeyError`]: both keys stand as before, or the new one already does.
pub fn rekey(data_dir: &Path) -> Result<Rekeyed, KeyError> {
    let dir = data_dir.join(KEY_DIR);
    let master = dir.join(MASTER_FILE);
    let old = MasterKey::from_file(&master)?;
    let retired = dir.join(format!("{RETIRED_PREFIX}{}", old.id()));
    let mut secret = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut *secret).map_err(|_no_source| KeyError::NoRandomness)?;
    let new = MasterKey::from_secret(&*secret)?;
    let part = dir.join(PART_FILE);
    let write = || {
        // It stands already where a change was cut short.
        if !RealDisk.exists(&retired)? {
            RealDisk.hard_link(&master, &retired)?;
        }
        RealDisk.sync_dir(&dir)?;
        kill_point("keys.retired.linked");
        if RealDisk.exists(&part)? {
            RealDisk.remove(&part)?;
        }
        let mut file = RealDisk.create_new(&part)?;
        file.write_all(&*secret)?;
        file.sync_data()?;
        RealDisk.rename(&part, &master)?;
        RealDisk.sync_dir(&dir)?;
        kill_point("keys.master.replaced");
        Ok(())
    };
    write().map_err(io_at("cannot change", &master))?;
    Ok(Rekeyed { old_key_id: old.id().to_owned(), new_key_id: new.id().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pseudonym::keys::Keys;

    #[test]
    fn each_change_keeps_all_earlier_keys() {
        let dir = tempfile::tempdir().unwrap();
        let (first, _origin) = Keys::load_or_create(dir.path()).unwrap();
        let mut ids = vec![first.current().id().to_owned()];
        for _again in 0..3 {
            let rekeyed = rekey(dir.path()).unwrap();
            assert_eq!(Some(&rekeyed.old_key_id), ids.last());
            ids.push(rekeyed.new_key_id);
            let (keys, _origin) = Keys::load_or_create(dir.path()).unwrap();
            assert_eq!(Some(keys.current().id()), ids.last().map(String::as_str));
            assert!(ids.iter().all(|id| keys.of_id(id).is_some()));
        }
    }

    #[test]
    fn a_change_that_was_cut_short_is_done_again() {
        let dir = tempfile::tempdir().unwrap();
        let (first, _origin) = Keys::load_or_create(dir.path()).unwrap();
        let id = first.current().id();
        let keys = dir.path().join("keys");
        std::fs::hard_link(keys.join("master"), keys.join(format!("retired-{id}"))).unwrap();
        std::fs::write(keys.join("master.part"), b"half").unwrap();
        assert_eq!(rekey(dir.path()).unwrap().old_key_id, id);
        assert!(Keys::load_or_create(dir.path()).unwrap().0.of_id(id).is_some());
    }
}
