//! Who may send, and how each is treated.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::checked::Faults;
use super::projects::checked_quiet;
use super::raw::RawSender;
use super::tls::fingerprints;
use crate::dicom::{AeTitle, TransferSyntax, Uid};

/// Longest silence between two messages that can be asked for.
const IDLE_MAX: Duration = Duration::from_secs(2 * 60 * 60);
/// Shortest; less would cut carts off while somebody measures.
const IDLE_MIN: Duration = Duration::from_secs(10);

/// Port at which a sender takes reports where none is configured: the registered one.
const COMMITMENT_PORT: u16 = 104;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct CallerIs<'a> {
    /// Calling AE title.
    pub calling: &'a AeTitle,
    /// Address.
    pub peer: IpAddr,
    /// Under TLS.
    pub tls: bool,
    /// SHA-256 of the certificate it showed.
    pub certificate: Option<&'a [u8; 32]>,
}

/// One sender.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Its name.
    pub name: String,
    /// Calling AE title; none: any.
    pub ae_title: Option<AeTitle>,
    /// Networks; none: any.
    pub networks: Vec<IpNet>,
    /// Default issuer of Patient ID.
    pub issuer: String,
    /// Only under TLS.
    pub tls: bool,
    /// User that it must be; none: not asked.
    pub user: Option<User>,
    /// SHA-256 of the certificates it may show; none: any that is trusted.
    pub certificates: Vec<[u8; 32]>,
    /// Longest silence between two messages; none: the door's.
    pub idle: Option<Duration>,
    /// SOP classes that are taken from it; none: all that the door takes.
    pub sop_classes: BTreeSet<Uid>,
    /// Transfer syntaxes that are liked better than others, the best first.
    pub transfer_syntaxes: Vec<TransferSyntax>,
    /// Most associations at once; none: the door's.
    pub associations_max: Option<usize>,
    /// Quiet time of studies that it sends; none: the project's.
    pub quiet: Option<Duration>,
    /// It may ask what we still hold; none: it may not.
    pub commitment: Option<Reports>,
}

/// Where a sender takes reports on storage commitment on an association of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// Host and port; none: nowhere, so only while its own association is open.
    pub to: Option<(String, u16)>,
}

/// A user (PS3.7 §D.3.3.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Where its passcode stands; none: the name alone counts.
    pub passcode_file: Option<PathBuf>,
}

impl Sender {
    /// How narrow the network is that an address lies in; `None` when it is not
    /// this sender's, 0 where any is.
    #[must_use]
    pub fn network(&self, peer: IpAddr) -> Option<u8> {
        if self.networks.is_empty() {
            return Some(0);
        }
        let around = self.networks.iter().filter(|network| network.contains(&peer));
        around.map(IpNet::prefix_len).max()
    }

    /// Whether the connection is secured as this sender's must be.
    #[must_use]
    pub fn trusts(&self, tls: bool, certificate: Option<&[u8; 32]>) -> bool {
        let shown = certificate.is_some_and(|shown| self.certificates.contains(shown));
        (tls || !self.tls) && (self.certificates.is_empty() || shown)
    }
}

/// Senders that only their certificates tell apart have one issuer: it is looked up
/// by title and address when the connection is long over.
pub(super) fn one_issuer(senders: &[Sender], faults: &mut Faults) {
    for (at, sender) in senders.iter().enumerate() {
        let like = |other: &&Sender| {
            other.ae_title == sender.ae_title && other.networks == sender.networks
        };
        if senders.iter().take(at).filter(like).any(|other| other.issuer != sender.issuer) {
            let key = format!("sender.{}.issuer", sender.name);
            faults
                .add(key, "another sender has the same ae_title and addresses and another issuer");
        }
    }
}

