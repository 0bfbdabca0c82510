//! Many waiting instances made of one, by names, as the spool has them.

use std::fs;

use serde_json::Value;

use super::files::files_below;
use super::node::Node;

/// Links of one file on ext4 end at 65,000.
const LINKS_MAX: usize = 20_000;

/// Makes of one waiting instance as many as wanted; the node is not running.
pub(crate) struct Copies<'a> {
    node: &'a Node,
    id: String,
    record: Value,
}

impl<'a> Copies<'a> {
    /// Of the only one in this state.
    pub(crate) fn of_the_one_in(node: &'a Node, state: &str) -> Self {
        assert_eq!(files_below(&node.spool(state)).len(), 1, "one {state}");
        Self::of_the_oldest_in(node, state)
    }

    pub(crate) fn of_the_oldest_in(node: &'a Node, state: &str) -> Self {
        let object = files_below(&node.spool(state)).into_iter().next().expect("one of them");
        let id = object.file_name().unwrap().to_str().unwrap().to_owned();
        let record = fs::read_to_string(node.spool("meta").join(format!("{id}.meta"))).unwrap();
        let newest = record.lines().rev().nth(1).unwrap();
        let record = serde_json::from_str(newest).unwrap();
        Self { node, id, record }
    }

    /// `count` more, numbered from `first`; `names` are directory and ending of
    /// what stands for the instance.
    pub(crate) fn make(&mut self, first: usize, count: usize, names: &[(&str, &str)]) {
        let time = self.id.get(..12).unwrap().to_owned();
        let mut from = self.id.clone();
        for number in first..first + count {
            let id = format!("{time}{number:020x}");
            let is_copy = (number - first).is_multiple_of(LINKS_MAX);
            for (dir, ending) in names {
                let dir = self.node.spool(dir);
                let (old, new) =
                    (dir.join(format!("{from}{ending}")), dir.join(format!("{id}{ending}")));
                if is_copy {
                    fs::copy(old, new).unwrap();
                } else {
                    fs::hard_link(old, new).unwrap();
                }
            }
            if is_copy {
                from.clone_from(&id);
            }
            self.record["id"] = id.clone().into();
            let line = self.record.to_string();
            let pair = format!("{line}\n{:08x}\n", crc32fast::hash(line.as_bytes()));
            fs::write(self.node.spool("meta").join(format!("{id}.meta")), pair).unwrap();
        }
    }
}
