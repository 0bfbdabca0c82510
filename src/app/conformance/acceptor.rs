//! What the door takes: services, SOP classes, transfer syntaxes, statuses.

use dicom_core::dictionary::UidDictionary as _;
use dicom_dictionary_std::StandardSopClassDictionary;
use dicom_transfer_syntax_registry::{TransferSyntaxIndex as _, TransferSyntaxRegistry};

use super::{Table, code, text, yes};
use crate::accept::{Refused, StorageOffer, is_storage_class};
use crate::config::Config;
use crate::dicom::{TransferSyntax, Uid};
use crate::dimse::association::negotiation::Offer as _;
use crate::dimse::commitment::PUSH_MODEL;
use crate::dimse::scu::VERIFICATION;
use crate::dimse::status;

/// UIDs of PS3.6 Table A-1.
const REGISTERED: &str = include_str!("../../../config/standard/uids.tsv");

/// SOP classes of services that peers ask for beside storage.
const ASKED_FOR: [&str; 10] = [
    VERIFICATION,
    PUSH_MODEL,
    "1.2.840.10008.3.1.2.3.3",
    "1.2.840.10008.5.1.4.31",
    "1.2.840.10008.5.1.4.1.2.1.1",
    "1.2.840.10008.5.1.4.1.2.2.1",
    "1.2.840.10008.5.1.4.1.2.2.2",
    "1.2.840.10008.5.1.4.1.2.2.3",
    "1.2.840.10008.5.1.1.1",
    "1.2.840.10008.5.1.4.34.6.1",
];

/// Retired transfer syntaxes, which the toolkit has no names for (PS3.6 Table A-1).
const RETIRED: [(&str, &str); 14] = [
    ("1.2.840.10008.1.2.4.52", "JPEG Extended (Processes 3 and 5)"),
    ("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection (Processes 6 and 8)"),
    ("1.2.840.10008.1.2.4.54", "JPEG Spectral Selection (Processes 7 and 9)"),
    ("1.2.840.10008.1.2.4.55", "JPEG Full Progression (Processes 10 and 12)"),
    ("1.2.840.10008.1.2.4.56", "JPEG Full Progression (Processes 11 and 13)"),
    ("1.2.840.10008.1.2.4.58", "JPEG Lossless (Process 15)"),
    ("1.2.840.10008.1.2.4.59", "JPEG Extended, Hierarchical (Processes 16 and 18)"),
    ("1.2.840.10008.1.2.4.60", "JPEG Extended, Hierarchical (Processes 17 and 19)"),
    ("1.2.840.10008.1.2.4.61", "JPEG Spectral Selection, Hierarchical (Processes 20 and 22)"),
    ("1.2.840.10008.1.2.4.62", "JPEG Spectral Selection, Hierarchical (Processes 21 and 23)"),
    ("1.2.840.10008.1.2.4.63", "JPEG Full Progression, Hierarchical (Processes 24 and 26)"),
    ("1.2.840.10008.1.2.4.64", "JPEG Full Progression, Hierarchical (Processes 25 and 27)"),
    ("1.2.840.10008.1.2.4.65", "JPEG Lossless, Hierarchical (Process 28)"),
    ("1.2.840.10008.1.2.4.66", "JPEG Lossless, Hierarchical (Process 29)"),
];

pub(super) fn offer(config: &Config) -> StorageOffer {
    StorageOffer { private_classes: config.private_sop_classes }
}

