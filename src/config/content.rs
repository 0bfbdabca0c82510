//! What a project does with content whose identity no look at elements finds:
//! documents, photographs, heads from which a face can be rendered.

use serde::{Deserialize, Serialize};

/// What is done with an encapsulated document (PS3.3 §A.45, §A.85, §A.104).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Documents {
    /// The object is quarantined. The default: nobody reads a document here.
    #[default]
    Quarantine,
    /// The document is replaced by one that says it was removed.
    Placeholder,
}

/// Whether pictures that may show a person's features are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Features {
    /// The project has said that it takes them.
    Accepted,
    /// They are quarantined.
    Quarantine,
}

/// What a project has decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContentRules {
    /// Encapsulated documents.
    pub documents: Documents,
    /// Photographs, and objects that say they show recognisable features.
    pub photographs: Features,
    /// CT, MR and cone-beam CT of a head.
    pub faces: Features,
}

impl Default for ContentRules {
    /// Why faces are accepted unless a project says otherwise stands in
    /// docs/decisions/0015.
    fn default() -> Self {
        Self {
            documents: Documents::Quarantine,
            photographs: Features::Quarantine,
            faces: Features::Accepted,
        }
    }
}
