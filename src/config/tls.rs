//! TLS as it is configured, for the door and for destinations.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::checked::Faults;
use super::raw::{RawDestination, RawDicom};

/// The door under TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorTls {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Our certificate with those that signed it, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key_file: PathBuf,
    /// Who signs the certificates that senders must show; none: they need none.
    pub authorities: Option<PathBuf>,
}

/// A connection to a destination under TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerTls {
    /// Whom to believe.
    pub trust: PeerTrust,
    /// Our certificate and its key, where the destination asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Name in the destination's certificate.
    pub server_name: String,
}

/// Whom to believe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerTrust {
    /// Those who show a certificate that these signed, PEM.
    Authorities(PathBuf),
    /// Who shows the certificate of this SHA-256.
    Certificate([u8; 32]),
}

/// `[dicom.tls]`: used when a certificate is named.
pub(super) fn door_tls(raw: &RawDicom, address: IpAddr, faults: &mut Faults) -> Option<DoorTls> {
    let tls = &raw.tls;
    let made = match (&tls.certificate, &tls.key_file) {
        (Some(certificate), Some(key_file)) => Some(DoorTls {
            listen: SocketAddr::new(address, tls.port),
            certificate: certificate.clone(),
            key_file: key_file.clone(),
            authorities: tls.authorities.clone(),
        }),
        (None, None) => {
            if tls.authorities.is_some() {
                faults.add("dicom.tls.authorities", "name dicom.tls.certificate and key_file too");
            }
            None
        }
        _ => {
            faults.add("dicom.tls", "write both certificate and key_file");
            return None;
        }
    };
    if made.is_none() && !raw.plain {
        faults.add("dicom.plain", "false needs dicom.tls.certificate and key_file: nobody gets in");
    }
    if made.as_ref().is_some_and(|tls| raw.plain && tls.listen.port() == raw.port && raw.port != 0)
    {
        faults.add("dicom.tls.port", "another port than dicom.port, or dicom.plain = false");
    }
    made
}

/// The TLS keys of a destination; `None` without `tls = true`.
pub(super) fn peer_tls(
    key: &str,
    raw: &RawDestination,
    host: &str,
    faults: &mut Faults,
) -> Option<PeerTls> {
    let named = raw.authorities.is_some()
        || raw.certificate_sha256.is_some()
        || raw.certificate.is_some()
        || raw.key_file.is_some()
        || raw.server_name.is_some();
    if !raw.tls {
        if named {
            faults.add(format!("{key}.tls"), "true, or leave out the other keys of TLS");
        }
        return None;
    }
    let pinned = raw
        .certificate_sha256
        .as_ref()
        .and_then(|text| fingerprint(&format!("{key}.certificate_sha256"), text, faults));
    let trust = match (&raw.authorities, pinned) {
        (None, Some(pinned)) => PeerTrust::Certificate(pinned),
        (Some(path), None) => PeerTrust::Authorities(path.clone()),
        (None, None) | (Some(_), Some(_)) => {
            faults.add(
                format!("{key}.authorities"),
                "write either authorities (who signed the destination's certificate, PEM) or certificate_sha256",
            );
            return None;
        }
    };
    let identity = match (&raw.certificate, &raw.key_file) {
        (Some(certificate), Some(key_file)) => Some((certificate.clone(), key_file.clone())),
        (None, None) => None,
        _ => {
            faults.add(key, "write both certificate and key_file");
            None
        }
    };
    let server_name = raw.server_name.clone().unwrap_or_else(|| host.to_owned());
    Some(PeerTls { trust, identity, server_name })
}

/// SHA-256 values as `openssl x509 -fingerprint -sha256` and others write them.
pub(super) fn fingerprints(key: &str, texts: &[String], faults: &mut Faults) -> Vec<[u8; 32]> {
    texts.iter().filter_map(|text| fingerprint(key, text, faults)).collect()
}

fn fingerprint(key: &str, text: &str, faults: &mut Faults) -> Option<[u8; 32]> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    let bytes: Vec<u8> = digits
        .as_bytes()
        .chunks(2)
        .map_while(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    match <[u8; 32]>::try_from(bytes) {
        Ok(fingerprint) if digits.len() == 64 => Some(fingerprint),
        _ => {
            faults.add(key, "the SHA-256 of a certificate: 64 hexadecimal digits, colons allowed");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Destination, Fault};

    fn check(toml: &str) -> Result<Config, Vec<Fault>> {
        Config::check(&toml::from_str(toml).unwrap())
    }

    fn keys(toml: &str) -> Vec<String> {
        check(toml).unwrap_err().into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn tls_is_off_until_a_certificate_is_named() {
        let config = check("").unwrap();
        assert!(config.plain && config.tls.is_none());
        let config =
            check("[dicom.tls]\ncertificate = 'c'\nkey_file = 'k'\n[dicom]\nplain = false");
        let config = config.unwrap();
        assert!(!config.plain);
        assert_eq!(config.tls.unwrap().listen.port(), 2762);
    }

    #[test]
    fn half_a_configuration_is_refused_by_key() {
        assert_eq!(keys("[dicom.tls]\ncertificate = 'c'"), ["dicom.tls"]);
        assert_eq!(keys("[dicom]\nplain = false"), ["dicom.plain"]);
        assert_eq!(keys("[dicom.tls]\nauthorities = 'a'"), ["dicom.tls.authorities"]);
        assert_eq!(
            keys("[dicom]\nport = 2762\n[dicom.tls]\ncertificate = 'c'\nkey_file = 'k'"),
            ["dicom.tls.port"]
        );
        let there = "[destination.a]\nae_title = 'A'\nhost = 'h'\n";
        assert_eq!(keys(&format!("{there}tls = true")), ["destination.a.authorities"]);
        assert_eq!(keys(&format!("{there}authorities = 'x'")), ["destination.a.tls"]);
        assert_eq!(keys("[sender.a]\ncertificates = ['12']"), ["sender.a.certificates"]);
    }

    #[test]
    fn a_fingerprint_is_read_as_openssl_writes_it() {
        let text = ["AB"; 32].join(":");
        let toml = format!(
            "[destination.a]\nae_title = 'A'\nhost = 'h'\ntls = true\ncertificate_sha256 = '{text}'"
        );
        let config = check(&toml).unwrap();
        let Some(Destination::Ae(peer)) = config.destinations.get("a") else {
            panic!("no destination");
        };
        assert_eq!(peer.port, 2762);
        let tls = peer.tls.as_ref().unwrap();
        assert_eq!(tls.trust, PeerTrust::Certificate([0xAB; 32]));
        assert_eq!(tls.server_name, "h");
    }
}
