//! Device rules in whole instances.

use super::*;
use crate::config::TextPolicy;
use crate::config::{DeviceRules, device_file};

/// A rule for the instances of [`acme`], with these places.
fn rules(places: &str) -> DeviceRules {
    let text = format!(
        "[[rule]]\nid = 'acme'\nwhen = [\
         {{ attribute = 'Manufacturer', equals = 'ACME' }}, \
         {{ attribute = 'ManufacturerModelName', equals = 'ECHO' }}, \
         {{ attribute = 'Rows', equals = {HEIGHT} }}, \
         {{ attribute = 'Columns', equals = {WIDTH} }}]\n{places}\n"
    );
    DeviceRules::of(device_file::checked(&text).unwrap())
}

fn acme(frames: u32, pixels: Vec<u8>, places: &str) -> Instance {
    let header = Header { frames, ..header() };
    let mut instance = Instance::native(&header, pixels);
    instance.set.put(Element::bytes(tags::MANUFACTURER, VR::LO, "ACME"));
    instance.set.put(Element::bytes(tags::MANUFACTURER_MODEL_NAME, VR::LO, "ECHO"));
    instance.rules.devices = rules(places);
    instance
}

/// What cannot be read, at one place.
struct Blot([f32; 4]);

impl Looker for Blot {
    fn lines(&mut self, view: &View) -> Result<Vec<TextLine>, LookError> {
        let [x0, y0, x1, y1] = self.0;
        let (x, y) = (x0 as usize + 1, y0 as usize + 1);
        let is_gone = view.pixels[y * WIDTH + x] == 0;
        let corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
        let line = TextLine { corners, text: String::new(), confidence: 0.0 };
        Ok(if is_gone { vec![] } else { vec![line] })
    }
}

fn unread(_line: &TextLine) -> LineVerdict {
    LineVerdict { hide: true, reason: TextReason::Unreadable, spans: Vec::new() }
}

#[test]
fn what_a_rule_hides_is_painted_on_every_frame_and_named() {
    let pixels = vec![40; 3 * WIDTH * HEIGHT];
    let instance = acme(3, pixels, "hide = [[0, 0, 20, 4], [30, 20, 500, 500]]");
    let cleaned = instance.clean().unwrap();
    assert_eq!(cleaned.report.devices, ["acme"]);
    assert_eq!(cleaned.hidden(), [[0, 0, 20, 4], [30, 20, WIDTH as u32 - 30, HEIGHT as u32 - 20]]);
    assert!(cleaned.report.boxes.iter().all(|found| {
        found.reason == TextReason::DeviceRule && (found.first_frame, found.frames) == (0, 3)
    }));
    for frame in cleaned.fragments[0].chunks(WIDTH * HEIGHT) {
        for (at, value) in frame.iter().enumerate() {
            let inside = is_in([0, 0, 20, 4], at) || is_in([30, 20, WIDTH, HEIGHT], at);
            assert_eq!(*value == 0, inside, "{at}");
        }
    }
}

#[test]
fn the_picture_is_searched_besides() {
    let instance = acme(1, picture(&[40], &[255]), "hide = [[30, 20, 5, 5]]");
    let cleaned = instance.clean().unwrap();
    let reasons: Vec<TextReason> = cleaned.report.boxes.iter().map(|found| found.reason).collect();
    assert_eq!(reasons, [TextReason::Name, TextReason::DeviceRule]);
    assert!(cleaned.fragments[0].iter().all(|value| *value < 255));
}

#[test]
fn a_rule_that_hides_is_applied_whatever_the_project_leaves_out() {
    let class = "1.2.840.10008.5.1.4.1.1.2";
    let with = |places: &str, manufacturer: &str| {
        let mut instance = acme(1, vec![40; WIDTH * HEIGHT], places);
        instance.set.put(Element::bytes(tags::SOP_CLASS_UID, VR::UI, class));
        instance.set.put(Element::bytes(tags::MODALITY, VR::CS, "CT"));
        instance.set.put(Element::bytes(tags::MANUFACTURER, VR::LO, manufacturer));
        instance.rules.header_only = [class.to_owned()].into_iter().collect();
        instance.clean().unwrap().report
    };
    assert!(with("hide = [[0, 0, 5, 5]]", "ACME").screened);
    assert!(with("hide_outside = [[0, 0, 5, 5]]", "ACME").screened);
    assert!(!with("hide = [[0, 0, 5, 5]]", "EMCA").screened);
    assert!(!with("trust = [[0, 0, 5, 5]]", "ACME").screened);
}

#[test]
fn a_rule_can_hold_a_device() {
    let instance = acme(1, vec![40; WIDTH * HEIGHT], "quarantine = true");
    let error = instance.clean().err().unwrap();
    assert_eq!((error.reason, error.detail.as_str()), (Reason::DeviceRule, "device rule acme"));
}

#[test]
fn trust_keeps_what_cannot_be_read_and_nothing_that_was_read() {
    let grey = || vec![40; WIDTH * HEIGHT];
    let trust = "trust = [[0, 0, 18, 14]]";
    // With its margin of 3 pixels it lies inside.
    let inside = [4., 4., 14., 10.];
    let kept = acme(1, grey(), trust).clean_with(&mut Blot(inside), &unread).unwrap();
    assert!(kept.report.unchanged);
    assert_eq!(kept.report.boxes[0].reason, TextReason::DeviceTrusted);
    assert_eq!(kept.report.devices, ["acme"]);
    let beyond = [4., 4., 16., 10.];
    let hidden = acme(1, grey(), trust).clean_with(&mut Blot(beyond), &unread).unwrap();
    assert_eq!(hidden.report.boxes[0].reason, TextReason::Unreadable);
    assert!(hidden.report.boxes[0].hidden);
    for reason in [
        TextReason::KnownValue,
        TextReason::Date,
        TextReason::Name,
        TextReason::NotKnownClinical,
        TextReason::Policy,
    ] {
        let read = |_: &TextLine| LineVerdict { hide: true, reason, spans: Vec::new() };
        let cleaned = acme(1, grey(), trust).clean_with(&mut Blot(inside), &read).unwrap();
        assert!(cleaned.report.boxes[0].hidden, "{reason:?}");
    }
}

#[test]
fn a_project_that_hides_all_text_trusts_no_place() {
    let mut instance = acme(1, vec![40; WIDTH * HEIGHT], "trust = [[0, 0, 18, 14]]");
    instance.rules.text_policy = TextPolicy::HideAll;
    let cleaned = instance.clean_with(&mut Blot([4., 4., 14., 10.]), &unread).unwrap();
    assert!(cleaned.report.boxes[0].hidden);
}

#[test]
fn a_rule_says_where_the_scan_is_when_the_object_does_not() {
    let mut instance = acme(1, vec![90; WIDTH * HEIGHT], "hide_outside = [[4, 5, 20, 10]]");
    instance.rules.text_policy = TextPolicy::HideOutsideRegions;
    instance.set.put(Element::bytes(tags::MODALITY, VR::CS, "US"));
    let cleaned = instance.clean().unwrap();
    for (at, value) in cleaned.fragments[0].iter().enumerate() {
        assert_eq!(*value == 90, is_in([4, 5, 24, 15], at), "{at}");
    }
}
