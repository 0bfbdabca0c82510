//! Why an instance stands in quarantine: one closed list, used by quarantine,
//! receipts, metrics and `--json` alike.
//!
//! A [`Reason`] has a stable code, plain words and a next step. A
//! [`Quarantine`] adds *where* (rule, tag path), never a patient's value.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $plain:literal, $next:literal;)+) => {
        /// Why an instance was not passed on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $code)] $name,)+
        }

        impl Reason {
            /// All reasons, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Stable code: lower case words joined by hyphens.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What happened, in plain words.
            #[must_use]
            pub fn plain(self) -> &'static str {
                match self { $(Self::$name => $plain,)+ }
            }

            /// What a person can do about it.
            #[must_use]
            pub fn next_step(self) -> &'static str {
                match self { $(Self::$name => $next,)+ }
            }
        }
    };
}

reasons! {
    /// The bytes are not a data set in the stated transfer syntax.
    Unreadable = "unreadable", "the data set cannot be read in its transfer syntax",
        "check the object at its source and send it again";
    /// A limit on depth, count or length was passed before anything was decoded.
    OverLimit = "over-limit", "the object passes a limit on nesting, number or length of elements",
        "check the object at its source; the limit is named in the detail";
    /// SOP Class or Instance UID missing or malformed.
    BadIdentity = "bad-uid", "SOP class, SOP instance, study or series UID is missing or malformed",
        "mend the UID at the source and send it again";
    /// No usable Patient ID (decision 7).
    NoPatientId = "no-patient-id", "there is no usable Patient ID, so no pseudonym can be given",
        "enter the Patient ID at the source and send it again, or allow unlinked codes for the project";
    /// The project takes pseudonyms from a list alone.
    NotInList = "not-in-list", "this patient is not in the project's list of pseudonyms",
        "import the patient's line with airlock pseudonym import, then release it; or let the project make codes";
    /// The project counts dates from a day of each person's own.
    NoBaselineDate = "no-baseline-date", "the project moves baseline dates, and this patient has none or another one",
        "import the patient's baseline date with airlock pseudonym import, then release it";
    /// Not a transfer syntax that can be read.
    UnknownTransferSyntax = "unknown-transfer-syntax", "the transfer syntax is not supported",
        "let the sender offer another transfer syntax, for example Explicit VR Little Endian";
    /// SOP class or kind of content that cannot be cleaned yet.
    UnsupportedContent = "unsupported-content", "this kind of content cannot be cleaned",
        "leave it out of the export, or clean it by hand";
    /// A document in an object, and the project takes no placeholders.
    Document = "document", "the object holds a document, which cannot be cleaned",
        "leave it out of the export, or set documents = \"placeholder\" for the project and release it";
    /// A photograph, and the project has not accepted them.
    Photograph = "photograph", "a picture on which the person may be recognised",
        "leave it out, or set photographs = \"accepted\" for the project and release it";
    /// A head, and the project has not accepted them.
    Face = "face", "a volume of a head, from which a face can be rendered",
        "leave it out, or set faces = \"accepted\" for the project and release it";
    /// The study belongs to another person already.
    SecondPatient = "second-patient", "this study came before under another patient",
        "find out at the source whose study it is; discard what is wrong, link the two IDs when \
         they are one person's, or release it with --then adopt when this patient is right";
    /// A Key Object rejection note names it.
    Recalled = "recalled", "a rejection note of the source has withdrawn this instance",
        "discard it; release it with --then accept only when the source says that the note was wrong";
    /// Pixels in a coding that cannot be looked at.
    UnsupportedPixels = "unsupported-pixels", "this coding of pixel data cannot be looked at",
        "let the sender offer an uncompressed transfer syntax";
    /// Decoding failed or disagrees with the header.
    DecodeFailed = "decode-failed", "the pixel data cannot be decoded or does not agree with the header",
        "check the object at its source";
    /// The picture after painting still shows identity.
    TextRemains = "text-remains", "identity was still readable in the picture after painting",
        "review the picture and add boxes, then release it";
    /// Layout not known and doubt above the limit.
    UnknownLayout = "unknown-layout", "the picture's layout is not known well enough to hide text safely",
        "add a rule for the device, then release it";
    /// A device rule holds pictures of this device.
    DeviceRule = "device-rule", "a device rule holds pictures of this device",
        "leave them out of the export; or change the rule that the detail names, and release it";
    /// A rule of the profile could not be applied.
    RuleFailed = "rule-failed", "a rule of the profile could not be applied to an element",
        "look at the rule and the tag path in the detail; adapt the profile or mend the source";
    /// The second door found something.
    IdentifierFound = "identifier-found", "the check of the clean copy found an identifier or a broken promise",
        "look at the tag path in the detail; adapt the profile, then release it";
    /// A worker died on it three times.
    WorkerDied = "worker-died", "the cleaning process died on this instance three times",
        "keep the object and report it as a bug";
    /// A worker was stopped for time three times.
    TimeLimit = "time-limit", "cleaning took longer than the limit",
        "raise the limit for the project, then release it";
    /// A worker was stopped for memory three times.
    MemoryLimit = "memory-limit", "cleaning took more memory than the limit",
        "raise the limit for the project, then release it";
    /// Same UID, other content (decision in `docs/decisions`).
    Conflict = "conflict", "another object with the same SOP Instance UID was received before",
        "find out at the source which one is right; discard it, or release it with --then replace when it goes in place of what was sent";
    /// Spool file or record damaged.
    DamagedSpool = "damaged-spool", "the stored bytes do not match their digest",
        "check the disk; ask the source to send the object again";
    /// Refused for good by a destination.
    RefusedByDestination = "refused-by-destination", "a destination refused this instance for good",
        "look at the status in the detail and the destination's log, then release it";
    /// A destination that is asked for storage commitment does not keep it.
    NotCommitted = "not-committed", "a destination took this instance again and again and reported that it does not keep it",
        "look at the failure reason in the detail and the destination's log, then release it";
    /// No destination can be sent to in any transfer syntax at hand.
    NoTransferSyntax = "no-transfer-syntax", "the destination takes none of the transfer syntaxes at hand",
        "let the destination accept Explicit or Implicit VR Little Endian for this SOP class";
    /// Project is gone from the configuration.
    NoProject = "no-project", "the project of this instance is no longer configured",
        "restore the project in the configuration, then release it";
    /// The node itself failed.
    Internal = "internal", "an error inside airlock",
        "keep the object and report it as a bug";
}

/// A reason with its place. `detail` names rules, tags, limits and codes only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {detail}", .reason.code())]
pub struct Quarantine {
    /// Why.
    pub reason: Reason,
    /// Where: rule, tag path, limit, status. Never a value of the data set.
    pub detail: String,
}

impl Quarantine {
    /// A quarantine for `reason`; `detail` must hold no value of the data set.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_lower_case() {
        let mut seen = std::collections::HashSet::new();
        for reason in Reason::ALL {
            assert!(seen.insert(reason.code()), "{} twice", reason.code());
            assert!(reason.code().chars().all(|c| c.is_ascii_lowercase() || c == '-'));
            assert!(!reason.next_step().is_empty());
        }
    }
}
