//! What each policy hides of a line (docs/POLICIES.md).

use crate::clean::judge::{Judge, Matcher};
use crate::clean::report::TextReason;
use crate::config::TextPolicy;

#[test]
fn each_policy_hides_what_its_table_says() {
    use TextPolicy::{HideAll, HideIdentifying, HideOutsideRegions, HideUnlessKnownClinical};
    let judge = Judge::new();
    // Text, confidence, and whether it is hidden under the four policies.
    let lines = [
        ("01/02/1980", 0.99, [true, true, true, true]),
        ("MRN 4711889", 0.99, [true, true, true, true]),
        ("LEFT KIDNEY", 0.5, [true, true, true, true]),
        ("", 0.0, [true, true, true, true]),
        ("Quixotic Zyx", 0.99, [true, false, true, true]),
        ("LEFT KIDNEY", 0.99, [false, false, false, true]),
        ("MI 0.8", 0.99, [false, false, false, true]),
    ];
    let policies = [HideUnlessKnownClinical, HideIdentifying, HideOutsideRegions, HideAll];
    for (text, confidence, hidden) in lines {
        for (policy, hidden) in policies.into_iter().zip(hidden) {
            let verdict = judge.line(text, confidence, &Matcher::default(), policy);
            assert_eq!(verdict.hide, hidden, "{text} under {policy:?}");
            // What the ink of the outside is explained by.
            let explains = !verdict.hide && verdict.reason == TextReason::Clinical;
            assert!(policy != HideOutsideRegions || explains != verdict.hide, "{text}");
        }
    }
}
