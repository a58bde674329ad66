//! Session tokens: made, shown once, hashed, found again by the hash.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{TryRngCore as _, rngs::OsRng};
use sha2::{Digest as _, Sha256};

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
    let mut secret = [0u8; 32];
    OsRng.try_fill_bytes(&mut secret).map_err(|e| Error::internal_from("no random numbers", e))?;
    Ok(format!("{SESSION_PREFIX}{}", URL_SAFE_NO_PAD.encode(secret)))
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
}
