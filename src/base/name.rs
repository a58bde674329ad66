//! Checked text: parsed once, trusted afterwards.

use std::{fmt, str::FromStr};

/// Declares a newtype over text that only its `FromStr` makes from outside.
macro_rules! checked_text {
    ($($(#[$doc:meta])* $name:ident, $check:path;)+) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, sqlx::Type, schemars::JsonSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        #[sqlx(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                $check(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

checked_text! {
    /// An app's name as people read it; two apps may share one.
    AppName, title;
    /// A person's name as people read it.
    DisplayName, title;
    /// What a person noted about a thing: up to 4 096 characters, line breaks included.
    Description, description;
    /// Where to write to a person: something before and behind one `@`.
    Email, email;
    /// What an API key is for, as its owner reads it.
    KeyName, title;
    /// An app's short name in addresses: one DNS label, never in the form of a UUID.
    Slug, slug;
    /// A script's name, unique in its app.
    ScriptName, title;
    /// The source of a script, as it was saved or is to be checked.
    Source, source;
    /// A person's sign-in name, stored lower case.
    Username, username;
}

fn slug(text: &str) -> Result<String, String> {
    const ALLOWED: &str =
        "must be 1 to 63 lower-case letters, digits and hyphens, and begin and end with a letter or digit";
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let edge = |b: Option<&u8>| b.is_some_and(|b| *b != b'-');
    let bytes = text.as_bytes();
    if bytes.len() > 63 || !bytes.iter().copied().all(inner) || !edge(bytes.first()) || !edge(bytes.last()) {
        return Err(ALLOWED.to_owned());
    }
    if uuid::Uuid::try_parse(text).is_ok() {
        return Err("must not have the form of a UUID, so that it is never taken for an id".to_owned());
    }
    Ok(text.to_owned())
}

fn title(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if !(1..=128).contains(&length) || text.trim().is_empty() {
        return Err("must have 1 to 128 characters and not be blank".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// The most bytes a script's source may have.
pub const MAX_SOURCE: usize = 256 * 1024;

fn source(text: &str) -> Result<String, String> {
    if text.len() > MAX_SOURCE {
        return Err(format!("must have at most {MAX_SOURCE} bytes, not {}", text.len()));
    }
    without_nul(text)
}

fn description(text: &str) -> Result<String, String> {
    if text.chars().count() > 4096 {
        return Err("must have at most 4096 characters".to_owned());
    }
    without_nul(text)
}

/// Text a person wrote is refused where a log line would be repaired: they can correct it.
fn without_nul(text: &str) -> Result<String, String> {
    if text.contains('\0') { Err("must not contain U+0000".to_owned()) } else { Ok(text.to_owned()) }
}

fn email(text: &str) -> Result<String, String> {
    let (before, behind) = text.split_once('@').unwrap_or_default();
    let strange = |c: char| c.is_control() || c.is_whitespace();
    if before.is_empty()
        || behind.is_empty()
        || behind.contains('@')
        || text.len() > 254
        || text.contains(strange)
    {
        return Err("must be an address such as ada@example.org, of at most 254 bytes".to_owned());
    }
    Ok(text.to_owned())
}

fn username(text: &str) -> Result<String, String> {
    let name = text.to_ascii_lowercase();
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    if (1..=63).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(name)
    } else {
        Err("must be 1 to 63 letters, digits, dots, underscores and hyphens".to_owned())
    }
}

/// Text for a column that cannot hold U+0000: it is shown as U+FFFD, so that
/// no row can ever be impossible to store.
pub fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// At most `limit` bytes of `text`, cut between characters.
pub fn truncated(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let cut = (0..=limit).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(cut);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_one_dns_label() {
        for good in ["a", "0", "garden", "a-b", &"x".repeat(63)] {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", "é", &"x".repeat(64)] {
            assert!(bad.parse::<Slug>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_slug_is_never_taken_for_an_id() {
        assert!("0198c0de-0000-7000-8000-000000000000".parse::<Slug>().is_err());
        assert!("0198c0de000070008000000000000000".parse::<Slug>().is_err());
    }

    #[test]
    fn usernames_are_lower_case() {
        assert_eq!("Ada.L".parse::<Username>().map(|n| n.to_string()), Ok("ada.l".to_owned()));
        assert!("ada l".parse::<Username>().is_err());
    }

    #[test]
    fn an_email_has_one_at_sign_and_no_space() {
        for good in ["ada@example.org", "a+b@localhost", "ä@ö"] {
            assert!(good.parse::<Email>().is_ok(), "{good}");
        }
        for bad in
            ["", "ada", "@x", "x@", "a@b@c", "a b@c", "a@b\r\nbcc:c", &format!("{}@x", "a".repeat(253))]
        {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }

    #[test]
    fn text_that_is_written_has_bounds_and_no_nul() {
        assert!("let a = 1;\n".parse::<Source>().is_ok() && "".parse::<Source>().is_ok());
        assert!("a".repeat(MAX_SOURCE).parse::<Source>().is_ok());
        assert!("a".repeat(MAX_SOURCE + 1).parse::<Source>().is_err() && "a\0".parse::<Source>().is_err());
        assert!("two\nlines".parse::<Description>().is_ok() && "a\0".parse::<Description>().is_err());
        assert!("é".repeat(4097).parse::<Description>().is_err());
        assert!(" ".parse::<AppName>().is_err() && "Küche & Bad".parse::<AppName>().is_ok());
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(truncated("aé".to_owned(), 2), "a");
        assert_eq!(truncated("aé".to_owned(), 3), "aé");
    }
}
