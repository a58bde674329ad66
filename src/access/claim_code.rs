//! The code that claiming may ask for: made, shown where only the machine's
//! holder looks, hashed, compared.

use rand::{TryRngCore as _, rngs::OsRng};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::base::{Error, Result};

/// Digits and letters that nobody takes for one another (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 50 random bits: more than anybody can try over the network in the time there is.
const LENGTH: usize = 10;

/// Makes a code such as `7K3MP-X9QAT`.
pub fn new() -> Result<String> {
    let mut bytes = [0u8; LENGTH];
    OsRng.try_fill_bytes(&mut bytes).map_err(|e| Error::internal_from("no random numbers", e))?;
    let mut code: String = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    code.insert(LENGTH / 2, '-');
    Ok(code)
}

/// SHA-256 of a code, however it is typed: what the database holds instead of it.
pub fn hash(code: &str) -> Vec<u8> {
    let plain =
        code.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        });
    Sha256::digest(plain.collect::<String>().as_bytes()).to_vec()
}

/// Whether `code` is the one that was hashed; it takes as long either way.
pub fn is_right(code: &str, hashed: &[u8]) -> bool {
    hash(code).ct_eq(hashed).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_right_however_it_is_typed() -> Result<()> {
        let code = new()?;
        assert_eq!((code.len(), code.find('-')), (LENGTH + 1, Some(LENGTH / 2)));
        let hashed = hash(&code);
        let typed =
            format!(" {} ", code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l"));
        assert!(is_right(&code, &hashed) && is_right(&typed, &hashed));
        for wrong in ["", "-", &new()?, &code[1..]] {
            assert!(!is_right(wrong, &hashed), "{wrong}");
        }
        Ok(())
    }
}