/// `[sender.NAME]`.
pub(super) fn checked_sender(name: &str, raw: &RawSender, faults: &mut Faults) -> Sender {
    let key = format!("sender.{name}");
    faults.name(&key, name);
    let ae_title = raw
        .ae_title
        .as_ref()
        .map(|title| faults.parse(&format!("{key}.ae_title"), title, AeTitle::default_title()));
    let mut networks = Vec::new();
    for text in faults.listed(&format!("{key}.addresses"), raw.addresses.as_deref()) {
        match text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            Ok(network) => networks.push(network),
            Err(_not_address) => faults.add(
                format!("{key}.addresses"),
                "an address as 10.1.2.3 or a network as 10.1.2.0/24",
            ),
        }
    }
    let shown = faults.listed(&format!("{key}.certificates"), raw.certificates.as_deref());
    let certificates = fingerprints(&format!("{key}.certificates"), shown, faults);
    // A certificate is shown under TLS alone.
    let tls = raw.tls || raw.certificates.is_some();
    if raw.user.is_some() && !tls {
        faults
            .add(format!("{key}.user"), "needs tls = true: passcodes cross the wire in the clear");
    }
    if raw.user.is_none() && raw.passcode_file.is_some() {
        faults.add(format!("{key}.passcode_file"), "needs the user that it belongs to");
    }
    if raw.user.as_deref() == Some("") {
        faults.add(format!("{key}.user"), "a user has a name");
    }
    if raw.idle.is_some_and(|idle| !(IDLE_MIN..=IDLE_MAX).contains(&idle)) {
        faults.add(format!("{key}.idle"), "from 10s to 2h");
    }
    let classes = faults.listed(&format!("{key}.sop_classes"), raw.sop_classes.as_deref());
    let mut uids = |field: &str, texts: &[String]| -> Vec<Uid> {
        texts.iter().map(|text| text.parse()).collect::<Result<_, _>>().unwrap_or_else(|_bad_uid| {
            faults.add(format!("{key}.{field}"), "a list of UIDs");
            Vec::new()
        })
    };
    let sop_classes = uids("sop_classes", classes);
    let transfer_syntaxes = uids("transfer_syntaxes", &raw.transfer_syntaxes);
    if raw.associations_max == Some(0) {
        faults.add(format!("{key}.associations_max"), "at least 1");
    }
    Sender {
        name: name.to_owned(),
        ae_title,
        networks,
        issuer: raw.issuer.clone(),
        tls,
        user: raw.user.clone().map(|name| User { name, passcode_file: raw.passcode_file.clone() }),
        certificates,
        idle: raw.idle,
        sop_classes: sop_classes.into_iter().collect(),
        transfer_syntaxes: transfer_syntaxes.into_iter().map(TransferSyntax::new).collect(),
        associations_max: raw.associations_max,
        quiet: checked_quiet(&format!("{key}.quiet"), raw.quiet, faults),
        commitment: reports(&key, raw, faults),
    }
}

