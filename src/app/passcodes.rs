//! Whether a caller is the user that its sender must be (PS3.7 §D.3.3.7).

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::Zeroizing;

use crate::config::{Config, Sender};
use crate::dimse::association::identity::{Claim, ClaimKind};

/// Longest passcode. 1,024 bytes: the field could hold 64 KiB, nobody types that.
const PASSCODE_BYTES_MAX: u64 = 1_024;

/// Why a passcode cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("sender.{sender}.passcode_file: {what}")]
pub struct PasscodeError {
    sender: String,
    what: String,
}

/// SHA-256 of the passcodes, by sender.
#[derive(Default)]
pub struct Passcodes(BTreeMap<String, Zeroizing<[u8; 32]>>);

impl Passcodes {
    /// Reads the files that the senders name; a line end at the end is left out.
    ///
    /// # Errors
    /// [`PasscodeError`]: not there, readable by others, empty or too long.
    pub fn read(config: &Config) -> Result<Self, PasscodeError> {
        let mut passcodes = BTreeMap::new();
        for sender in &config.senders {
            let file = sender.user.as_ref().and_then(|user| user.passcode_file.as_deref());
            let Some(file) = file else { continue };
            let refused = |what| PasscodeError { sender: sender.name.clone(), what };
            passcodes.insert(sender.name.clone(), digest_in(file).map_err(refused)?);
        }
        Ok(Self(passcodes))
    }

    /// Whether the claim is that of the sender's user. Without a user anybody is.
    #[must_use]
    pub fn lets_in(&self, sender: &Sender, claim: Option<&Claim>) -> bool {
        let Some(user) = &sender.user else { return true };
        let Some(claim) = claim else { return false };
        let is_user = same(&digest(&claim.name), &digest(user.name.as_bytes()));
        let kind_and_passcode = match self.0.get(&sender.name) {
            Some(passcode) if claim.kind == ClaimKind::UsernamePasscode => {
                same(&digest(&claim.passcode), passcode)
            }
            Some(_) => Choice::from(0),
            None => Choice::from(u8::from(claim.kind != ClaimKind::Token)),
        };
        (is_user & kind_and_passcode).into()
    }
}

/// Takes the same time wherever they differ, and whatever is how long: digests
/// are compared.
fn same(one: &[u8; 32], other: &[u8; 32]) -> Choice {
    one.ct_eq(other)
}

fn digest(bytes: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Sha256::digest(bytes).into())
}

fn digest_in(path: &Path) -> Result<Zeroizing<[u8; 32]>, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("{shown}: {error}");
    let file = std::fs::File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!("{shown} has mode {mode:o}: only its owner may read it (chmod 600)"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(2_048));
    file.take(PASSCODE_BYTES_MAX + 2).read_to_end(&mut bytes).map_err(failed)?;
    let passcode = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let passcode = passcode.strip_suffix(b"\r").unwrap_or(passcode);
    if passcode.is_empty() || passcode.len() as u64 > PASSCODE_BYTES_MAX {
        return Err(format!("{shown}: a passcode has 1 to {PASSCODE_BYTES_MAX} bytes"));
    }
    Ok(digest(passcode))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn claim(kind: ClaimKind, name: &str, passcode: &str) -> Claim {
        let field = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
        Claim { kind, name: field(name), passcode: field(passcode), wants_answer: false }
    }

    fn config(user: &str) -> Config {
        let toml = format!("[sender.cart]\ntls = true\n{user}");
        Config::check(&toml::from_str(&toml).unwrap()).unwrap()
    }

    fn write(path: &Path, text: &str, mode: u32) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_the_user_with_the_passcode_gets_in() {
        use ClaimKind::{Token, Username, UsernamePasscode};
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("passcode");
        write(&file, "s3cret\r\n", 0o600);
        let config = config(&format!("user = 'cart'\npasscode_file = '{}'", file.display()));
        let passcodes = Passcodes::read(&config).unwrap();
        let lets_in = |claim: &Claim| passcodes.lets_in(&config.senders[0], Some(claim));
        assert!(lets_in(&claim(UsernamePasscode, "cart", "s3cret")));
        for (kind, name, passcode) in [
            (UsernamePasscode, "cart", "s3cre"),
            (UsernamePasscode, "cart", ""),
            (UsernamePasscode, "Cart", "s3cret"),
            (Username, "cart", "s3cret"),
            (Token, "cart", "s3cret"),
        ] {
            assert!(!lets_in(&claim(kind, name, passcode)), "{kind:?} {name} {passcode}");
        }
        assert!(!passcodes.lets_in(&config.senders[0], None));
    }

    #[test]
    fn a_user_without_a_passcode_is_known_by_name_and_no_user_lets_anybody_in() {
        let named = config("user = 'cart'");
        let passcodes = Passcodes::read(&named).unwrap();
        assert!(
            passcodes.lets_in(&named.senders[0], Some(&claim(ClaimKind::Username, "cart", "")))
        );
        assert!(!passcodes.lets_in(&named.senders[0], Some(&claim(ClaimKind::Token, "cart", ""))));
        assert!(!passcodes.lets_in(&named.senders[0], None));
        let anybody = config("");
        assert!(Passcodes::default().lets_in(&anybody.senders[0], None));
    }

    #[test]
    fn a_passcode_that_others_can_read_is_refused_and_not_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("passcode");
        let config = config(&format!("user = 'cart'\npasscode_file = '{}'", file.display()));
        for (text, mode) in [("s3cret", 0o640), ("\n", 0o600), (&*"x".repeat(1_025), 0o600)] {
            write(&file, text, mode);
            let told = Passcodes::read(&config).err().unwrap().to_string();
            assert!(told.starts_with("sender.cart.passcode_file") && !told.contains("s3cret"));
        }
        std::fs::remove_file(&file).unwrap();
        assert!(Passcodes::read(&config).is_err());
    }
}
