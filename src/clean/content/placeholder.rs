//! Documents that stand in for removed ones: one for each MIME type, always
//! the same bytes, so that the second door can tell them from any other.
//!
//! Data only: what puts them in place is `clean::content`, what checks that
//! nothing else stands there is `clean::verify`.

use std::sync::LazyLock;

/// Document Title (0042,0010), and what the documents say.
pub(in crate::clean) const TITLE: &str = "Document removed at de-identification";

/// A document that says nothing of anybody.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::clean) struct Placeholder {
    /// SOP class whose documents it replaces.
    pub(in crate::clean) sop_class: &'static str,
    /// MIME Type of Encapsulated Document (0042,0012).
    pub(in crate::clean) mime_type: &'static str,
    /// HL7 Instance Identifier (0040,E001) of a clinical document.
    pub(in crate::clean) hl7_identifier: Option<&'static str>,
    /// The document; an even number of bytes, so that it is not padded.
    pub(in crate::clean) bytes: Vec<u8>,
}

/// The placeholder for documents of a SOP class.
pub(in crate::clean) fn of_class(sop_class: &str) -> Option<&'static Placeholder> {
    PLACEHOLDERS.iter().find(|placeholder| placeholder.sop_class == sop_class)
}

static PLACEHOLDERS: LazyLock<[Placeholder; 5]> = LazyLock::new(|| {
    let of = |sop_class, mime_type, bytes| Placeholder {
        sop_class,
        mime_type,
        hl7_identifier: None,
        bytes: even(bytes),
    };
    let text = |text: &str| text.as_bytes().to_vec();
    [
        of("1.2.840.10008.5.1.4.1.1.104.1", "application/pdf", pdf()),
        Placeholder {
            hl7_identifier: Some("2.25.302043790172249692526321623266752743501^removed"),
            ..of("1.2.840.10008.5.1.4.1.1.104.2", "text/XML", text(CDA))
        },
        of("1.2.840.10008.5.1.4.1.1.104.3", "model/stl", stl()),
        of("1.2.840.10008.5.1.4.1.1.104.4", "model/obj", text(OBJ)),
        of("1.2.840.10008.5.1.4.1.1.104.5", "model/mtl", text(MTL)),
    ]
});

/// A line feed more where the length is odd: white space in all text forms.
fn even(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() % 2 == 1 {
        bytes.push(b'\n');
    }
    bytes
}

/// One A4 page (ISO 32000-1): the cross-reference table tells the place of each
/// object, so that readers need not mend it.
fn pdf() -> Vec<u8> {
    let stream = format!("BT /F1 16 Tf 72 720 Td ({TITLE}.) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = "0000000000 65535 f \n".to_owned();
    for (at, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let count = objects.len() + 1;
    let start = file.len();
    file.push_str(&format!(
        "xref\n0 {count}\n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    ));
    file.into_bytes()
}

/// HL7 CDA Release 2: what its schema asks for; MSK says "masked".
const CDA: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <id root="2.25.302043790172249692526321623266752743501" extension="removed"/>
  <code nullFlavor="MSK"/>
  <title>Document removed at de-identification</title>
  <effectiveTime nullFlavor="MSK"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <recordTarget>
    <patientRole>
      <id nullFlavor="MSK"/>
    </patientRole>
  </recordTarget>
  <author>
    <time nullFlavor="MSK"/>
    <assignedAuthor>
      <id nullFlavor="MSK"/>
    </assignedAuthor>
  </author>
  <custodian>
    <assignedCustodian>
      <representedCustodianOrganization>
        <id nullFlavor="MSK"/>
      </representedCustodianOrganization>
    </assignedCustodian>
  </custodian>
  <component>
    <nonXMLBody>
      <text>Document removed at de-identification</text>
    </nonXMLBody>
  </component>
</ClinicalDocument>
"#;

/// Corners of a tetrahedron, in the unit of the model.
const CORNERS: [[f32; 3]; 4] = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
/// Its sides, each with corners in the order that points outwards.
const SIDES: [[usize; 3]; 4] = [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]];

/// Binary STL: 80 bytes of text, number of triangles, 50 bytes each.
fn stl() -> Vec<u8> {
    let mut file = format!("{TITLE:<80}").into_bytes();
    file.extend(4_u32.to_le_bytes());
    for side in SIDES {
        // No normal: readers take it from the corners.
        let corners = side.iter().filter_map(|corner| CORNERS.get(*corner));
        for number in [&[0.0; 3]].into_iter().chain(corners).flatten() {
            file.extend(number.to_le_bytes());
        }
        file.extend([0, 0]);
    }
    file
}

const OBJ: &str = "# Document removed at de-identification\n\
    v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n\
    f 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n";

const MTL: &str = "# Document removed at de-identification\nnewmtl removed\nKd 0.5 0.5 0.5\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_even_and_says_what_it_is() {
        for placeholder in PLACEHOLDERS.iter() {
            assert!(placeholder.bytes.len() % 2 == 0, "{}", placeholder.mime_type);
        }
        let bytes = |class: &str| {
            of_class(&format!("1.2.840.10008.5.1.4.1.1.104.{class}")).unwrap().bytes.as_slice()
        };
        assert!(bytes("1").starts_with(b"%PDF-1.4\n"));
        assert!(bytes("2").starts_with(b"<?xml"));
        assert_eq!(bytes("3").len(), 80 + 4 + 4 * 50);
        assert_eq!(of_class("1.2.840.10008.5.1.4.1.1.104.6"), None);
    }

    #[test]
    fn the_page_has_its_objects_where_the_table_says() {
        let file = String::from_utf8(pdf()).unwrap();
        let from = |place: usize| file.get(place..).unwrap();
        let number = |text: &str| text.trim().parse::<usize>().unwrap();
        let start = number(file.split("startxref").nth(1).unwrap().lines().nth(1).unwrap());
        assert!(from(start).starts_with("xref\n0 6\n"));
        for (at, row) in from(start).lines().skip(3).take(5).enumerate() {
            let place = number(row.get(..10).unwrap());
            assert!(from(place).starts_with(&format!("{} 0 obj\n", at + 1)), "{row}");
            assert_eq!(row.len() + 1, 20, "a row has 20 bytes");
        }
    }
}