fn reports(key: &str, raw: &RawSender, faults: &mut Faults) -> Option<Reports> {
    let place = raw.commitment_host.is_some() || raw.commitment_port.is_some();
    if place && !raw.commitment {
        faults.add(format!("{key}.commitment_host"), "write commitment = true too");
    }
    if raw.commitment_port.is_some() && raw.commitment_host.is_none() {
        faults.add(format!("{key}.commitment_port"), "write commitment_host too");
    }
    let port = raw.commitment_port.unwrap_or(COMMITMENT_PORT);
    let to = raw.commitment_host.clone().map(|host| (host, port));
    raw.commitment.then_some(Reports { to })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Fault};

    fn check(toml: &str) -> Result<Config, Vec<Fault>> {
        Config::check(&toml::from_str(toml).unwrap())
    }

    fn sender<'a>(config: &'a Config, title: &str, peer: &str) -> Option<&'a str> {
        let calling = title.parse().unwrap();
        let peer = peer.parse().unwrap();
        let caller = CallerIs { calling: &calling, peer, tls: false, certificate: None };
        config.sender_of(&caller).map(|sender| sender.name.as_str())
    }

    #[test]
    fn of_several_senders_with_one_title_the_address_decides() {
        let toml = "[sender.all]\n[sender.floor]\nae_title = 'US'\naddresses = ['10.1.0.0/16']\n\
                    [sender.room]\nae_title = 'US'\naddresses = ['10.1.2.0/24']\n\
                    [sender.room-too]\nae_title = 'US'\naddresses = ['10.1.2.0/24']\n\
                    [sender.secret]\nae_title = 'CT'\ntls = true";
        let config = check(toml).unwrap();
        assert_eq!(sender(&config, "US", "10.1.2.3"), Some("room"));
        assert_eq!(sender(&config, "US", "10.1.9.3"), Some("floor"));
        assert_eq!(sender(&config, "US", "10.2.0.1"), Some("all"));
        assert_eq!(sender(&config, "us", "10.1.2.3"), Some("all"), "case tells titles apart");
        assert_eq!(sender(&config, "CT", "10.1.2.3"), None, "nobody stands in for it");
        let folded = check(&format!("[dicom]\nae_title_case = 'ignored'\n{toml}")).unwrap();
        assert_eq!(sender(&folded, "us", "10.1.2.3"), Some("room"));
    }

    #[test]
    fn what_only_certificates_tell_apart_has_one_issuer_and_is_asked_for_one() {
        let one = format!("certificates = ['{}']\n", "11".repeat(32));
        let toml = format!("[sender.a]\nissuer = 'A'\n{one}[sender.b]\nissuer = 'B'\n{one}");
        let mut keys: Vec<_> = check(&toml).unwrap_err().into_iter().map(|f| f.key).collect();
        keys.sort();
        assert_eq!(keys, ["sender.a.certificates", "sender.b.certificates", "sender.b.issuer"]);
    }

    #[test]
    fn commitment_is_off_and_its_place_belongs_to_it() {
        let config =
            check("[sender.a]\n[sender.b]\ncommitment = true\ncommitment_host = 'b'").unwrap();
        let places: Vec<_> = config.senders.iter().map(|sender| &sender.commitment).collect();
        assert_eq!(places, [&None, &Some(Reports { to: Some(("b".into(), 104)) })]);
        let toml = "[sender.a]\ncommitment_host = 'a'\n[sender.b]\ncommitment = true\n\
                    commitment_port = 1\n[destination.c]\nfolder = 'c'\ncommitment = true\n\
                    [destination.d]\nae_title = 'D'\nhost = 'd'\ncommitment_wait = '0s'";
        let keys: Vec<_> = check(toml).unwrap_err().into_iter().map(|fault| fault.key).collect();
        assert_eq!(
            keys,
            [
                "destination.c.commitment",
                "destination.d.commitment_wait",
                "sender.a.commitment_host",
                "sender.b.commitment_port"
            ]
        );
    }

    #[test]
    fn a_user_is_asked_for_under_tls_alone() {
        let faults = |toml| -> Vec<String> {
            check(toml).err().unwrap_or_default().into_iter().map(|fault| fault.key).collect()
        };
        assert_eq!(faults("[sender.a]\nuser = 'x'\npasscode_file = 'f'"), ["sender.a.user"]);
        assert_eq!(faults("[sender.a]\npasscode_file = 'f'"), ["sender.a.passcode_file"]);
        assert_eq!(faults("[sender.a]\ntls = true\nuser = ''"), ["sender.a.user"]);
        assert!(faults("[sender.a]\ntls = true\nuser = 'x'\npasscode_file = 'f'").is_empty());
    }

    #[test]
    fn senders_are_checked_by_key() {
        let toml = "[sender.a]\nidle = '3h'\nsop_classes = ['CT']\ntransfer_syntaxes = ['x']\n\
                    associations_max = 0";
        let keys: Vec<_> = check(toml).unwrap_err().into_iter().map(|fault| fault.key).collect();
        assert_eq!(
            keys,
            [
                "sender.a.idle",
                "sender.a.sop_classes",
                "sender.a.transfer_syntaxes",
                "sender.a.associations_max"
            ]
        );
    }
}