/// SOP classes beside storage, and which of them are taken.
pub(super) fn services(config: &Config) -> Table {
    let offer = offer(config);
    let asked = config.destinations.values().any(|one| one.commitment_wait().is_some());
    let asks = config.senders.iter().any(|sender| sender.commitment.is_some());
    let row = |uid: &str| {
        if uid == PUSH_MODEL {
            let scu = switched(asked, "destination.NAME.commitment");
            return [class_name(uid), code(uid), scu, switched(asks, "sender.NAME.commitment")];
        }
        let taken = uid.parse::<Uid>().is_ok_and(|uid| offer.takes_class(&uid));
        [class_name(uid), code(uid), yes(uid == VERIFICATION), yes(taken)]
    };
    let storage = [text("every storage SOP class"), text("–"), text("yes"), text("yes")];
    let private = [
        text("private SOP classes, as storage"),
        text("–"),
        yes(config.private_sop_classes),
        yes(config.private_sop_classes),
    ];
    let name = ("services", "Services");
    let rows = ASKED_FOR.map(row).into_iter();
    let (verification, others) = (rows.clone().take(1), rows.skip(1));
    let rows = verification.chain([storage, private]).chain(others);
    Table::new(name, ["SOP class", "UID", "SCU", "SCP"], rows)
}

fn switched(on: bool, by: &str) -> String {
    if on { yes(true) } else { format!("off: {}", code(by)) }
}

/// Storage SOP classes that are taken and sent.
pub(super) fn storage_classes(config: &Config) -> Table {
    let offer = offer(config);
    let taken = registered().filter(|uid| is_storage_class(uid) && offer.takes_class(uid));
    let known = taken.filter(|uid| StandardSopClassDictionary.by_uid(uid.as_str()).is_some());
    let mut known: Vec<_> = known.collect();
    known.sort_by_key(numbers);
    let rows = known.into_iter().map(|uid| [class_name(uid.as_str()), code(&uid)]);
    Table::new(("storage-classes", "Storage SOP classes"), ["SOP class", "UID"], rows)
}

/// Transfer syntaxes that are taken, the best liked first.
pub(super) fn transfer_syntaxes(config: &Config) -> Table {
    let offer = offer(config);
    let mut ranked: Vec<(u32, TransferSyntax)> = registered()
        .map(TransferSyntax::new)
        .filter_map(|syntax| offer.rank(&syntax).map(|rank| (rank, syntax)))
        .collect();
    ranked.sort_by_key(|(rank, syntax)| (*rank, numbers(syntax.uid())));
    let rows = ranked.into_iter().map(|(rank, syntax)| {
        [rank.saturating_add(1).to_string(), syntax_name(syntax.as_str()), code(syntax.as_str())]
    });
    let name = ("transfer-syntaxes", "Transfer syntaxes, by preference");
    Table::new(name, ["preference", "transfer syntax", "UID"], rows)
}

/// What a sender is answered.
pub(super) fn statuses() -> Table {
    let stored = [
        hex(status::SUCCESS),
        text(
            "object, record, name and directory are synced; or the same bytes are in the node already",
        ),
        text("–"),
        text("–"),
        text("forgets it"),
    ];
    let refused = Refused::ALL.iter().map(|refused| {
        let offending = refused.offending();
        [
            hex(refused.status()),
            text(refused.when()),
            text(refused.comment()),
            offending.map_or(text("–"), |tag| tag.to_string()),
            text(refused.sender()),
        ]
    });
    let head = ["status", "when", "Error Comment", "Offending Element", "the sender"];
    let name = ("c-store-scp-statuses", "C-STORE as SCP: statuses");
    Table::new(name, head, [stored].into_iter().chain(refused))
}

pub(super) fn hex(status: u16) -> String {
    format!("{status:04X}")
}

fn registered() -> impl Iterator<Item = Uid> {
    REGISTERED.lines().filter_map(|line| line.split('\t').next()?.parse().ok())
}

/// The components of a UID, so that 9 comes before 10.
fn numbers(uid: &Uid) -> Vec<u128> {
    uid.as_str().split('.').filter_map(|component| component.parse().ok()).collect()
}

fn syntax_name(uid: &str) -> String {
    let retired = RETIRED.iter().find(|(known, _)| *known == uid);
    match (retired, TransferSyntaxRegistry.get(uid)) {
        (Some((_, name)), _) => format!("{name}, retired"),
        (None, Some(known)) => text(known.name()),
        (None, None) => text("–"),
    }
}

fn class_name(uid: &str) -> String {
    StandardSopClassDictionary.by_uid(uid).map_or(text("–"), |entry| text(entry.name))
}
