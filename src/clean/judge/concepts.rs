//! Labels that stand apart from their value, as the name of a concept does in a
//! structured report: `Patientenname`, `Reporting radiologist`, `生年月日`.
//!
//! The words are those of the labels inside text (`labels`, `persons`); here the
//! whole of a name must be one, so that `Patient Position` names nobody.

use super::lexicon::{Flags, Label, Lexicon};
use super::words::Line;
use crate::clean::known::KnownKind;

/// What the value beside such a label is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Whose or what value it is.
    pub kind: KnownKind,
    /// The label says it alone. Else the value is judged as text behind its label:
    /// beside `Name` may stand a person or a lesion.
    pub sure: bool,
}

/// Labels that mean something else too when nothing stands beside them.
const WEAK: &[&str] = &[
    "name",
    "nom",
    "nombre",
    "nome",
    "naam",
    "patient",
    "pat",
    "pt",
    "pts",
    "paciente",
    "paziente",
    "patiente",
    "patientin",
    "ref",
    "rad",
    "op",
    "oper",
    "tech",
    "sono",
    "gp",
    "pcp",
    "cc",
    "attn",
    "c o",
    "d w",
    "performed",
    "reported",
    "dictated",
    "translated",
    "notified",
    "gez",
    "vidit",
    "attending",
    "resident",
    "fellow",
    "reader",
    "laborant",
    "utente",
    "manip",
    "arts",
    "id",
    "ss",
    "pid",
    "acc",
    "chart",
    "order id",
    "order no",
    "order number",
    "visit no",
    "visit id",
    "visit number",
    "unit no",
    "unit number",
    "encounter",
    "requisition",
    "processo",
    "expediente",
    "dossier",
    "cf",
    "nie",
    "nip",
    "ipp",
    "cns",
    "sns",
    "cip",
    "study id",
    "case id",
    "born",
    "jg",
    "dn",
    "d n",
    "ph",
    "mobile",
    "cell",
    "call",
    "pager",
    "bleep",
    "ring",
    "handy",
    "movil",
    "mobil",
    "home",
    "mail",
    "residence",
    "zam",
    "имя",
    "врач",
    "ονομα",
    "name of",
];
/// Weak ones that are a name when somebody stands beside them: `Nom du patient`.
const NAMES: [&str; 7] = ["name", "nom", "nombre", "nome", "naam", "имя", "ονομα"];
/// Words beside labels that change nothing of what they label.
const BESIDE: &[&str] = &[
    "of",
    "the",
    "s",
    "a",
    "and",
    "or",
    "his",
    "her",
    "their",
    "full",
    "legal",
    "current",
    "former",
    "previous",
    "first",
    "last",
    "second",
    "middle",
    "primary",
    "principal",
    "secondary",
    "assisting",
    "assistant",
    "chief",
    "main",
    "responsible",
    "reporting",
    "referring",
    "requesting",
    "ordering",
    "performing",
    "reading",
    "admitting",
    "consulting",
    "verifying",
    "interpreting",
    "signing",
    "scheduled",
    "supervising",
    "treating",
    "subject",
    "person",
    "number",
    "no",
    "nr",
    "des",
    "der",
    "die",
    "das",
    "von",
    "zum",
    "und",
    "zustandiger",
    "zuweisender",
    "uberweisender",
    "befundender",
    "verantwortlicher",
    "behandelnder",
    "anfordernder",
    "durchfuhrender",
    "de",
    "du",
    "d",
    "l",
    "la",
    "le",
    "les",
    "del",
    "della",
    "dell",
    "di",
    "do",
    "da",
    "dos",
    "das",
    "e",
    "et",
    "y",
    "el",
    "referent",
    "responsable",
    "traitant",
    "demandeur",
    "adresseur",
    "referente",
    "responsabile",
    "responsavel",
    "van",
    "het",
    "een",
    "en",
    "emergency",
    "contact",
    "home",
    "work",
    "mobile",
    "private",
];
/// Whoever is called so is somebody.
const SOMEBODY: &[&str] = &[
    "insured",
    "policyholder",
    "requester",
    "verifier",
    "versicherter",
    "versicherte",
    "assure",
    "asegurado",
    "пациент",
    "врач",
    "лаборант",
    "рентгенолог",
    "ιατρος",
    "lekarz",
    "lekar",
    "技师",
];

