use proptest::prelude::*;

use super::*;
use crate::config::device_file;
use crate::config::devices::Condition;

/// An invented script: odd spacing, comments, CRLF, nested parentheses.
const SCRIPT: &str = "Rules of an invented site\r\n\r\n\
    Acme Echo\r\n\
    {[0008,0070].containsIgnoreCase(\"ACME\")*\r\n\
      ( Rows . equals( \"600\" ) + [0028,0010].equals(\"768\") ) // two sizes\r\n\
      * !ImageType.contains(\"Derived\") }\r\n\
    (0,0,800,48)( 700 , 590,200 ,10 )\r\n\
    \r\nEmca\r\n\
    { ManufacturerModelName.matches(\"EMCA.*|X\\\\+\") * !StationName.equals(\"\") }\n\
    (0,0,512,110)\n";

fn condition(text: &str) -> Condition {
    let toml = format!("[[rule]]\nid = 'x'\nquarantine = true\nwhen = [{{ {text} }}]");
    device_file::checked(&toml).unwrap().remove(0).when.remove(0)
}

fn conditions(draft: &Draft) -> Vec<String> {
    draft.rule.when.iter().map(condition_text).collect()
}

fn ctp(text: &str) -> Imported {
    import(text, Format::Ctp, "site")
}

fn deid(text: &str) -> Imported {
    import(&format!("FORMAT dicom\n\n%filter graylist\n{text}"), Format::Deid, "site")
}

fn reasons(imported: &Imported) -> Vec<(usize, &str)> {
    imported.left_out.iter().map(|left| (left.line, left.what.as_str())).collect()
}

#[test]
fn a_ctp_script_becomes_rules_one_for_each_alternative() {
    let script = SCRIPT.replace("\\\\+", "\\+");
    let imported = ctp(&script);
    assert_eq!(imported.left_out, []);
    let ids: Vec<&str> = imported.rules.iter().map(|draft| draft.rule.id.as_str()).collect();
    assert_eq!(ids, ["site-1-1", "site-1-2", "site-2-1", "site-2-2"]);
    for (draft, rows) in imported.rules.iter().zip(["600", "768"]) {
        assert_eq!((draft.line, draft.title.as_str()), (4, "Acme Echo"));
        assert_eq!(draft.rule.hide, [[0, 0, 800, 48], [700, 590, 200, 10]]);
        let mut expected = vec![
            condition("attribute = 'Manufacturer', contains = 'ACME'"),
            condition(&format!("attribute = 'Rows', equals = {rows}")),
            condition("attribute = 'ImageType', not_contains = 'Derived', case = 'exact'"),
        ];
        expected.sort();
        assert_eq!(draft.rule.when, expected);
    }
    let second = conditions(&imported.rules[2]).join("\n");
    assert!(second.contains("starts_with = \"emca\""), "{second}");
    assert!(second.contains("\"StationName\", empty = false"), "{second}");
    assert!(conditions(&imported.rules[3]).join("\n").contains("equals = \"x+\""));
}

#[test]
fn negation_is_pushed_to_the_terms_and_precedence_is_that_of_ctp() {
    let imported =
        ctp("{ Modality.equals(\"US\") + Modality.equals(\"CT\") * !( Rows.equals(\"1\") * \
         !Columns.equals(\"2\") ) } (0,0,5,5)");
    let found: Vec<Vec<String>> = imported.rules.iter().map(conditions).collect();
    let modality = |value: &str| format!("attribute = \"Modality\", equals = \"{value}\"");
    assert_eq!(
        found,
        [
            vec![modality("us")],
            vec![
                modality("ct"),
                "attribute = \"Rows\", not_equals = \"1\", case = \"exact\"".to_owned()
            ],
            vec![modality("ct"), "attribute = \"Columns\", equals = \"2\"".to_owned()],
        ]
    );
}

