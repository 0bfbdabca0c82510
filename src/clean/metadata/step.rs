//! What is done with one element: the words between `plan`, which decides, and
//! `walk` and `values`, which do it.

/// What is left of a value when it cannot be treated as planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fallback {
    /// The element goes.
    Remove,
    /// It stays without a value.
    Empty,
    /// It gets a dummy value.
    Dummy,
}

/// What is done with one element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Left as it is.
    Keep,
    /// Left as it is unless it holds a known value: machine-made text and
    /// terms; what to do when nothing is left of it.
    KeepUnlessKnown(Fallback),
    /// Left as it is when it is a number, else emptied.
    KeepNumber,
    /// Numbers in binary, left as they are unless they spell something: gone then.
    KeepBinary,
    /// Left as it is when it has the form of a term and holds no known value, else
    /// emptied.
    KeepTerm,
    /// UIDs left as they are; what is none is mapped.
    KeepUid,
    /// An age, at most 90 years, else emptied.
    Age,
    /// Removed.
    Remove,
    /// Removed because nobody knows it.
    RemoveUnknown,
    /// Emptied.
    Empty,
    /// A dummy value that is valid for the VR.
    Dummy,
    /// A keyed hash; a dummy where the VR takes none.
    HashOrDummy,
    /// A keyed hash, by a site's rule.
    Hash,
    /// The person's pseudonym.
    Code,
    /// Another UID for each that is not registered.
    Uid,
    /// Dates moved, times kept.
    Shift(Fallback),
    /// Dates and times kept when they are some.
    KeepDate(Fallback),
    /// Text cleaned; what to do when nothing is left of it.
    Clean(Fallback),
    /// Items cleaned one by one.
    Walk {
        /// The items' free text is cleaned, whatever Clean Descriptors says.
        cleans_text: bool,
    },
    /// Items reduced to dummies.
    WalkDummy,
    /// A site's text.
    Replace(&'a str),
}

impl Step<'_> {
    /// The value, or what is left of it, stands in the clean copy.
    pub(super) fn shows_value(&self) -> bool {
        match self {
            Self::Keep | Self::KeepUnlessKnown(_) | Self::KeepNumber | Self::KeepBinary => true,
            Self::KeepTerm | Self::KeepUid | Self::Age | Self::Shift(_) | Self::KeepDate(_) => true,
            Self::Clean(_) | Self::Walk { .. } => true,
            Self::Remove | Self::RemoveUnknown | Self::Empty | Self::Dummy => false,
            Self::HashOrDummy | Self::Hash | Self::Code | Self::Uid => false,
            Self::WalkDummy | Self::Replace(_) => false,
        }
    }

    /// The text of the element, or a part of it, stands in the clean copy.
    pub(super) fn shows_text(&self) -> bool {
        matches!(self, Self::Keep | Self::KeepUnlessKnown(_) | Self::KeepTerm | Self::Clean(_))
    }
}
