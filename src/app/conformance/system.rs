//! Titles and addresses, character sets, security.

use super::{Table, code, text, yes};
use crate::config::{Config, Destination};
use crate::dicom::charset::Charset;
use crate::dimse::tls;

/// Defined terms of Specific Character Set without code extensions (PS3.3 Tables
/// C.12-2, C.12-5).
const SINGLE: [&str; 16] = [
    "ISO_IR 6",
    "ISO_IR 100",
    "ISO_IR 101",
    "ISO_IR 109",
    "ISO_IR 110",
    "ISO_IR 144",
    "ISO_IR 127",
    "ISO_IR 126",
    "ISO_IR 138",
    "ISO_IR 148",
    "ISO_IR 203",
    "ISO_IR 13",
    "ISO_IR 166",
    "ISO_IR 192",
    "GB18030",
    "GBK",
];
/// Registrations of defined terms with them (PS3.3 Tables C.12-3, C.12-4).
const EXTENSIONS: [u16; 17] =
    [6, 100, 101, 109, 110, 144, 127, 126, 138, 148, 203, 13, 166, 87, 159, 149, 58];

/// Our titles and ports.
pub(super) fn titles(config: &Config) -> Table {
    let plain = config.plain.then(|| format!("{} (TCP)", config.listen));
    let secured = config.tls.as_ref().map(|tls| format!("{} (TLS)", tls.listen));
    let listening: Vec<_> = plain.into_iter().chain(secured).collect();
    let rows = config.projects.values().map(|project| {
        [code(&project.name), code(project.ae_title.as_str()), listening.join(", ")]
    });
    let head = ["project", "AE title", "listens on"];
    Table::new(("ae-titles", "AE titles and ports"), head, rows)
}

/// Where clean objects go.
pub(super) fn destinations(config: &Config) -> Table {
    let rows = config.destinations.iter().map(|(name, destination)| match destination {
        Destination::Folder(_) => [code(name), text("a folder"), text("–"), text("–"), text("–")],
        Destination::Ae(peer) => [
            code(name),
            format!("{}:{}", peer.host, peer.port),
            code(peer.called.as_str()),
            code(peer.calling.as_str()),
            yes(peer.tls.is_some()),
        ],
    });
    let head = ["destination", "where", "called AE title", "calling AE title", "TLS"];
    Table::new(("destinations", "Destinations"), head, rows)
}

/// Defined terms that are read.
pub(super) fn character_sets() -> Table {
    let known = |term: &String| Charset::from_specific(term.as_bytes()).is_known();
    let listed = |terms: Vec<String>| {
        let terms: Vec<_> = terms.into_iter().filter(known).map(code).collect();
        terms.join(", ")
    };
    let extensions = EXTENSIONS.map(|number| format!("ISO 2022 IR {number}"));
    let rows = [
        [text("without code extensions"), listed(SINGLE.map(text).into())],
        [text("with code extensions"), listed(extensions.into())],
    ];
    Table::new(("character-sets", "Character sets"), ["defined terms", "read"], rows)
}

/// What secures connections, in either role.
pub(super) fn cipher_suites() -> Table {
    let rows = tls::suites().map(|(version, suite)| [version, code(suite)]);
    Table::new(("cipher-suites", "TLS"), ["version", "cipher suite"], rows)
}
