//! Keyset paging: an opaque cursor, and a page's limit.
//!
//! A cursor is the sort key of the last item shown, as URL-safe base64 of JSON.
//! It is opaque to clients and says nothing they may not see.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Error, Result};

/// How many items a page has when nothing is asked for.
pub const DEFAULT_LIMIT: u32 = 50;
/// The most items a page can have.
pub const MAX_LIMIT: u32 = 200;

/// One page of a list, as every list of the API answers.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// What to ask the next page with; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of `limit` items out of up to `limit + 1` rows: the one
    /// too many only tells that there is a next page.
    pub fn cut<K: Serialize>(mut rows: Vec<T>, limit: u32, key: impl Fn(&T) -> K) -> Self {
        let limit = limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = if more { rows.last().map(|last| encode(&key(last))) } else { None };
        Self { items: rows, next_cursor }
    }

    /// The same page with each item turned into another.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(turn).collect(), next_cursor: self.next_cursor }
    }
}

/// The page's size that was asked for, within its bounds.
pub fn limit(asked: Option<u32>) -> Result<u32> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(n @ 1..=MAX_LIMIT) => Ok(n),
        Some(_) => Err(Error::invalid("limit", format!("must be between 1 and {MAX_LIMIT}"))),
    }
}

/// Encodes a sort key.
pub fn encode(key: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// Decodes the sort key of `cursor`, if there is one.
pub fn decode<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let refused = || Error::invalid("cursor", "is not a cursor this list gave");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let key: Value = serde_json::from_slice(&bytes).map_err(|_| refused())?;
    if has_nul(&key) {
        return Err(refused());
    }
    serde_json::from_value(key).map(Some).map_err(|_| refused())
}

/// Whether a key holds U+0000, which the database takes in no text.
fn has_nul(key: &Value) -> bool {
    match key {
        Value::String(text) => text.contains('\0'),
        Value::Array(all) => all.iter().any(has_nul),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_not_full_is_the_last() {
        let page = Page::cut(vec![1, 2], 2, |n| *n);
        assert_eq!((page.items.len(), page.next_cursor), (2, None));
    }

    #[test]
    fn the_cursor_is_the_last_item_shown() -> Result<()> {
        let page = Page::cut(vec![1, 2, 3], 2, |n| *n);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(decode::<i32>(page.next_cursor.as_deref())?, Some(2));
        Ok(())
    }

    #[test]
    fn a_made_up_cursor_is_refused() {
        assert!(decode::<i32>(Some("%%")).is_err());
        assert!(decode::<i32>(Some("eyJ9")).is_err());
        assert!(decode::<(String, i32)>(Some(&encode(&("a\0", 1)))).is_err());
        assert!(decode::<(String, i32)>(Some(&encode(&("\\u0000", 1)))).is_ok());
    }
}
