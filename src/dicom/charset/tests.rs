//! The examples of the standard, and what senders make of it.

use super::*;
use crate::dicom::Element;

/// Character set, bytes, text: the examples of PS3.5 Annexes H, I, J, K, and
/// one word for each single-byte set.
fn examples() -> Vec<(&'static [u8], &'static [u8], &'static str)> {
    vec![
        // H.3.1
        (
            b"\\ISO 2022 IR 87",
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
        ),
        // H.3.2
        (
            b"ISO 2022 IR 13\\ISO 2022 IR 87",
            b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
            "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
        ),
        // I.2
        (
            b"\\ISO 2022 IR 149",
            b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
            "Hong^Gildong=洪^吉洞=홍^길동",
        ),
        // K.2
        (
            b"\\ISO 2022 IR 58",
            b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
            "Zhang^XiaoDong=张^小东=",
        ),
        // J.1, J.3
        (b"ISO_IR 192", b"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe4\xb8\x9c=", "Wang^XiaoDong=王^小东="),
        (b"GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="),
        (b"GBK", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="),
        (b"ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
        (b"ISO_IR 101", b"\xa3ukasz", "Łukasz"),
        (b"ISO_IR 109", b"\xddorna", "Ŭorna"),
        (b"ISO_IR 110", b"\xd1akovs", "Ņakovs"),
        (b"ISO_IR 144", b"\xbb\xee\xda\x63e\xdc\xd1\xe3\xe0\xd3", "Люкceмбург"),
        (b"ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea", "قباني"),
        (b"ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
        (b"ISO_IR 138", b"\xf9\xf8\xe5\xef", "שרון"),
        (b"ISO_IR 148", b"\xddzmir", "İzmir"),
        (b"ISO_IR 166", b"\xa1\xa2", "กข"),
        (b"ISO_IR 203", b"10 \xa4", "10 €"),
        (b"ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
        // Two extensions, and Greek as the first set.
        (b"ISO 2022 IR 126\\ISO 2022 IR 144", b"\xc4\xe9 \x1b-L\xbb\xee", "Δι Лю"),
    ]
}

#[test]
fn examples_of_the_standard_are_decoded_and_encoded() {
    for (specific, bytes, text) in examples() {
        let charset = Charset::from_specific(specific);
        let decoded = charset.decode(bytes, VR::PN);
        let expected = Decoded { text: text.into(), lossy: false };
        assert_eq!(decoded, expected, "{}", String::from_utf8_lossy(specific));
        assert_eq!(charset.encode(text).as_deref(), Some(bytes), "{text}");
    }
}

#[test]
fn jis_x_0212_is_read() {
    let charset = Charset::from_specific(b"\\ISO 2022 IR 87\\ISO 2022 IR 159");
    let decoded = charset.decode(b"\x1b$(D0!\x1b(B", VR::LO);
    assert_eq!(decoded, Decoded { text: "丂".into(), lossy: false });
}

#[test]
fn a_backslash_in_a_character_does_not_split_it() {
    for specific in [b"GB18030".as_slice(), b"GBK"] {
        let decoded = Charset::from_specific(specific).decode(b"A\x8b\\B\\C ", VR::LO);
        assert_eq!(decoded.values().collect::<Vec<_>>(), ["A媆B", "C"]);
    }
    let japanese = Charset::from_specific(b"\\ISO 2022 IR 87");
    let decoded = japanese.decode(b"\x1b$B$\\\x1b(B\\two", VR::LO);
    assert_eq!(decoded.values().collect::<Vec<_>>(), ["ぼ", "two"]);
}

#[test]
fn delimiters_bring_back_the_first_set() {
    let korean = Charset::from_specific(b"ISO 2022 IR 100\\ISO 2022 IR 149");
    let bytes = b"\x1b$)C\xb1\xe6^\xe9\\\x1b$)C\xb1\xe6\\\xe9\r\n\xe9";
    assert_eq!(korean.decode(bytes, VR::PN).text, "길^é\\길\\é\r\né");
    // In LO a caret is a character and changes nothing.
    assert!(korean.decode(b"\x1b$)C\xb1\xe6^\xb1\xe6", VR::LO).text.ends_with("^길"));
}

#[test]
fn bytes_outside_the_stated_set_are_guessed_and_said_to_be() {
    let cases: [(&[u8], &[u8], &str); 6] = [
        (b"", b"M\xfcller", "Müller"),
        (b"", b"M\xc3\xbcller", "Müller"),
        (b"ISO_IR 999", b"M\xfcller", "Müller"),
        (b"ISO_IR 192", b"M\xfcller", "Müller"),
        (b"ISO_IR 138", b"\xf9\xff", "ש\u{FFFD}"),
        (b"ISO 2022 IR 100", b"A\x1b%GB", "A%GB"),
    ];
    for (specific, bytes, text) in cases {
        let decoded = Charset::from_specific(specific).decode(bytes, VR::LO);
        assert_eq!(decoded, Decoded { text: text.into(), lossy: true }, "{text}");
    }
    let code = Charset::from_specific(b"ISO_IR 100").decode(b"CT\xe9", VR::CS);
    assert!(code.lossy, "CS is ASCII whatever the character set");
}

#[test]
fn usual_misspellings_are_understood() {
    for specific in [b"ISO_IR 100 ".as_slice(), b"ISO-IR 100", b"ISO IR 100", b"iso_ir_100"] {
        assert_eq!(Charset::from_specific(specific), Charset::from_specific(b"ISO_IR 100"));
    }
    // Korean without its escape sequence, declared as the only extension.
    let korean = Charset::from_specific(b"\\ISO 2022 IR 149");
    assert_eq!(korean.decode(b"\xb1\xe6\xb5\xbf", VR::PN).text, "길동");
}

#[test]
fn what_is_in_no_set_is_not_encoded() {
    assert_eq!(Charset::default().encode("é"), None);
    assert_eq!(Charset::from_specific(b"ISO_IR 100").encode("王"), None);
    assert_eq!(Charset::from_specific(b"\\ISO 2022 IR 87").encode("길"), None);
    assert_eq!(Charset::default().encode("plain").as_deref(), Some(b"plain".as_slice()));
}

#[test]
fn behind_a_backslash_of_text_the_set_is_said_again() {
    let charset = Charset::from_specific(b"ISO 2022 IR 144\\ISO 2022 IR 126");
    for text in ["ι\\Лю", "Лю ι^Лю\\ι", "ι\r\nЛю", "Лю\\Лю"] {
        let encoded = charset.encode(text).unwrap();
        for vr in [VR::LT, VR::LO, VR::PN] {
            assert_eq!(charset.decode(&encoded, vr).text, text, "{vr}");
        }
    }
}

#[test]
fn an_item_has_its_own_set_or_that_of_its_parent() {
    let item =
        |value: &[u8]| DataSet::from_iter([Element::bytes(SPECIFIC_CHARACTER_SET, VR::CS, value)]);
    let parent = Charset::of(&item(b"ISO_IR 100"));
    let inside = parent.for_item(&item(b"ISO_IR 144"));
    assert_eq!(inside.decode(b"\xbb\xee", VR::LO).text, "Лю");
    let inherited = parent.for_item(&DataSet::new());
    assert_eq!(inherited.decode(b"\xe9", VR::LO).text, "é");
}

#[test]
fn names_fall_into_groups_and_components() {
    let groups: Vec<Vec<&str>> = name_groups("Doe^Jane ^^Dr.=王^小东 ")
        .map(|group| name_components(group).collect())
        .collect();
    assert_eq!(groups, [vec!["Doe", "Jane", "", "Dr."], vec!["王", "小东"]]);
}