#[test]
fn what_no_rule_can_say_is_named_with_its_line_and_the_rest_is_kept() {
    let imported = ctp("note (not a region)\n\
         { Rows.isLessThan(\"600\") + Modality.equals(\"US\") } (0,0,10,10) (0,0,ten,10)\n\
         { SequenceOfUltrasoundRegions::RegionLocationMinX0.equals(\"1\") } (0,0,9,9)\n\
         { Modality.equals(\"CT\") } no region behind it\n\
         { [0009,1001].contains(\"x\") } (1,1,1,1)\n\
         { Manufakturer.contains(\"x\") } (1,1,1,1)\n\
         { Modality.equals(\"US\" } (1,1,1,1)\n\
         { Modality.equals(\"US\") & true. } (1,1,1,1)\n\
         { true. } (1,1,1,1)\n\
         { false. * Modality.equals(\"US\") } (1,1,1,1)\n\
         { Modality.matches(\"U[SX]\") } (1,1,1,1)\n\
         { !Modality.contains(\"US \") } (1,1,1,1) (-1,0,5,5) (1,1,0,5)\n\
         { Modality.equals(\"MR\")");
    assert_eq!(imported.rules.len(), 1, "{:?}", imported.rules);
    assert_eq!(imported.rules[0].rule.id, "site-1-1");
    let expected = [
        (2, "isLessThan"),
        (2, "(0,0,ten,10): no region"),
        (3, "sequence"),
        (4, "no region"),
        (5, "private"),
        (6, "Manufakturer"),
        (7, "without"),
        (8, "&: not understood"),
        (9, "no condition"),
        (10, "never true"),
        (11, "pattern"),
        (12, "blanks"),
        (12, "(-1,0,5,5)"),
        (12, "(1,1,0,5)"),
        (13, "a { without }"),
    ];
    let found = reasons(&imported);
    for (line, words) in expected {
        assert!(
            found.iter().any(|(at, what)| *at == line && what.contains(words)),
            "{line} {words}: {found:?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
}

#[test]
fn hostile_scripts_meet_named_limits() {
    let term = "Rows.equals(\"1\")";
    let nested = format!("{{ {}{term}{} }} (0,0,1,1)", "(".repeat(9999), ")".repeat(9999));
    assert!(reasons(&ctp(&nested))[0].1.contains("DEPTH_MAX"));
    let negated = format!("{{ {}{term} }} (0,0,1,1)", "!".repeat(99_999));
    assert!(reasons(&ctp(&negated))[0].1.contains("DEPTH_MAX"));
    let long = format!("{{ {} }} (0,0,1,1)", vec![term; TERMS_MAX + 1].join("*"));
    assert!(reasons(&ctp(&long))[0].1.contains("TERMS_MAX"));
    let pair = "(Rows.equals(\"1\")+Columns.equals(\"2\"))";
    let product = format!("{{ {} }} (0,0,1,1)", vec![pair; 20].join("*"));
    assert!(reasons(&ctp(&product))[0].1.contains("ALTERNATIVES_MAX"));
    let many = format!("{{ {term} }} (0,0,1,1)\n").repeat(RULES_MAX + 5);
    let imported = ctp(&many);
    assert_eq!(imported.rules.len(), RULES_MAX);
    assert_eq!(imported.left_out.len(), 5);
}

#[test]
fn more_rectangles_than_a_rule_holds_make_several_rules() {
    let regions = "(0,0,1,1)".repeat(RECTS_MAX + 1);
    let imported = ctp(&format!("{{ Modality.equals(\"US\") }} {regions}"));
    let sizes: Vec<usize> = imported.rules.iter().map(|draft| draft.rule.hide.len()).collect();
    assert_eq!(sizes, [RECTS_MAX, 1]);
}

#[test]
fn a_deid_recipe_becomes_rules() {
    let imported = deid(
        "# a comment\nLABEL Acme Echo # (somebody)\n  contains Manufacturer Acme|^Emca\n\
         + equals Rows 600\n  + notcontains ImageType DERIVED|OTHER\n\
         coordinates 10,20, 110,70\n  ctpcoordinates 1,2,3,4\n\n\
         LABEL Model AS+\n contains ManufacturerModelName Definition AS+\n\
         + contains ImageType LOCAL || contains SeriesDescription Local\n coordinates 0,0,80,85\n",
    );
    assert_eq!(imported.left_out, []);
    assert_eq!(imported.rules.len(), 4);
    let first = &imported.rules[0];
    assert_eq!((first.line, first.title.as_str()), (5, "Acme Echo"));
    assert_eq!(first.rule.hide, [[10, 20, 100, 50], [1, 2, 3, 4]]);
    let text = conditions(first).join("\n");
    for expected in [
        "\"Manufacturer\", contains = \"acme\"",
        "\"Rows\", has = \"600\"",
        "\"ImageType\", not_contains = \"derived\"",
        "\"ImageType\", not_contains = \"other\"",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(conditions(&imported.rules[1]).join("\n").contains("starts_with = \"emca\""));
    for (draft, alternative) in imported.rules[2..].iter().zip(["ImageType", "SeriesDescription"]) {
        let text = conditions(draft).join("\n");
        assert!(text.contains("contains = \"definition as\""), "{text}");
        assert!(text.contains(alternative), "{text}");
    }
}

#[test]
fn what_is_hidden_outside_of_kept_places_is_said_as_such() {
    let imported = deid(
        "LABEL a\ncontains Modality US\ncoordinates all\n\
                         keepcoordinates 10,10,20,30\nctpkeepcoordinates 5,5,5,5\n\
                         LABEL b\ncontains Modality CT\ncoordinates all\n",
    );
    assert_eq!(imported.left_out, []);
    assert_eq!(imported.rules[0].rule.hide_outside, [[10, 10, 10, 20], [5, 5, 5, 5]]);
    assert_eq!(imported.rules[1].rule.hide, [[0, 0, PLACE_MAX, PLACE_MAX]]);
}

#[test]
fn blacklists_hold_and_whitelists_let_nothing_pass() {
    let text = "FORMAT dicom\n%filter blacklist # no pages\nLABEL pages\ncontains Modality OT\n\
                + missing ImageType || empty ImageType\n\
                %filter whitelist\nLABEL all\ncontains BurnedInAnnotation No\n\
                %header\nREMOVE PatientName\n";
    let imported = import(text, Format::guess(text), "site");
    assert!(imported.rules.iter().all(|draft| draft.rule.quarantine));
    assert_eq!(imported.rules.len(), 1, "missing and empty are one");
    assert!(conditions(&imported.rules[0]).join("\n").contains("\"ImageType\", empty = true"));
    let found = reasons(&imported);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].1.contains("whitelist") && found[0].0 == 6);
    assert!(found[1].1.contains("%header") && found[1].0 == 9);
}

#[test]
fn what_a_recipe_cannot_give_is_named_with_its_line() {
    let imported = deid(
        "stray\nLABEL flags\ncontains Modality US\n\
         LABEL pattern\ncontains Modality U(S|X)\ncoordinates 0,0,1,1\n\
         LABEL broken\nresembles Modality US\ncoordinates 0,0,1,1\n\
         LABEL comment\ncontains Modality US # only\ncoordinates 0,0,1,1\n\
         LABEL all\ncoordinates all\n\
         LABEL regions\npresent SequenceOfUltrasoundRegions\n\
         keepcoordinates from:SequenceOfUltrasoundRegions\ncoordinates 5,5,4,9\n\
         coordinates 0,0,3,3\nkeepcoordinates 0,0,1,1\n\
         LABEL meta\nequals 0x00020013 X\ncoordinates 0,0,1,1\n\
         LABEL anchor\nnotcontains ImageType ^A\ncoordinates 0,0,1,1\n",
    );
    let found = reasons(&imported);
    let expected = [
        (4, "stray"),
        (5, "no coordinates"),
        (7, "regular expression"),
        (11, "no criterion"),
        (14, "# is no comment"),
        (16, "no condition"),
        (20, "text_policy"),
        (21, "no rectangle"),
        (23, "stays hidden"),
        (24, "beside the data set"),
        (27, "anchor"),
    ];
    for (line, words) in expected {
        assert!(
            found.iter().any(|(at, what)| *at == line && what.contains(words)),
            "{line} {words}: {found:?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert_eq!(imported.rules.len(), 1);
    assert_eq!(imported.rules[0].rule.hide, [[0, 0, 3, 3]]);
}

#[test]
fn ids_begin_with_the_files_name_where_it_is_one() {
    let of = |stem: &str| {
        let text = "{ Modality.equals(\"US\") } (0,0,1,1)";
        import(text, Format::Ctp, stem).rules.remove(0).rule.id
    };
    assert_eq!(of("DicomPixel Anonymizer.v2"), "dicompixel-anonymizer-v2-1");
    assert_eq!(of("…"), "ctp-1");
    assert!(of(&"x".repeat(99)).len() <= ID_CHARS_MAX);
}

/// What comes out is what the node reads.
fn check_file(imported: &Imported) {
    if imported.rules.is_empty() {
        return;
    }
    let read = device_file::checked(&imported.to_toml("some \"file\"\n.script")).unwrap();
    let rules: Vec<&DeviceRule> = imported.rules.iter().map(|draft| &draft.rule).collect();
    assert_eq!(read.iter().collect::<Vec<_>>(), rules);
}

#[test]
fn what_is_written_is_read_again_as_the_same_rules() {
    for imported in [
        ctp(SCRIPT),
        ctp(
            "\"quoted\" title\n{ Manufacturer.contains(\"a\\b'\u{7f}ü\tc\") * [6000,0022].equals(\"İX\") } (0,0,1,1)",
        ),
        deid("LABEL a\ncontains Modality US\ncoordinates all\nkeepcoordinates 1,1,9,9"),
    ] {
        assert!(!imported.rules.is_empty());
        check_file(&imported);
    }
}

/// Pieces of both languages, so that random text comes far.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "{",
        "}",
        "(",
        ")",
        "!",
        "+",
        "*",
        "||",
        "//",
        "\"",
        "#",
        "\n",
        "\r\n",
        " ",
        ".",
        ",",
        "true.",
        "false.",
        "Rows",
        "Modality",
        "[0008,0070]",
        ".equals(\"US\")",
        ".contains(\"\")",
        ".matches(\"A|B.*\")",
        ".isEmpty()",
        "(0,0,10,10)",
        "(0,-1,99999999999,1)",
        "LABEL x\n",
        "%filter graylist\n",
        "%filter blacklist\n",
        "%header\n",
        "FORMAT dicom\n",
        "contains Manufacturer A|B\n",
        "+ equals Rows 5\n",
        "|| missing ImageType\n",
        "notcontains Modality US",
        "coordinates 0,0,5,5\n",
        "coordinates all\n",
        "keepcoordinates 1,1,2,2\n",
        "ctpcoordinates 1,1,2,2\n",
    ];
    prop_oneof![prop::sample::select(words.map(str::to_owned).to_vec()), "\\PC{0,3}"]
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        for format in [Format::Ctp, Format::Deid] {
            check_file(&import(&text, format, &text));
        }
    }

    #[test]
    fn any_pieces_give_rules_that_are_read_again(
        pieces in prop::collection::vec(piece(), 0..60),
    ) {
        let text = pieces.concat();
        for format in [Format::Ctp, Format::Deid] {
            check_file(&import(&text, format, "x"));
        }
    }
}
