//! Where in a header a value can be hidden.

use airlock::dicom::{DataSet, Element, Tag, VR, Value};

/// What fits into a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Text that a person may have typed.
    Text,
    /// Terms, codes, machine-made text.
    Term,
    /// Any bytes.
    Bytes,
    /// Digits and points.
    Number,
    /// Digits as a component.
    Uid,
}

/// One place.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) holds: Holds,
    pub(crate) put: fn(&mut DataSet, &[u8]),
}

fn leaf(set: &mut DataSet, group: u16, element: u16, vr: VR, bytes: &[u8]) {
    set.put(Element::bytes(Tag(group, element), vr, bytes));
}

fn sequence(tag: Tag, item: DataSet) -> Element {
    Element { tag, vr: VR::SQ, value: Value::Items(vec![DataSet::new(), item]) }
}

fn comment(bytes: &[u8]) -> DataSet {
    DataSet::from_iter([Element::bytes(Tag(0x0020, 0x4000), VR::LT, bytes)])
}

/// A whole number of `width` bytes, with something before and behind the value.
fn table(bytes: &[u8], width: usize) -> Vec<u8> {
    let mut table = [&[1, 0, 2, 0, 0xFF, 0, 9, 0], bytes].concat();
    table.resize(table.len().next_multiple_of(width), 0);
    table.extend([3; 8]);
    table
}

/// Items as an implicit VR sequence, in a value of VR UN.
fn unknown_items(bytes: &[u8], undefined: bool) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let mut value = bytes.to_vec();
    value.resize(bytes.len().next_multiple_of(2), b' ');
    let element = [&[0x20, 0, 0, 0x40][..], &length(&value), &value].concat();
    if undefined {
        let head = [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
        [&head[..], &element, &[0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0]].concat()
    } else {
        [&[0xFE, 0xFF, 0x00, 0xE0][..], &length(&element), &element].concat()
    }
}

fn code(set: &mut DataSet, value: &[u8], meaning: &[u8]) {
    let item = DataSet::from_iter([
        Element::bytes(Tag(0x0008, 0x0100), VR::SH, value),
        Element::bytes(Tag(0x0008, 0x0102), VR::SH, "DCM"),
        Element::bytes(Tag(0x0008, 0x0104), VR::LO, meaning),
    ]);
    let sequence =
        Element { tag: Tag(0x0008, 0x2218), vr: VR::SQ, value: Value::Items(vec![item]) };
    set.put(sequence);
}

fn safe_private(set: &mut DataSet, block: u16, bytes: &[u8]) {
    leaf(set, 0x2001, block, VR::LO, b"Philips Imaging DD 001");
    // Scanning technique, in Table E.3.10-1.
    leaf(set, 0x2001, block << 8 | 0x20, VR::LO, bytes);
}

fn uid(bytes: &[u8]) -> Vec<u8> {
    [b"1.2.752.99.", bytes, b".4"].concat()
}

use Holds::{Bytes, Number, Term, Text, Uid};