/// What stands beside a label; `None` for a text that labels nobody.
#[must_use]
pub fn named_by(label: &str) -> Option<Named> {
    let lexicon = Lexicon::shared();
    let line = Line::new(label, lexicon);
    let (mut kinds, mut sure, mut named) = (Vec::new(), false, false);
    let mut at = 0;
    while let Some(word) = line.words.get(at) {
        let rest = line.words.iter().skip(at).map(|word| word.folded.as_str());
        if let Some((count, kind)) = lexicon.label(rest.clone()) {
            let phrase = rest.take(count).collect::<Vec<_>>().join(" ");
            named |= NAMES.contains(&phrase.as_str());
            sure |= !WEAK.contains(&phrase.as_str());
            kinds.push(kind);
            at += count;
            continue;
        }
        let somebody = SOMEBODY.contains(&word.folded.as_str());
        if somebody || word.flags.has(Flags::RELATIVE) {
            sure = true;
            kinds.push(Label::Person);
        } else if !BESIDE.contains(&word.folded.as_str()) {
            return behind_another(&line, at);
        }
        at += 1;
    }
    let kind = strongest(&kinds)?;
    let of_somebody = named && kinds.len() > 1;
    Some(Named { kind, sure: sure || of_somebody })
}

/// Words of a language, the clinic or the standard alone, none of them mostly a name.
#[must_use]
pub fn is_vocabulary(text: &str) -> bool {
    let line = Line::new(text, Lexicon::shared());
    !line.words.is_empty() && line.words.iter().all(|word| word.is_letters() && word.is_plain())
}

/// `Zuständige Radiologin`: a label of a person ends the name, and what stands
/// before it is no label.
fn behind_another(line: &Line<'_>, unknown: usize) -> Option<Named> {
    let lexicon = Lexicon::shared();
    let ends = (unknown + 1..line.words.len()).any(|from| {
        let rest = || line.words.iter().skip(from).map(|word| word.folded.as_str());
        let phrase = || rest().collect::<Vec<_>>().join(" ");
        let label = lexicon.label(rest());
        label == Some((line.words.len() - from, Label::Person))
            && !WEAK.contains(&phrase().as_str())
    });
    ends.then_some(Named { kind: KnownKind::Person, sure: false })
}

/// `Patient Birth Date` labels a date, `Patient phone` a number.
fn strongest(kinds: &[Label]) -> Option<KnownKind> {
    let order = [
        (Label::Birth, KnownKind::BirthDate),
        (Label::Contact, KnownKind::Contact),
        (Label::Address, KnownKind::Place),
        (Label::Id, KnownKind::Id),
        (Label::Person, KnownKind::Person),
    ];
    order.into_iter().find(|(label, _)| kinds.contains(label)).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_persons_are_known_in_many_languages() {
        use KnownKind::{BirthDate, Contact, Id, Person, Place};
        for (label, kind) in [
            ("Patient Name", Person),
            ("Patient's Name", Person),
            ("Patientenname", Person),
            ("Name des Patienten", Person),
            ("Nom du patient", Person),
            ("Last name", Person),
            ("Reporting radiologist", Person),
            ("Referring Physician", Person),
            ("Überweiser", Person),
            ("Next of kin", Person),
            ("Mother", Person),
            ("Insured", Person),
            ("Signed by", Person),
            ("患者姓名", Person),
            ("患者氏名", Person),
            ("ФИО", Person),
            ("Date of Birth", BirthDate),
            ("Patient Birth Date", BirthDate),
            ("Geburtsdatum", BirthDate),
            ("Data di nascita", BirthDate),
            ("生年月日", BirthDate),
            ("出生日期", BirthDate),
            ("Дата рождения", BirthDate),
            ("Medical Record Number", Id),
            ("Patient ID", Id),
            ("SSN", Id),
            ("Versichertennummer", Id),
            ("Patient phone number", Contact),
            ("Adresse", Place),
        ] {
            assert_eq!(named_by(label), Some(Named { kind, sure: true }), "{label}");
        }
    }

    #[test]
    fn what_may_be_something_else_is_not_sure_and_the_rest_labels_nobody() {
        for label in ["Name", "Patient", "ID", "Zuständiger erster Radiologe"] {
            assert!(named_by(label).is_some_and(|named| !named.sure), "{label}");
        }
        for label in [
            "Finding",
            "Patient Position",
            "Algorithm Name",
            "Procedure performed",
            "Person Observer's Role in this Procedure",
            "Tracking Identifier",
            "Observer Type",
            "Longest Diameter",
            "Study Date",
            "Date of birth certificate",
            "",
        ] {
            assert_eq!(named_by(label), None, "{label}");
        }
    }
}
