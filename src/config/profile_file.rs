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
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use toml::Table;

use super::profile::{Action, PrivateTag, Profile, ProfileError, ProfileOption, TagRule};
use super::{baseline, fit};
use crate::dicom::{Tag, VR};

/// Longest profile. Default 1 MiB: a rule for each attribute of PS3.6 fits.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What the cleaner promises about these is the node's, not a site's, to say.
const PROTECTED: [(Tag, &str); 12] = [
    (Tag(0x0008, 0x0005), "the character set belongs to the text"),
    (Tag(0x0008, 0x0016), "the SOP class says what the object is"),
    (Tag(0x0008, 0x0018), "instances get new UIDs; see the option retain-uids"),
    (Tag(0x0010, 0x0010), "it holds the pseudonym"),
    (Tag(0x0010, 0x0020), "it holds the pseudonym"),
    (Tag(0x0012, 0x0062), "it says what was done"),
    (Tag(0x0012, 0x0063), "it says what was done"),
    (Tag(0x0012, 0x0064), "it says what was done"),
    (Tag(0x0020, 0x000D), "studies get new UIDs; see the option retain-uids"),
    (Tag(0x0020, 0x000E), "series get new UIDs; see the option retain-uids"),
    (Tag(0x0028, 0x0303), "it says what was done"),
    (Tag(0x7FE0, 0x0010), "pixels have their own policy"),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrivate {
    creator: String,
    group: String,
    element: String,
    vr: Option<String>,
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
    let mut raw: Table = text.parse().map_err(|error: toml::de::Error| vec![error.to_string()])?;
    let mut faults = Vec::new();
    let name = taken(&mut raw, "name", &mut faults).unwrap_or_default();
    let names: Vec<String> = taken(&mut raw, "options", &mut faults).unwrap_or_default();
    let raw_rules = optional(&mut raw, "rules", &mut faults).unwrap_or_default();
    let raw_private = optional(&mut raw, "safe_private", &mut faults).unwrap_or_default();
    let baseline = optional(&mut raw, "baseline", &mut faults);
    let profile = Profile {
        options: options(&names, &mut faults),
        rules: rules(raw_rules, &mut faults),
        safe_private: safe_private(raw_private, &mut faults),
        baseline: baseline.and_then(|raw| baseline::checked(raw, &mut faults)),
        name,
    };
    baseline::check_rest(&profile, &mut faults);
    for key in raw.keys() {
        faults.push(format!(
            "{key}: unknown; there are name, options, rules, safe_private and baseline"
        ));
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

/// The value of a key that must be there.
fn taken<T: DeserializeOwned>(raw: &mut Table, key: &str, faults: &mut Vec<String>) -> Option<T> {
    if !raw.contains_key(key) {
        faults.push(format!("{key}: missing"));
    }
    optional(raw, key, faults)
}

/// The value of a key, when it is there.
fn optional<T: DeserializeOwned>(
    raw: &mut Table,
    key: &str,
    faults: &mut Vec<String>,
) -> Option<T> {
    raw.remove(key).and_then(|value| understood(value, key, faults))
}

fn understood<T: DeserializeOwned>(
    value: toml::Value,
    key: &str,
    faults: &mut Vec<String>,
) -> Option<T> {
    let said = |error: toml::de::Error| faults.push(format!("{key}: {}", error.message()));
    value.try_into().map_err(said).ok()
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

fn rules(raw: Table, faults: &mut Vec<String>) -> Vec<TagRule> {
    let mut rules = BTreeMap::new();
    for (key, value) in raw {
        let Some(action) = understood(value, &format!("rules.{key}"), faults) else { continue };
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
    if tag.group() < 0x0008 || tag.element() == 0 {
        return Err("file meta, commands and lengths are made anew".to_owned());
    }
    let is_overlay = tag.group() & 0xFF00 == 0x6000;
    if is_overlay && *action != Action::Remove {
        return Err("overlays are pictures that nobody looks at: they are removed".to_owned());
    }
    let vr = entry.vr().exact();
    let is_text = vr.is_some_and(|vr| fit::is_text(vr) || vr == VR::AE);
    let fits = match action {
        Action::Keep | Action::Remove | Action::Empty => true,
        Action::Replace(text) => vr.is_some_and(|vr| fit::can_stand(vr, text)),
        Action::Hash => is_text || vr == Some(VR::UI),
        Action::Shift => matches!(vr, Some(VR::DA | VR::DT | VR::TM)),
        Action::Clean => (is_text && vr != Some(VR::AE)) || vr == Some(VR::SQ),
    };
    match (fits, action) {
        (true, _) => Ok(tag),
        (false, Action::Replace(_)) => Err("the text is no value of its VR".to_owned()),
        (false, _) => Err("the action does not fit the VR".to_owned()),
    }
}

/// `0008,1010` or `StationName`.
pub(super) fn tag(key: &str) -> Option<Tag> {
    match key.split_once(',') {
        Some((group, element)) => Some(Tag(hex(group)?, hex(element)?)),
        None => StandardDataDictionary.by_name(key).map(|entry| entry.tag.inner()),
    }
}

fn hex(digits: &str) -> Option<u16> {
    let plain = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| plain)
}

fn safe_private(raw: Vec<toml::Value>, faults: &mut Vec<String>) -> Vec<PrivateTag> {
    let mut tags = Vec::new();
    for (index, value) in raw.into_iter().enumerate() {
        let key = format!("safe_private[{index}]");
        let Some(raw) = understood::<RawPrivate>(value, &key, faults) else { continue };
        match private_tag(&raw) {
            Some(tag) => tags.push(tag),
            None => faults.push(format!(
                "{key}: creator, odd group (4 hex digits), low byte (2 hex digits), vr or none"
            )),
        }
    }
    tags
}

fn private_tag(raw: &RawPrivate) -> Option<PrivateTag> {
    let creator = raw.creator.trim();
    let group = hex(&raw.group).filter(|group| group % 2 == 1)?;
    let element = u8::from_str_radix(&raw.element, 16).ok().filter(|_| raw.element.len() == 2)?;
    let is_known = raw.vr.as_ref().is_none_or(|vr| vr.parse::<VR>().is_ok());
    (is_known && !creator.is_empty()).then(|| PrivateTag {
        creator: creator.to_owned(),
        group,
        element,
        vr: raw.vr.clone(),
    })
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
            vr = "DS"
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
        let safe = PrivateTag {
            creator: "ACME".into(),
            group: 0x0029,
            element: 0x1F,
            vr: Some("DS".into()),
        };
        assert_eq!(profile.safe_private, [safe]);
    }

    #[test]
    fn all_faults_are_told_at_once_each_with_its_key() {
        let faults = checked(
            r#"
            name = "trial 7"
            options = ["clean-everything", "retain-full-dates", "retain-modified-dates"]
            extra = 1
            [rules]
            "0010,0020" = "keep"
            "0020,000D" = "remove"
            "0029,1010" = "keep"
            "0008,0020" = "hash"
            "0008,1030" = "destroy"
            "0008,103E" = { replac = "x" }
            "6000,3000" = "keep"
            "0008,0060" = { replace = "no term" }
            "0018,0050" = { replace = "thick" }
            "0028,0010" = { replace = "512" }
            Nonsense = "keep"
            [[safe_private]]
            creator = "ACME"
            group = "0028"
            element = "1"
            [[safe_private]]
            creator = "ACME"
            group = "0029"
            element = "11"
            colour = "red"
            [[safe_private]]
            creator = "ACME"
            group = "0029"
            element = "11"
            vr = "ZZ"
            "#,
        )
        .unwrap_err();
        let text = faults.join("\n");
        for key in [
            "clean-everything",
            "extra:",
            "name:",
            "exclude each other",
            "rules.0010,0020:",
            "rules.0020,000D:",
            "rules.0029,1010:",
            "rules.0008,0020:",
            "rules.0008,1030:",
            "rules.0008,103E:",
            "rules.6000,3000:",
            "rules.0008,0060:",
            "rules.0018,0050:",
            "rules.0028,0010:",
            "rules.Nonsense:",
            "safe_private[0]:",
            "colour",
            "safe_private[2]:",
        ] {
            assert!(text.contains(key), "{key} is missing in\n{text}");
        }
        assert_eq!(faults.len(), 18, "{text}");
    }

    #[test]
    fn what_must_be_there_is_named() {
        let faults = checked("extra = 1\n").unwrap_err();
        for key in ["name: missing", "options: missing", "extra:"] {
            assert!(faults.iter().any(|fault| fault.starts_with(key)), "{key}: {faults:?}");
        }
    }

    /// Each option by the name of Annex E's own, in small letters.
    #[test]
    fn each_option_is_switched_by_its_name() {
        use ProfileOption as O;
        let names = [
            ("clean-pixel-data", O::CleanPixelData),
            ("clean-graphics", O::CleanGraphics),
            ("clean-structured-content", O::CleanStructuredContent),
            ("clean-descriptors", O::CleanDescriptors),
            ("retain-full-dates", O::RetainFullDates),
            ("retain-modified-dates", O::RetainModifiedDates),
            ("retain-patient-characteristics", O::RetainPatientCharacteristics),
            ("retain-device-identity", O::RetainDeviceIdentity),
            ("retain-uids", O::RetainUids),
            ("retain-safe-private", O::RetainSafePrivate),
            ("retain-institution-identity", O::RetainInstitutionIdentity),
        ];
        for (name, option) in names {
            let profile = checked(&format!("name = \"x\"\noptions = [\"{name}\"]\n")).unwrap();
            assert_eq!(profile.options, BTreeSet::from([option]));
        }
    }
}
