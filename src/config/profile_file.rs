//! A site's own profile: a TOML file in, a checked [`Profile`] out, or all of
//! its faults at once. The shipped profiles stand in the same form under
//! `config/profiles` and are copied to begin with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry as _};
use dicom_dictionary_std::StandardDataDictionary;
use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};

use super::profile::{Action, Baseline, PrivateTag, Profile, ProfileError, ProfileOption, TagRule};
use crate::dicom::{Tag, VR, day};

/// Longest profile. Default 1 MiB: a rule for each attribute of PS3.6 fits.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What the cleaner promises about these is the node's, not a site's, to say.
const PROTECTED: [(Tag, &str); 10] = [
    (Tag(0x0008, 0x0005), "the character set belongs to the text"),
    (Tag(0x0008, 0x0016), "the SOP class says what the object is"),
    (Tag(0x0008, 0x0018), "instances get new UIDs; see the option retain-uids"),
    (Tag(0x0010, 0x0010), "it holds the pseudonym"),
    (Tag(0x0010, 0x0020), "it holds the pseudonym"),
    (Tag(0x0012, 0x0062), "it says what was done"),
    (Tag(0x0012, 0x0063), "it says what was done"),
    (Tag(0x0012, 0x0064), "it says what was done"),
    (Tag(0x0028, 0x0303), "it says what was done"),
    (Tag(0x7FE0, 0x0010), "pixels have their own policy"),
];

/// Defined Terms of Longitudinal Temporal Event Type (PS3.3 §C.7.2.3).
const EVENTS: [&str; 2] = ["ENROLLMENT", "BASELINE"];
/// What says when a study was, and how long after the event.
const DATED: [Tag; 3] = [
    Tag(0x0008, 0x0020), // Study Date
    Tag(0x0012, 0x0052), // Longitudinal Temporal Offset from Event
    Tag(0x0012, 0x0053), // Longitudinal Temporal Event Type
];

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    name: String,
    options: Vec<String>,
    #[serde(default)]
    rules: BTreeMap<String, Action>,
    #[serde(default)]
    safe_private: Vec<RawPrivate>,
    baseline: Option<RawBaseline>,
}

/// `[baseline]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBaseline {
    /// `YYYYMMDD`.
    date: String,
    event: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrivate {
    creator: String,
    group: String,
    element: String,
}

/// Reads and checks a profile.
///
/// # Errors
/// [`ProfileError`]: exit 64.
pub(super) fn read(path: &Path) -> Result<Profile, ProfileError> {
    let text =
        text_of(path).map_err(|source| ProfileError::Unread { path: path.to_owned(), source })?;
    checked(&text).map_err(|faults| ProfileError::Faulty { path: path.to_owned(), faults })
}

fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "over 1 MiB"));
    }
    Ok(text)
}

fn checked(text: &str) -> Result<Profile, Vec<String>> {
    let raw: RawProfile = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
    let mut faults = Vec::new();
    let profile = Profile {
        options: options(&raw.options, &mut faults),
        rules: rules(raw.rules, &mut faults),
        safe_private: safe_private(raw.safe_private, &mut faults),
        baseline: raw.baseline.and_then(|raw| baseline(raw, &mut faults)),
        name: raw.name,
    };
    if profile.baseline.is_some() {
        check_baseline(&profile, &mut faults);
    }
    if profile.name.is_empty() || !profile.name.bytes().all(|byte| byte.is_ascii_graphic()) {
        faults.push("name: printable ASCII without blanks".to_owned());
    }
    if profile.has(ProfileOption::RetainFullDates)
        && profile.has(ProfileOption::RetainModifiedDates)
    {
        faults
            .push("options: retain-full-dates and retain-modified-dates exclude each other".into());
    }
    if faults.is_empty() { Ok(profile) } else { Err(faults) }
}

fn options(names: &[String], faults: &mut Vec<String>) -> BTreeSet<ProfileOption> {
    let mut options = BTreeSet::new();
    for name in names {
        let deserializer: StrDeserializer<'_, ValueError> = name.as_str().into_deserializer();
        match ProfileOption::deserialize(deserializer) {
            Ok(option) if options.insert(option) => {}
            Ok(_again) => faults.push(format!("options: {name} stands twice")),
            Err(error) => faults.push(format!("options: {error}")),
        }
    }
    options
}

fn rules(raw: BTreeMap<String, Action>, faults: &mut Vec<String>) -> Vec<TagRule> {
    let mut rules = BTreeMap::new();
    for (key, action) in raw {
        match rule(&key, &action) {
            Ok(tag) => {
                if rules.insert(tag, action).is_some() {
                    faults.push(format!("rules.{key}: the attribute has two rules"));
                }
            }
            Err(fault) => faults.push(format!("rules.{key}: {fault}")),
        }
    }
    let rule = |(tag, action): (Tag, Action)| TagRule {
        group: tag.group(),
        element: tag.element(),
        action,
    };
    rules.into_iter().map(rule).collect()
}

/// The attribute that a rule is about, when the rule can be followed.
fn rule(key: &str, action: &Action) -> Result<Tag, String> {
    let tag = tag(key).ok_or("neither GGGG,EEEE nor a keyword of PS3.6")?;
    if tag.group() % 2 == 1 {
        return Err("a private attribute: name it in safe_private".to_owned());
    }
    let Some(entry) = StandardDataDictionary.by_tag(tag) else {
        return Err("not in PS3.6".to_owned());
    };
    if let Some((_, why)) = PROTECTED.iter().find(|(protected, _)| *protected == tag) {
        return Err(format!("cannot be changed: {why}"));
    }
    let vr = entry.vr().exact();
    let is_text = matches!(
        vr,
        Some(VR::AE | VR::CS | VR::LO | VR::LT | VR::PN | VR::SH | VR::ST | VR::UC | VR::UT)
    );
    let fits = match action {
        Action::Keep | Action::Remove | Action::Empty | Action::Replace(_) => true,
        Action::Hash => is_text || vr == Some(VR::UI),
        Action::Shift => matches!(vr, Some(VR::DA | VR::DT | VR::TM)),
        Action::Clean => (is_text && vr != Some(VR::AE)) || vr == Some(VR::SQ),
    };
    if fits { Ok(tag) } else { Err("the action does not fit the VR".to_owned()) }
}

