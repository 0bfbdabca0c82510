//! What can be heard: speech in a waveform cannot be looked at, so that no
//! sound passes, whatever the SOP class calls it.

use super::{NESTING_MAX, holds, items};
use crate::dicom::{DataSet, Tag};

const MODALITY: Tag = Tag(0x0008, 0x0060);
const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const SAMPLING_FREQUENCY: Tag = Tag(0x003A, 0x001A);
const CHANNEL_DEFINITIONS: Tag = Tag(0x003A, 0x0200);
const CHANNEL_SOURCE: Tag = Tag(0x003A, 0x0208);
const WAVEFORM_SEQUENCE: Tag = Tag(0x5400, 0x0100);
const SAMPLE_INTERPRETATION: Tag = Tag(0x5400, 0x1006);

/// PS3.16 CID 3000: voice, narrative, room, Doppler audio, phonocardiogram,
/// physiological audio. A microphone hears more than what it is held to.
const AUDIO_SOURCES: [&str; 6] = ["109110", "109111", "109112", "109113", "109114", "109115"];
/// 8-bit µ-law and A-law: codings of telephony (PS3.3 §C.10.9).
const TELEPHONE_SAMPLES: [&str; 2] = ["MB", "AB"];
/// Samples a second from which on speech can be understood. Default 3,000 Hz:
/// an ECG has at most 1,000, a telephone 8,000.
const SPEECH_HZ_MIN: f64 = 3_000.0;
/// Cardiac electrophysiology and electromyogram: fast by nature (PS3.3 §A.34).
const FAST_CLASSES: [&str; 2] = ["1.2.840.10008.5.1.4.1.1.9.3.1", "1.2.840.10008.5.1.4.1.1.9.7.2"];
/// Recorded sound.
const AUDIO_MODALITY: &str = "AU";

/// Where sound was found, for a detail.
pub(super) fn found_in(set: &DataSet, class: &str) -> Option<&'static str> {
    if set.ascii(MODALITY) == Some(AUDIO_MODALITY) {
        return Some("(0008,0060): audio");
    }
    let Some(groups) = set.get(WAVEFORM_SEQUENCE) else {
        let nested = holds(set, WAVEFORM_SEQUENCE, NESTING_MAX);
        return nested.then_some("(5400,0100): a waveform in an item of a sequence");
    };
    let Some(groups) = items(groups) else {
        return Some("(5400,0100): waveforms that cannot be read");
    };
    groups.iter().find_map(|group| audio_in(group, class))
}

fn audio_in(group: &DataSet, class: &str) -> Option<&'static str> {
    let interpretation = group.ascii(SAMPLE_INTERPRETATION).unwrap_or_default();
    if TELEPHONE_SAMPLES.contains(&interpretation) {
        return Some("(5400,1006): coded as audio");
    }
    if channel_sources(group).iter().any(|code| AUDIO_SOURCES.contains(&code.as_str())) {
        return Some("(003A,0208): an audio channel");
    }
    let hertz = group.ascii(SAMPLING_FREQUENCY).and_then(|text| text.parse::<f64>().ok());
    // No frequency at all tells as little as a high one.
    let slow = hertz.is_some_and(|hertz| hertz < SPEECH_HZ_MIN);
    (!slow && !FAST_CLASSES.contains(&class)).then_some("(003A,001A): fast enough for speech")
}

fn channel_sources(group: &DataSet) -> Vec<String> {
    let below = |set: &DataSet, tag| set.get(tag).and_then(items).unwrap_or_default().into_owned();
    below(group, CHANNEL_DEFINITIONS)
        .iter()
        .flat_map(|channel| below(channel, CHANNEL_SOURCE))
        .filter_map(|code| code.ascii(CODE_VALUE).map(str::to_owned))
        .collect()
}
