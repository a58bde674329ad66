//! Session tokens and API keys: made, shown once, hashed, found again by the hash.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{TryRngCore as _, rngs::OsRng};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::base::{Error, Result};

/// What every session token begins with.
pub const SESSION_PREFIX: &str = "pics_";
/// What every API key begins with.
pub const KEY_PREFIX: &str = "pic_";

/// SHA-256 of a token: what the database holds instead of it. The token has
/// 256 random bits, so a slow hash would add nothing.
pub fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Makes a session token from 256 bits of the system's random numbers.
pub fn new_session() -> Result<String> {
    Ok(format!("{SESSION_PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<32>()?)))
}

/// A new API key.
#[derive(Clone)]
pub struct NewKey {
    /// What lists show, and how the key is found: `pic_` and eight characters.
    pub prefix: String,
    /// The whole key, shown this once.
    pub key: String,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.prefix)
    }
}

/// How many characters the visible part of a key has behind `pic_`.
const VISIBLE: usize = 8;

/// What they are of: 32 characters that are not taken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Makes an API key with 256 secret bits.
pub fn new_key() -> Result<NewKey> {
    let picks = random::<VISIBLE>()?;
    let visible: String =
        picks.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect();
    let prefix = format!("{KEY_PREFIX}{visible}");
    let key = format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    Ok(NewKey { prefix, key })
}

/// The visible part of what may be an API key.
pub fn visible_part(token: &str) -> Option<&str> {
    let (prefix, rest) = token.split_at_checked(KEY_PREFIX.len() + VISIBLE)?;
    (prefix.starts_with(KEY_PREFIX) && rest.starts_with('_')).then_some(prefix)
}

/// Whether `token` is the one that was hashed, in a time that does not tell how far they agree.
pub fn is_hash_of(token: &str, stored: &[u8]) -> bool {
    hash(token).ct_eq(stored).into()
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0u8; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|e| Error::internal_from("no random numbers", e))?;
    Ok(bytes)
}

/// Whether a bearer token claims to be one of ours; any other is the script's own business.
pub fn is_ours(token: &str) -> bool {
    token.starts_with(SESSION_PREFIX) || token.starts_with(KEY_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_never_the_same() -> Result<()> {
        let (a, b) = (new_session()?, new_session()?);
        assert_ne!(a, b);
        assert_eq!(a.len(), SESSION_PREFIX.len() + 43);
        assert!(is_ours(&a) && !is_ours("github_x"));
        Ok(())
    }

    #[test]
    fn a_key_shows_its_first_twelve_characters() -> Result<()> {
        let (one, other) = (new_key()?, new_key()?);
        assert!(one.key != other.key && one.prefix != other.prefix);
        assert_eq!((one.prefix.len(), one.key.len()), (12, 12 + 1 + 43));
        assert_eq!(visible_part(&one.key), Some(one.prefix.as_str()));
        for strange in
            ["", "pic_", "pic_abcdefgh", "pics_abcdefg_x", "pic_abcdefghi_x", "pic_abcdefg\u{e9}_x"]
        {
            assert_eq!(visible_part(strange), None, "{strange}");
        }
        assert!(is_ours(&one.key) && is_hash_of(&one.key, &hash(&one.key)));
        assert!(!is_hash_of(&other.key, &hash(&one.key)) && !is_hash_of(&one.key, b""));
        Ok(())
    }
}
