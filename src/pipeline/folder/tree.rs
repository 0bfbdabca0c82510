//! New names for a tree that is kept: each component of a path becomes a keyed
//! hash, since a directory can be called after the patient.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

use crate::pseudonym::SecretKey;

/// Hex digits of a new name. 16: of 100,000 directories two are the same once
/// in 3 billion trees.
const NAME_CHARS: usize = 16;

/// Maps components: the same one gets the same name wherever it stands, in
/// every run with the same key.
#[derive(Debug, Clone)]
pub struct Tree(SecretKey);

impl Tree {
    /// With the key of a project.
    #[must_use]
    pub fn new(key: SecretKey) -> Self {
        Self(key)
    }

    /// New names of the directories of `path`; `..` and `.` name nothing and are left out.
    pub(super) fn dirs(&self, path: &Path) -> Vec<String> {
        let names = path.components().filter_map(|component| match component {
            Component::Normal(name) => Some(self.name(name)),
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir => None,
        });
        names.collect()
    }

    fn name(&self, component: &OsStr) -> String {
        let mac = self.0.mac(&[component.as_bytes()]);
        let mut name: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        name.truncate(NAME_CHARS);
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pseudonym::{KeyPurpose, MasterKey};

    fn tree(project: &str) -> Tree {
        let secret: Vec<u8> = (0..32_u8).map(|at| at.wrapping_mul(37) ^ 0xA5).collect();
        Tree::new(MasterKey::from_secret(&secret).unwrap().derive(KeyPurpose::Tree, project))
    }

    #[test]
    fn a_component_has_one_name_by_key_and_none_leads_upwards() {
        let dirs = tree("a").dirs(Path::new("DOE^JANE/../ct/DOE^JANE"));
        assert_eq!(dirs.len(), 3);
        assert_eq!(dirs[0], dirs[2]);
        assert_ne!(dirs[0], dirs[1]);
        assert!(dirs.iter().all(|name| name.len() == 16 && !name.contains(['.', '/'])));
        assert_eq!(dirs, tree("a").dirs(Path::new("/DOE^JANE/ct/./DOE^JANE")));
        assert_ne!(dirs, tree("b").dirs(Path::new("DOE^JANE/ct/DOE^JANE")));
    }
}
