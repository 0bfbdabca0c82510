//! What the second door objects to: a rule and a place.

use super::refuse;
use crate::dicom::{Tag, TagPath};
use crate::reason::Quarantine;

/// A broken promise or an identifier that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    rule: &'static str,
    path: TagPath,
}

impl Finding {
    /// At a place in the tree.
    pub(super) fn new(rule: &'static str, path: TagPath) -> Self {
        Self { rule, path }
    }

    /// At an element of the top level.
    pub(super) fn at(rule: &'static str, tag: Tag) -> Self {
        Self::new(rule, TagPath::root().at(tag))
    }

    /// At no single element.
    pub(super) fn whole(rule: &'static str) -> Self {
        Self::new(rule, TagPath::root())
    }
}

impl From<Finding> for Quarantine {
    fn from(finding: Finding) -> Self {
        refuse(format!("{} at {}", finding.rule, finding.path))
    }
}
