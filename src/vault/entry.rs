//! A sealed line: an entry of a record.
//!
//! ```text
//! "~1 "  key id (8 hexadecimal digits)  " "  Base64 of (salt, ciphertext, tag)
//! ```
//! ChaCha20-Poly1305 under a key of its own, by HKDF over a salt that is drawn,
//! so that the nonce is zero; associated data = place of the line in its file.
//! No line break is in it, so that a torn one is known as before.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce};
use zeroize::Zeroizing;

use super::{KEY_ID_BYTES, SALT_BYTES, Seal, Vault, VaultError, derived, drawn};

const PREFIX: &[u8] = b"~1 ";

impl Vault {
    /// Seals a line that stands `at` bytes from the start of its file.
    ///
    /// # Errors
    /// [`VaultError`]: no key, no randomness.
    pub fn seal_line(&self, seal: &Seal, at: u64, line: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (key, salt) = (self.current()?, drawn::<SALT_BYTES>()?);
        let cipher = ChaCha20Poly1305::new(&Key::from(*derived(key, &salt, seal)));
        let mut sealed = line.to_vec();
        cipher
            .encrypt_in_place(&Nonce::from([0; 12]), &at.to_be_bytes(), &mut sealed)
            .map_err(|_too_long| VaultError::Damaged)?;
        let text = BASE64.encode([&salt[..], &sealed].concat());
        Ok([PREFIX, key.id.as_bytes(), b" ", text.as_bytes()].concat())
    }

    /// Opens it; `None`: the line is plain.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn open_line(
        &self,
        seal: &Seal,
        at: u64,
        line: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let Some(rest) = line.strip_prefix(PREFIX) else {
            return if seal.required { Err(VaultError::Plain) } else { Ok(None) };
        };
        let (id, text) = rest.split_at_checked(KEY_ID_BYTES).ok_or(VaultError::Damaged)?;
        let text = text.strip_prefix(b" ").ok_or(VaultError::Damaged)?;
        let bytes = BASE64.decode(text).map_err(|_not_ours| VaultError::Damaged)?;
        let (salt, sealed) = bytes.split_at_checked(SALT_BYTES).ok_or(VaultError::Damaged)?;
        let key = derived(self.of_id(id)?, salt, seal);
        let mut line = Zeroizing::new(sealed.to_vec());
        ChaCha20Poly1305::new(&Key::from(*key))
            .decrypt_in_place(&Nonce::from([0; 12]), &at.to_be_bytes(), &mut *line)
            .map_err(|_not_ours| VaultError::Damaged)?;
        Ok(Some(line))
    }
}
