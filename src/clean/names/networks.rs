//! The two networks and how their numbers become one: text in, for each
//! character the likelihood of each class out.

use ort::session::Session;
use ort::value::TensorRef;
use tokenizers::Tokenizer;

use super::CLASSES;
use super::rows::{self, Window};
use crate::clean::text::models::{NAMES_CHARACTERS, NAMES_ENCODER, NAMES_TOKENIZER};
use crate::clean::text::{NameFiles, TextError, session};

/// Share of the encoder in a score; the character network has the rest
/// (models/README.md).
const ENCODER_SHARE: f32 = 0.9;
/// Classes with "none" before them.
const ALL: usize = CLASSES.len() + 1;

/// The loaded networks.
pub(super) struct Networks {
    tokenizer: Tokenizer,
    encoder: Session,
    characters: Session,
}

impl Networks {
    pub(super) fn load(files: &NameFiles) -> Result<Self, TextError> {
        let mut tokenizer = Tokenizer::from_file(files.tokenizer()).map_err(|error| {
            TextError::Model { model: NAMES_TOKENIZER, detail: error.to_string() }
        })?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| TextError::Model {
            model: NAMES_TOKENIZER,
            detail: error.to_string(),
        })?;
        Ok(Self {
            tokenizer,
            encoder: session(files.runtime(), NAMES_ENCODER, files.encoder())?,
            characters: session(files.runtime(), NAMES_CHARACTERS, files.characters())?,
        })
    }

    /// Likelihoods of [`CLASSES`], for each character of the text.
    pub(super) fn scores(&mut self, text: &str) -> Result<Vec<[f32; CLASSES.len()]>, TextError> {
        let count = text.chars().count();
        let windows = rows::tokens(&self.tokenizer, text)
            .ok_or(TextError::Answer { model: NAMES_TOKENIZER, what: "no tokens" })?;
        let by_token = read(&mut self.encoder, NAMES_ENCODER, &windows, count)?;
        let windows = rows::characters(text);
        let by_character = read(&mut self.characters, NAMES_CHARACTERS, &windows, count)?;
        let joined = by_token.iter().zip(&by_character).map(|(token, character)| {
            std::array::from_fn(|class| {
                ENCODER_SHARE * token[class + 1] + (1.0 - ENCODER_SHARE) * character[class + 1]
            })
        });
        Ok(joined.collect())
    }
}

/// What one network says of each character. Where windows overlap, the one in
/// whose middle the character lies deeper counts; what no window says anything of
/// is "none".
fn read(
    session: &mut Session,
    model: &'static str,
    windows: &[Window],
    count: usize,
) -> Result<Vec<[f32; ALL]>, TextError> {
    let none = std::array::from_fn(|class| if class == 0 { 1.0 } else { 0.0 });
    let mut out = vec![none; count];
    let mut deepest = vec![None; count];
    for window in windows.iter().filter(|window| !window.first.is_empty()) {
        let failed = |source| TextError::Run { model, source };
        let places = window.first.len();
        let row = |ids| TensorRef::from_array_view(([1, places], ids)).map_err(failed);
        let inputs = ort::inputs![
            "first" => row(window.first.as_slice())?,
            "second" => row(window.second.as_slice())?,
        ];
        let outputs = session.run(inputs).map_err(failed)?;
        let (_, logits) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        if logits.len() != places * ALL || !logits.iter().all(|logit| logit.is_finite()) {
            return Err(TextError::Answer { model, what: "another shape, or no numbers" });
        }
        for (place, (range, logits)) in window.places.iter().zip(logits.chunks(ALL)).enumerate() {
            let depth = place.min(places - 1 - place);
            for at in range.clone() {
                let (Some(best), Some(said)) = (deepest.get_mut(at), out.get_mut(at)) else {
                    continue;
                };
                if best.is_none_or(|best| depth > best) {
                    (*best, *said) = (Some(depth), softmax(logits));
                }
            }
        }
    }
    Ok(out)
}

fn softmax(logits: &[f32]) -> [f32; ALL] {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: [f32; ALL] =
        std::array::from_fn(|class| logits.get(class).map_or(0.0, |logit| (logit - most).exp()));
    let sum: f32 = powers.iter().sum();
    powers.map(|power| power / sum)
}
