//! An invented person, and how others write what identifies them.

use airlock::dicom::{DataSet, Element, Tag, VR};
use encoding_rs::{BIG5, EUC_KR, Encoding, GB18030, SHIFT_JIS, UTF_8, WINDOWS_1252};

/// A person and the coding of their data set.
pub(crate) struct Person {
    pub(crate) script: &'static str,
    pub(crate) charset: &'static str,
    pub(crate) names: &'static str,
    /// How else the name is written.
    pub(crate) spellings: &'static [&'static str],
    /// Codings in which the name can stand in bytes.
    pub(crate) codings: &'static [&'static Encoding],
}

pub(crate) const PEOPLE: &[Person] = &[
    Person {
        script: "ASCII",
        charset: "ISO_IR 100",
        names: "Winterbottom^Josephine",
        spellings: &[
            "Winterbottom^Josephine",
            "Josephine Winterbottom",
            "WINTERBOTTOM, JOSEPHINE",
            "winterbottom",
            "WinterbottomJosephine",
            "J. Winterbottom",
            "W i n t e r b o t t o m",
            "Winter-Bottom",
            "CTWinterbottom2",
            "Josephine",
        ],
        codings: &[UTF_8],
    },
    Person {
        script: "Latin",
        charset: "ISO_IR 100",
        names: "M\u{fc}ller-L\u{fc}denscheidt^J\u{f6}rg",
        spellings: &[
            "M\u{fc}ller-L\u{fc}denscheidt^J\u{f6}rg",
            "MUELLER LUEDENSCHEIDT",
            "Muller",
            "J\u{d6}RG M\u{dc}LLER",
            "Luedenscheidt, Joerg",
            "Jorg",
        ],
        codings: &[WINDOWS_1252, UTF_8],
    },
    Person {
        script: "Japanese",
        charset: "\\ISO 2022 IR 87",
        names: "Yamadori^Tarou=\u{5c71}\u{7530}^\u{592a}\u{90ce}=\u{3084}\u{307e}\u{3060}^\u{305f}\u{308d}\u{3046}",
        spellings: &[
            "\u{5c71}\u{7530}\u{592a}\u{90ce}",
            "\u{5c71}\u{7530} \u{592a}\u{90ce} \u{69d8}",
            "\u{60a3}\u{8005}\u{5c71}\u{7530}\u{69d8}",
            "\u{30e4}\u{30de}\u{30c0} \u{30bf}\u{30ed}\u{30a6}",
            "YAMADORI TAROU",
        ],
        codings: &[UTF_8, SHIFT_JIS],
    },
    Person {
        script: "Korean",
        charset: "\\ISO 2022 IR 149",
        names: "Kimchung^Huijung=\u{91d1}^\u{559c}\u{4e2d}=\u{ae40}^\u{d76c}\u{c911}",
        spellings: &[
            "\u{ae40}\u{d76c}\u{c911}",
            "\u{ae40} \u{d76c}\u{c911} \u{b2d8}",
            "Huijung Kimchung",
        ],
        codings: &[UTF_8, EUC_KR],
    },
    Person {
        // The second bytes of some of these letters in GB18030 are backslashes.
        script: "Chinese",
        charset: "GB18030",
        names: "Wangxiao^Dongming=\u{4e57}\u{4e82}^\u{5c0f}\u{6771}",
        spellings: &[
            "\u{4e57}\u{4e82}\u{5c0f}\u{6771}",
            "\u{4e57}\u{4e82} \u{5c0f}\u{6771}",
            "WANGXIAO",
        ],
        codings: &[UTF_8, GB18030, BIG5],
    },
    Person {
        script: "Cyrillic",
        charset: "ISO_IR 144",
        names: "\u{41b}\u{44e}\u{43a}\u{441}\u{435}\u{43c}\u{431}\u{443}\u{440}\u{433}^\u{42f}\u{43d}\u{43a}\u{430}",
        spellings: &[
            "\u{43b}\u{44e}\u{43a}\u{441}\u{435}\u{43c}\u{431}\u{443}\u{440}\u{433}",
            "\u{42f}\u{41d}\u{41a}\u{410} \u{41b}\u{42e}\u{41a}\u{421}\u{415}\u{41c}\u{411}\u{423}\u{420}\u{413}",
        ],
        codings: &[UTF_8],
    },
    // What a reader takes for the name and a program does not.
    Person {
        script: "Disguised",
        charset: "ISO_IR 192",
        names: "Winterbottom^Josephine",
        spellings: &[
            "Winter\u{ad}bottom",
            "W\u{200b}interbottom",
            "Win\u{feff}ter\u{200d}bot\u{2060}tom",
            "\u{202a}Winterbottom\u{202c}",
            "seen\u{200b}by\u{200b}Winterbottom",
            "W\u{456}nterb\u{43e}ttom",
            "W\u{3b9}nterbott\u{3bf}m, J\u{43e}sephine",
            "JOS\u{415}PHIN\u{395}",
            "\u{ff37}\u{ff29}\u{ff2e}\u{ff34}\u{ff25}\u{ff32}\u{ff22}\u{ff2f}\u{ff34}\u{ff34}\u{ff2f}\u{ff2d}",
            "Wi\u{301}nterbotto\u{308}m",
            "\u{1d416}\u{1d422}nterbottom",
            "\u{24cc}interbottom",
            "Win\u{34f}terbottom",
        ],
        codings: &[UTF_8],
    },
    Person {
        script: "Disguised short",
        charset: "ISO_IR 192",
        names: "Copeh^Tomas",
        spellings: &[
            "C\u{ad}opeh",
            "Co\u{200c}peh",
            "\u{421}opeh",
            // All Cyrillic.
            "\u{421}\u{41e}\u{420}\u{415}\u{41d}",
            "T\u{43e}m\u{430}s",
            "Tom\u{ad}as Copeh",
        ],
        codings: &[UTF_8],
    },
    Person {
        script: "Disguised in the header",
        charset: "ISO_IR 192",
        names: "W\u{456}nter\u{ad}bottom^Josephine",
        spellings: &["Winterbottom", "WINTERBOTTOM", "W\u{456}nter\u{ad}bottom"],
        codings: &[UTF_8],
    },
];

