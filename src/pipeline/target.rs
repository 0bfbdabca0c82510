//! One lane's way to a destination: a folder, or a Storage SCP with an association or none.

use std::sync::Arc;
use std::time::Duration;

use tracing::info;

use crate::clean::Cleaned;
use crate::forward::Kind;
use crate::forward::folder::Folder;
use crate::forward::outcome::{Answer, Outcome};
use crate::forward::send::Sender;

/// Where clean copies go.
#[derive(Debug)]
pub enum Target {
    /// A directory.
    Folder(Folder),
    /// A Storage SCP.
    Ae(Box<Sender>),
    /// Of a simulation.
    #[cfg(test)]
    Scripted(Box<dyn Script>),
}

/// A destination that answers as a simulation has it.
#[cfg(test)]
pub trait Script: Send + Sync + std::fmt::Debug {
    /// What it says to an instance.
    fn answer(
        &mut self,
        cleaned: Arc<Cleaned>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send + '_>>;
    /// One more lane to it.
    fn another(&self) -> Box<dyn Script>;
    /// It answers C-ECHO.
    fn is_there(&self) -> bool;
}

impl Target {
    /// One more lane to the same destination.
    pub(super) fn another(&self) -> Self {
        match self {
            Self::Ae(sender) => Self::Ae(Box::new(sender.another())),
            Self::Folder(folder) => Self::Folder(folder.clone()),
            #[cfg(test)]
            Self::Scripted(script) => Self::Scripted(script.another()),
        }
    }

    pub(super) async fn deliver(
        &mut self,
        cleaned: Arc<Cleaned>,
        kinds: &[Kind],
        tries: u32,
    ) -> Outcome {
        match self {
            Self::Ae(sender) => sender.deliver(&cleaned, kinds, tries).await,
            Self::Folder(folder) => {
                let folder = folder.clone();
                let written = tokio::task::spawn_blocking(move || folder.deliver(&cleaned));
                written.await.unwrap_or(Outcome::RetryItem)
            }
            #[cfg(test)]
            Self::Scripted(script) => crate::forward::outcome(&script.answer(cleaned).await, tries),
        }
    }

    /// Whether it talks to us: none where it does, else how it does not.
    pub(super) async fn silence(&self) -> Option<Answer> {
        match self {
            Self::Ae(sender) => {
                let error = sender.is_there().await.err()?;
                info!(destination = %sender.address().called, %error, "no answer to C-ECHO");
                Some(Answer::from(&error))
            }
            Self::Folder(_) => None,
            #[cfg(test)]
            Self::Scripted(script) => (!script.is_there()).then_some(Answer::Unreachable),
        }
    }

    /// What it did with the last instance, in plain words.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Ae(sender) => sender.answered().map(ToString::to_string).unwrap_or_default(),
            Self::Folder(_) => "the folder cannot be written".to_owned(),
            #[cfg(test)]
            Self::Scripted(_) => String::new(),
        }
    }

    /// It may have the last instance, though it did not say so.
    pub(super) fn may_have_it(&self) -> bool {
        match self {
            Self::Ae(sender) => sender.may_have_it(),
            Self::Folder(_) => false,
            #[cfg(test)]
            Self::Scripted(_) => true,
        }
    }

    /// An association is open.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Ae(sender) => sender.is_open(),
            Self::Folder(_) => false,
            #[cfg(test)]
            Self::Scripted(_) => false,
        }
    }

    /// How long an association is kept without anything to send.
    pub(super) fn idle_release(&self) -> Duration {
        match self {
            Self::Ae(sender) => sender.idle_release(),
            Self::Folder(_) => Duration::ZERO,
            #[cfg(test)]
            Self::Scripted(_) => Duration::ZERO,
        }
    }

    pub(super) async fn close(&mut self) {
        match self {
            Self::Ae(sender) => sender.close().await,
            Self::Folder(_) => {}
            #[cfg(test)]
            Self::Scripted(_) => {}
        }
    }
}
