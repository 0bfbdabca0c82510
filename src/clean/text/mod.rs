//! Finds and reads text in a frame: picture in, lines with confidence out.
//!
//! [`Ocr::find`] gives every place that looks like text, in whatever script;
//! [`Ocr::read`] says what stands there and how sure it is; [`merge`] joins the
//! pieces of one line. Nothing here decides what is hidden: that is
//! `clean::judge`, and a place that was found but not read counts as unreadable
//! there. Same picture, same lines: one thread, no clock, no chance.

mod alphabet;
mod bands;
mod detect;
mod geometry;
mod lines;
pub mod models;
mod ocr;
mod picture;
mod plan;
mod recognise;
mod regions;
mod runtime;
mod screen;
mod texture;

#[cfg(test)]
mod tests;

pub use lines::{MergedLine, merge};
pub use models::{ModelError, ModelFiles, NameFiles};
pub use ocr::Ocr;
pub(crate) use runtime::session;
pub use runtime::{TELEMETRY_OFF, is_silent};
pub use screen::{CELL_PX, Cells};

/// A frame for looking at: 8 bits per sample, rows from the top.
#[derive(Debug, Clone)]
pub struct View {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 (grey) or 3 (R, G, B interleaved).
    pub samples: u8,
    /// `width × height × samples` bytes.
    pub pixels: Vec<u8>,
}

/// A place that looks like text, before it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Corners in pixels of the frame (0, 0 is the outer corner of the first
    /// pixel), clockwise; they may lie a little outside the frame.
    pub corners: [[f32; 2]; 4],
    /// The detector's mean probability, 0 to 1.
    pub score: f32,
}

/// A line of text found in a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct TextLine {
    /// Corners in pixels of the frame, clockwise from the text's top left.
    pub corners: [[f32; 2]; 4],
    /// What was read (NFKC); empty when nothing was.
    pub text: String,
    /// Mean confidence of the characters, 0 to 1; 0 when nothing was read.
    pub confidence: f32,
}

/// Why a frame could not be looked at. The caller quarantines the instance: no
/// frame passes that was not searched.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// ONNX Runtime is not there, too old or damaged.
    #[error("ONNX Runtime cannot be loaded: {detail}; run scripts/setup")]
    Runtime {
        /// The loader's words.
        detail: String,
    },
    /// ONNX Runtime would report to its maker: whoever starts this process must set
    /// the variable to 1.
    #[error("ONNX Runtime is not loaded while {variable} is not 1")]
    Telemetry {
        /// The environment variable.
        variable: &'static str,
    },
    /// A model file cannot be loaded or is not the model that was expected.
    #[error("model {model} cannot be used: {detail}; run scripts/setup")]
    Model {
        /// Its id in the manifest.
        model: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A model failed on a picture.
    #[error("model {model} failed")]
    Run {
        /// Its id in the manifest.
        model: &'static str,
        /// ONNX Runtime's words.
        source: ort::Error,
    },
    /// A model gave something else than it should.
    #[error("model {model} gave {what}")]
    Answer {
        /// Its id in the manifest.
        model: &'static str,
        /// What it gave.
        what: &'static str,
    },
    /// The view's sizes contradict each other.
    #[error("view of {width} x {height} x {samples} has {bytes} bytes")]
    View {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Samples per pixel.
        samples: u8,
        /// Bytes that it has.
        bytes: usize,
    },
    /// More places look like text than a real frame has.
    #[error("more than {limit} {what} in one frame")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl TextError {
    /// Runtime or models are missing or wrong: every frame fails until the
    /// installation is mended, whatever it shows.
    #[must_use]
    pub fn is_installation(&self) -> bool {
        match self {
            Self::Runtime { .. } | Self::Telemetry { .. } | Self::Model { .. } => true,
            Self::Run { .. } | Self::Answer { .. } | Self::View { .. } | Self::TooMuch { .. } => {
                false
            }
        }
    }
}
