//! Where an element stands in a data set, for errors and reports: tags and
//! item numbers only, so that it can be logged.

use std::fmt;

use super::Tag;

/// The place of an element: the sequences it lies in and its own tag, written
/// as `(0040,A730)[2].(0008,0100)` with items counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct TagPath {
    containers: Vec<(Tag, u32)>,
    tag: Option<Tag>,
}

impl TagPath {
    /// The place of the whole data set.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Goes into item `index` of the sequence `tag`; [`TagPath::leave`] comes back.
    pub fn enter(&mut self, tag: Tag, index: u32) {
        self.containers.push((tag, index));
    }

    /// Comes back from the innermost item.
    pub fn leave(&mut self) {
        self.containers.pop();
    }

    /// This place with the element `tag` at its end.
    #[must_use]
    pub fn at(&self, tag: Tag) -> Self {
        Self { containers: self.containers.clone(), tag: Some(tag) }
    }

    /// Number of sequences around the place.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.containers.len()
    }
}

impl fmt::Display for TagPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.containers.is_empty() && self.tag.is_none() {
            return f.write_str("data set");
        }
        for (position, (tag, index)) in self.containers.iter().enumerate() {
            let dot = if position == 0 { "" } else { "." };
            write!(f, "{dot}({:04X},{:04X})[{index}]", tag.group(), tag.element())?;
        }
        match self.tag {
            Some(tag) => {
                let dot = if self.containers.is_empty() { "" } else { "." };
                write!(f, "{dot}({:04X},{:04X})", tag.group(), tag.element())
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_tags_and_items() {
        let mut path = TagPath::root();
        assert_eq!(path.to_string(), "data set");
        assert_eq!(path.at(Tag(0x0010, 0x0010)).to_string(), "(0010,0010)");
        path.enter(Tag(0x0040, 0xA730), 2);
        assert_eq!(path.to_string(), "(0040,A730)[2]");
        assert_eq!(path.at(Tag(0x0008, 0x0100)).to_string(), "(0040,A730)[2].(0008,0100)");
        path.leave();
        assert_eq!(path.depth(), 0);
    }
}