/// All places; each has a tag that profiles keep or a reason why it might be kept.
pub(crate) const PLACES: &[Place] = &[
    Place { name: "LO", holds: Text, put: |s, b| leaf(s, 0x0008, 0x103E, VR::LO, b) },
    Place {
        name: "LO, second value",
        holds: Text,
        put: |s, b| {
            leaf(s, 0x0018, 0x1030, VR::LO, &[b"AXIAL\\", b].concat());
        },
    },
    Place { name: "SH", holds: Text, put: |s, b| leaf(s, 0x0018, 0x9005, VR::SH, b) },
    Place {
        name: "LT",
        holds: Text,
        put: |s, b| {
            leaf(s, 0x0020, 0x4000, VR::LT, &[b"left knee, ", b, b"; no contrast"].concat());
        },
    },
    Place { name: "ST", holds: Text, put: |s, b| leaf(s, 0x0008, 0x2111, VR::ST, b) },
    Place { name: "UT", holds: Text, put: |s, b| leaf(s, 0x0040, 0xA160, VR::UT, b) },
    Place { name: "UC", holds: Text, put: |s, b| leaf(s, 0x0018, 0x9908, VR::UC, b) },
    Place { name: "UR", holds: Text, put: |s, b| leaf(s, 0x0008, 0x1190, VR::UR, b) },
    Place { name: "AE", holds: Text, put: |s, b| leaf(s, 0x0008, 0x0055, VR::AE, b) },
    Place { name: "PN", holds: Text, put: |s, b| leaf(s, 0x0008, 0x1060, VR::PN, b) },
    Place { name: "DA", holds: Text, put: |s, b| leaf(s, 0x0008, 0x0022, VR::DA, b) },
    Place { name: "DT", holds: Text, put: |s, b| leaf(s, 0x0008, 0x002A, VR::DT, b) },
    Place { name: "TM", holds: Text, put: |s, b| leaf(s, 0x0008, 0x0031, VR::TM, b) },
    Place { name: "AS", holds: Text, put: |s, b| leaf(s, 0x0010, 0x1010, VR::AS, b) },
    Place { name: "DS as text", holds: Text, put: |s, b| leaf(s, 0x0018, 0x0050, VR::DS, b) },
    Place { name: "UI as text", holds: Text, put: |s, b| leaf(s, 0x0020, 0x0052, VR::UI, b) },
    Place { name: "DS", holds: Number, put: |s, b| leaf(s, 0x0018, 0x0080, VR::DS, b) },
    Place { name: "IS", holds: Number, put: |s, b| leaf(s, 0x0020, 0x0011, VR::IS, b) },
    Place { name: "UI", holds: Uid, put: |s, b| leaf(s, 0x0020, 0x0052, VR::UI, &uid(b)) },
    Place {
        name: "UI of a kind",
        holds: Uid,
        put: |s, b| leaf(s, 0x0008, 0x010C, VR::UI, &uid(b)),
    },
    Place { name: "CS", holds: Term, put: |s, b| leaf(s, 0x0018, 0x0015, VR::CS, b) },
    Place {
        name: "CS, third value",
        holds: Term,
        put: |s, b| {
            leaf(s, 0x0008, 0x0008, VR::CS, &[b"ORIGINAL\\PRIMARY\\", b].concat());
        },
    },
    Place {
        name: "charset",
        holds: Term,
        put: |s, b| {
            let set = s.get(Tag(0x0008, 0x0005)).and_then(Element::as_bytes).unwrap_or(b"ISO_IR 6");
            let value = [set, b"\\", b].concat();
            leaf(s, 0x0008, 0x0005, VR::CS, &value);
        },
    },
    Place { name: "maker", holds: Term, put: |s, b| leaf(s, 0x0008, 0x0070, VR::LO, b) },
    Place {
        name: "software",
        holds: Term,
        put: |s, b| {
            leaf(s, 0x0018, 0x1020, VR::LO, &[b"syngo ", b].concat());
        },
    },
    Place { name: "code value", holds: Term, put: |s, b| code(s, b, b"Chest") },
    Place { name: "code meaning", holds: Term, put: |s, b| code(s, b"T-D3000", b) },
    Place {
        name: "depth 1",
        holds: Text,
        put: |s, b| {
            s.put(sequence(Tag(0x0008, 0x1140), comment(b)));
        },
    },
    Place {
        name: "depth 3",
        holds: Text,
        put: |s, b| {
            let two = DataSet::from_iter([sequence(Tag(0x0008, 0x1140), comment(b))]);
            let one = DataSet::from_iter([sequence(Tag(0x0008, 0x2112), two)]);
            s.put(sequence(Tag(0x5200, 0x9229), one));
        },
    },
    Place {
        name: "item with own charset",
        holds: Text,
        put: |s, b| {
            let mut item = comment(&[b, &b" ~"[..]].concat());
            leaf(&mut item, 0x0008, 0x0005, VR::CS, b"ISO_IR 144");
            s.put(sequence(Tag(0x0008, 0x1140), item));
        },
    },
    Place { name: "UN", holds: Bytes, put: |s, b| leaf(s, 0x0018, 0x9999, VR::UN, b) },
    Place { name: "UN of a text", holds: Text, put: |s, b| leaf(s, 0x0008, 0x103E, VR::UN, b) },
    Place {
        name: "UN items, defined",
        holds: Text,
        put: |s, b| {
            leaf(s, 0x0008, 0x1140, VR::UN, &unknown_items(b, false));
        },
    },
    Place {
        name: "UN items, undefined",
        holds: Text,
        put: |s, b| {
            leaf(s, 0x0008, 0x1140, VR::UN, &unknown_items(b, true));
        },
    },
    Place { name: "private safe", holds: Text, put: |s, b| safe_private(s, 0x0010, b) },
    Place { name: "private safe, block 3", holds: Text, put: |s, b| safe_private(s, 0x0012, b) },
    Place {
        name: "private unknown",
        holds: Bytes,
        put: |s, b| {
            leaf(s, 0x0009, 0x0010, VR::LO, b"ACME 1.0");
            leaf(s, 0x0009, 0x1001, VR::UN, b);
        },
    },
    Place {
        name: "private SQ",
        holds: Text,
        put: |s, b| {
            leaf(s, 0x0009, 0x0011, VR::LO, b"ACME 1.0");
            s.put(sequence(Tag(0x0009, 0x1102), comment(b)));
        },
    },
    Place {
        name: "private creator",
        holds: Text,
        put: |s, b| {
            leaf(s, 0x2001, 0x0010, VR::LO, b);
            leaf(s, 0x2001, 0x1020, VR::LO, b"SE");
        },
    },
    Place { name: "OB", holds: Bytes, put: |s, b| leaf(s, 0x0028, 0x2000, VR::OB, &table(b, 2)) },
    Place { name: "OW", holds: Bytes, put: |s, b| leaf(s, 0x0028, 0x1201, VR::OW, &table(b, 2)) },
    Place {
        name: "OW of 8 KiB",
        holds: Bytes,
        put: |s, b| {
            let noise: Vec<u8> =
                (0..4096_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
            leaf(s, 0x0028, 0x1202, VR::OW, &[&noise, &table(b, 2)[..], &noise].concat());
        },
    },
    Place { name: "OF", holds: Bytes, put: |s, b| leaf(s, 0x0066, 0x0016, VR::OF, &table(b, 4)) },
    Place { name: "OD", holds: Bytes, put: |s, b| leaf(s, 0x0066, 0x0022, VR::OD, &table(b, 8)) },
    Place { name: "OL", holds: Bytes, put: |s, b| leaf(s, 0x0066, 0x0040, VR::OL, &table(b, 4)) },
    Place { name: "US", holds: Bytes, put: |s, b| leaf(s, 0x0028, 0x3006, VR::US, &table(b, 2)) },
    Place { name: "SS", holds: Bytes, put: |s, b| leaf(s, 0x0028, 0x0120, VR::SS, &table(b, 2)) },
    Place { name: "UL", holds: Bytes, put: |s, b| leaf(s, 0x0008, 0x1160, VR::UL, &table(b, 4)) },
    Place { name: "FL", holds: Bytes, put: |s, b| leaf(s, 0x0018, 0x9074, VR::FL, &table(b, 4)) },
    Place { name: "FD", holds: Bytes, put: |s, b| leaf(s, 0x0018, 0x9073, VR::FD, &table(b, 8)) },
    Place { name: "AT", holds: Bytes, put: |s, b| leaf(s, 0x0028, 0x0009, VR::AT, &table(b, 4)) },
    Place {
        name: "waveform",
        holds: Bytes,
        put: |s, b| {
            let item =
                DataSet::from_iter([Element::bytes(Tag(0x5400, 0x1010), VR::OW, table(b, 2))]);
            s.put(sequence(Tag(0x5400, 0x0100), item));
        },
    },
];
