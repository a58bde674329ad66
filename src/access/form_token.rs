//! The token in forms: a page of ours has it, a stranger's page cannot know it.
//!
//! It belongs to the person, not to the session, so that a form that was typed in
//! before a sign-in ran out can be sent after the next. It is no cookie: scripts
//! answer on the same host names and may set those.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _, digest::Key};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::base::id::UserId;

/// What tokens are made with; the instance's own, and never shown.
#[derive(Clone)]
pub struct FormKey(Hmac<Sha256>);

impl FormKey {
    /// The key of this secret.
    pub fn new(secret: &[u8]) -> Self {
        let mut key = Key::<Hmac<Sha256>>::default();
        key[..32].copy_from_slice(&Sha256::digest(secret));
        Self(Hmac::new(&key))
    }

    /// The token in the forms of a person.
    pub fn token_of(&self, user: UserId) -> String {
        let mac = self.0.clone().chain_update(user.to_string());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// Whether `token` came with a form of this person; it takes as long either way.
    pub fn is_right(&self, user: UserId, token: &str) -> bool {
        self.token_of(user).as_bytes().ct_eq(token.as_bytes()).into()
    }
}

impl std::fmt::Debug for FormKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormKey(...)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_persons_on_one_instance() {
        let (key, other) = (FormKey::new(b"one"), FormKey::new(b"two"));
        let (ada, eve) = (UserId::new(), UserId::new());
        let token = key.token_of(ada);
        assert!(key.is_right(ada, &token));
        assert!(!key.is_right(eve, &token) && !other.is_right(ada, &token));
        for wrong in ["", &token[1..], &format!("{token}=")] {
            assert!(!key.is_right(ada, wrong), "{wrong}");
        }
    }
}