/// Other values of every person here, with how they are written in text, and in
/// places for terms only those that are more than a word.
pub(crate) const OTHERS: &[(&str, &[&str])] = &[
    (
        "ID",
        &[
            "PZ-4471903",
            "PZ4471903",
            "pz 447 19 03",
            "4471903",
            "MRN4471903",
            "X00PZ4471903/7",
            "447-19-03",
            "\u{ff14}\u{ff14}\u{ff17}\u{ff11}\u{ff19}\u{ff10}\u{ff13}",
        ],
    ),
    ("accession", &["A20931188", "a 2093 1188", "20931188", "ACC20931188"]),
    (
        "birth date",
        &[
            "19611005",
            "1961-10-05",
            "05.10.1961",
            "10/05/1961",
            "5.10.1961",
            "5 Oct 1961",
            "05OCT1961",
            "October 5th, 1961",
            "5. Oktober 1961",
            "5 de octubre de 1961",
            "05101961",
            "19611005101500",
            "1961-10-05T10:15",
            "051061-1234",
            "5-OCT-61",
            "1961\u{5e74}10\u{6708}5\u{65e5}",
        ],
    ),
    ("study date", &["20240131", "2024-01-31", "31.01.24", "January 31, 2024", "31 janvier 2024"]),
    ("phone", &["+49 89 5550-1234", "0895550 1234", "089/55501234", "0049 (89) 5550 1234"]),
    (
        "address",
        &[
            "12 Foxglove Crescent, Tiddlington",
            "FOXGLOVE CRESCENT 12",
            "12 Foxglove Crescent",
            "Tiddlington",
        ],
    ),
    (
        "institution",
        &[
            "Seaside Infirmary of Ottermouth",
            "SEASIDE INFIRMARY OF OTTERMOUTH",
            "seaside-infirmary of ottermouth",
        ],
    ),
    ("physician", &["Quillfeather^Marta", "Dr. Quillfeather", "MARTA QUILLFEATHER"]),
    ("mail", &["jo.winter@mail.example.org", "JO.WINTER@MAIL.EXAMPLE.ORG"]),
];

/// Digits alone that identify.
pub(crate) const NUMBERS: &[&str] = &["4471903", "19611005", "20931188"];

/// The data set of a person, without anything hidden.
pub(crate) fn data_set(person: &Person) -> DataSet {
    let names = encoded(person, person.names).unwrap();
    let text = |group, element, vr, value: &str| Element::bytes(Tag(group, element), vr, value);
    DataSet::from_iter([
        text(0x0008, 0x0005, VR::CS, person.charset),
        text(0x0008, 0x0008, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL"),
        text(0x0008, 0x0016, VR::UI, "1.2.840.10008.5.1.4.1.1.2"),
        text(0x0008, 0x0018, VR::UI, "1.2.752.99.17.2024.31.1"),
        text(0x0008, 0x0020, VR::DA, "20240131"),
        text(0x0008, 0x0050, VR::SH, "A20931188"),
        text(0x0008, 0x0080, VR::LO, "Seaside Infirmary of Ottermouth"),
        text(0x0008, 0x0090, VR::PN, "Quillfeather^Marta"),
        text(0x0008, 0x1010, VR::SH, "OTTERCT04"),
        Element::bytes(Tag(0x0010, 0x0010), VR::PN, names),
        text(0x0010, 0x0020, VR::LO, "PZ-4471903"),
        text(0x0010, 0x0030, VR::DA, "19611005"),
        text(0x0010, 0x1040, VR::LO, "12 Foxglove Crescent, Tiddlington"),
        text(0x0010, 0x2154, VR::SH, "+49 (89) 5550 1234"),
        text(0x0010, 0x2155, VR::LT, "jo.winter@mail.example.org"),
        text(0x0020, 0x000D, VR::UI, "1.2.752.99.17.2024.31.2"),
        text(0x0020, 0x000E, VR::UI, "1.2.752.99.17.2024.31.3"),
    ])
}

/// Text in the coding of the person's data set.
pub(crate) fn encoded(person: &Person, text: &str) -> Option<Vec<u8>> {
    airlock::dicom::charset::Charset::from_specific(person.charset.as_bytes()).encode(text)
}