/// `0008,1010` or `StationName`.
fn tag(key: &str) -> Option<Tag> {
    match key.split_once(',') {
        Some((group, element)) => Some(Tag(hex(group)?, hex(element)?)),
        None => StandardDataDictionary.by_name(key).map(|entry| entry.tag.inner()),
    }
}

fn hex(digits: &str) -> Option<u16> {
    let plain = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| plain)
}

fn baseline(raw: RawBaseline, faults: &mut Vec<String>) -> Option<Baseline> {
    let day = day::parse(&raw.date);
    if day.is_none() {
        faults.push("baseline.date: a date as 19600101".to_owned());
    }
    if !EVENTS.contains(&raw.event.as_str()) {
        faults.push("baseline.event: ENROLLMENT or BASELINE".to_owned());
    }
    Some(Baseline { day: day?, event: raw.event })
}

/// The offset is counted from the moved Study Date.
fn check_baseline(profile: &Profile, faults: &mut Vec<String>) {
    if !profile.has(ProfileOption::RetainModifiedDates) {
        faults.push("baseline: needs the option retain-modified-dates".to_owned());
    }
    let of_rule = |rule: &TagRule| Tag(rule.group, rule.element);
    for tag in profile.rules.iter().map(of_rule).filter(|tag| DATED.contains(tag)) {
        faults.push(format!("rules.{tag}: cannot be changed beside a baseline"));
    }
}

fn safe_private(raw: Vec<RawPrivate>, faults: &mut Vec<String>) -> Vec<PrivateTag> {
    let mut tags = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let group = hex(&raw.group).filter(|group| group % 2 == 1);
        let element = u8::from_str_radix(&raw.element, 16).ok().filter(|_| raw.element.len() == 2);
        match (group, element) {
            (Some(group), Some(element)) if !raw.creator.trim().is_empty() => {
                tags.push(PrivateTag { creator: raw.creator.trim().to_owned(), group, element });
            }
            _ => faults.push(format!(
                "safe_private[{index}]: creator, odd group (4 hex digits) and low byte (2 hex digits)"
            )),
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_documents_say_what_the_embedded_profiles_do() {
        let documents = [
            (include_str!("../../config/profiles/basic.toml"), Profile::basic()),
            (include_str!("../../config/profiles/tcia.toml"), Profile::tcia()),
        ];
        for (text, embedded) in documents {
            assert_eq!(checked(text).unwrap(), embedded);
        }
    }

    #[test]
    fn a_site_changes_single_attributes_by_tag_or_keyword() {
        let profile = checked(
            r#"
            name = "trial-7"
            options = ["clean-descriptors", "retain-safe-private"]
            [rules]
            "0008,1010" = { replace = "SITE" }
            StudyDescription = "keep"
            [[safe_private]]
            creator = "ACME"
            group = "0029"
            element = "1F"
            "#,
        )
        .unwrap();
        assert_eq!(
            profile.rules,
            [
                TagRule { group: 0x0008, element: 0x1010, action: Action::Replace("SITE".into()) },
                TagRule { group: 0x0008, element: 0x1030, action: Action::Keep },
            ]
        );
        let safe = PrivateTag { creator: "ACME".into(), group: 0x0029, element: 0x1F };
        assert_eq!(profile.safe_private, [safe]);
    }

    #[test]
    fn all_faults_are_told_at_once_each_with_its_key() {
        let faults = checked(
            r#"
            name = "trial 7"
            options = ["clean-everything", "retain-full-dates", "retain-modified-dates"]
            [rules]
            "0010,0020" = "keep"
            "0029,1010" = "keep"
            "0008,0020" = "hash"
            Nonsense = "keep"
            [[safe_private]]
            creator = "ACME"
            group = "0028"
            element = "1"
            "#,
        )
        .unwrap_err();
        let text = faults.join("\n");
        for key in [
            "clean-everything",
            "name:",
            "exclude each other",
            "rules.0010,0020:",
            "rules.0029,1010:",
            "rules.0008,0020:",
            "rules.Nonsense:",
            "safe_private[0]:",
        ] {
            assert!(text.contains(key), "{key} is missing in\n{text}");
        }
    }

    #[test]
    fn a_baseline_needs_modified_dates_a_day_and_a_defined_term() {
        let with = |options: &str, baseline: &str| {
            checked(&format!("name = \"x\"\noptions = [{options}]\n{baseline}"))
        };
        let good = "[baseline]\ndate = \"19600101\"\nevent = \"ENROLLMENT\"\n";
        let profile = with("\"retain-modified-dates\"", good).unwrap();
        assert_eq!(profile.baseline, Some(Baseline { day: -3_653, event: "ENROLLMENT".into() }));
        let faults = with(
            "",
            "[baseline]\ndate = \"1960\"\nevent = \"BIRTH\"\n[rules]\nStudyDate = \"remove\"\n",
        );
        assert_eq!(faults.unwrap_err().len(), 2);
        let faults = with("", &format!("{good}[rules]\nStudyDate = \"remove\"\n")).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let faults = checked("name = \"x\"\noptions = []\nextra = 1\n").unwrap_err();
        assert!(faults[0].contains("extra"));
    }
}
