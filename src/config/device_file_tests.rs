use super::*;

const BANNER: &str = r#"
[[rule]]
id = "acme-echo-800x600"
note = "drawn for this test"
when = [
  { attribute = "Modality", equals = ["US", "IVUS"] },
  { attribute = "0008,0070", contains = "Acme" },
  { attribute = "ManufacturerModelName", starts_with = "ECHO" },
  { attribute = "ImageType", not_has = "DERIVED", case = "exact" },
  { attribute = "SequenceOfUltrasoundRegions", present = false },
  { attribute = "Rows", equals = 600 },
  { attribute = "Columns", equals = 800 },
]
hide = [[0, 0, 800, 48], [700, 590, 200, 200]]
trust = [[770, 60, 30, 400]]
"#;

#[test]
fn a_rule_is_read_with_its_conditions_and_places() {
    let rules = checked(BANNER).unwrap();
    let [rule] = rules.as_slice() else { panic!("{rules:?}") };
    assert_eq!(rule.id, "acme-echo-800x600");
    assert_eq!(rule.hide, [[0, 0, 800, 48], [700, 590, 200, 200]]);
    assert_eq!(rule.trust, [[770, 60, 30, 400]]);
    assert!(rule.hide_outside.is_empty() && !rule.quarantine);
    let value = |comparison, negated, exact_case, values: &[&str]| Test::Value {
        comparison,
        negated,
        exact_case,
        values: values.iter().map(ToString::to_string).collect(),
    };
    let tests: Vec<&Test> = rule.when.iter().map(|condition| &condition.test).collect();
    assert_eq!(
        tests,
        [
            &value(Comparison::Equals, false, false, &["us", "ivus"]),
            &value(Comparison::Contains, false, false, &["acme"]),
            &value(Comparison::StartsWith, false, false, &["echo"]),
            &value(Comparison::Has, true, true, &["DERIVED"]),
            &Test::Present(false),
            &value(Comparison::Equals, false, false, &["600"]),
            &value(Comparison::Equals, false, false, &["800"]),
        ]
    );
    assert_eq!(rule.when[1].tag(), tags::MANUFACTURER);
}

#[test]
fn what_ships_is_sound_and_says_what_it_was_seen_in() {
    for (name, text) in SHIPPED {
        let rules = checked(text).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        assert_eq!(rules.len(), text.matches("\nnote = ").count(), "{name}: a note each");
    }
}

#[test]
fn all_faults_are_told_at_once_each_with_rule_and_key() {
    let faults = checked(
        r#"
        colour = "red"
        [[rule]]
        id = "Upper"
        when = []
        hide = [[0, 0, 0, 5]]
        [[rule]]
        id = "twice"
        when = [{ attribute = "Modality", equals = "US" }]
        [[rule]]
        id = "twice"
        when = [
          { attribute = "Nonsense", equals = "x" },
          { attribute = "0009,1001", equals = "x" },
          { attribute = "ImplementationVersionName", equals = "x" },
          { attribute = "WindowCenter", like = "x" },
          { attribute = "PixelSpacing", equals = "1", contains = "2" },
          { attribute = "Modality", equals = "" },
          { attribute = "Modality", equals = "US", case = "loose" },
          { attribute = "RealWorldValueIntercept", equals = 1 },
          { equals = "x" },
          { attribute = "Modality", present = "yes" },
        ]
        hide = [[0, 0, 70000, 5]]
        hide_outside = [[0, 0, 5]]
        trust = "all"
        quarantine = "yes"
        note = 5
        extra = 1
        "#,
    )
    .unwrap_err();
    let text = faults.join("\n");
    for expected in [
        "colour: unknown",
        "rule 1, id:",
        "rule 1, when: 1 to",
        "rule 1, hide:",
        "rule twice: does nothing",
        "rule twice, id: another",
        "rule twice, when[0]: Nonsense",
        "rule twice, when[1]: 0009,1001: a private",
        "rule twice, when[2]: ImplementationVersionName: stands beside",
        "rule twice, when[3]: like: unknown",
        "rule twice, when[4]: one test",
        "rule twice, when[5]: equals:",
        "rule twice, when[6]: case:",
        "rule twice, when[7]: RealWorldValueIntercept: its values",
        "rule twice, when[8]: attribute: missing",
        "rule twice, when[9]: present:",
        "rule twice, hide:",
        "rule twice, hide_outside:",
        "rule twice, trust:",
        "rule twice, quarantine:",
        "rule twice, note:",
        "rule twice, extra: unknown",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
    assert!(checked("").unwrap_err()[0].starts_with("rule: missing"));
    assert!(checked("rule = [1]").unwrap_err()[0].starts_with("rule 1: write [[rule]]"));
}

#[test]
fn trust_is_for_a_small_part_of_one_size_of_one_device() {
    let faults = |text: &str| checked(text).unwrap_err().join("\n");
    let lines: Vec<&str> = BANNER.lines().collect();
    let without = |what: &str| -> String {
        lines.iter().filter(|line| !line.contains(what)).map(|line| format!("{line}\n")).collect()
    };
    assert!(faults(&without("0008,0070")).contains("names Manufacturer"));
    assert!(faults(&without("ModelName")).contains("names ManufacturerModelName"));
    assert!(faults(&without("\"Rows\"")).contains("needs Rows and Columns"));
    let excluded = BANNER.replace("starts_with", "not_starts_with");
    assert!(faults(&excluded).contains("names ManufacturerModelName"));
    let sizes = BANNER.replace("equals = 600", "equals = [600, 480]");
    assert!(faults(&sizes).contains("needs Rows and Columns"));
    let large = BANNER.replace("[770, 60, 30, 400]", "[0, 0, 300, 500]");
    assert!(faults(&large).contains("over 25 %"));
    let outside = BANNER.replace("[770, 60, 30, 400]", "[780, 60, 30, 400]");
    assert!(faults(&outside).contains("reaches out"));
}
