//! JSON text to values.

use std::{cell::Cell, fmt};

use rhai::{Dynamic, EvalAltResult, Identifier, Map};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::MAX_DEPTH;
use crate::engine::{call, pace::Pace};

/// About what a value takes beside its text: itself, and its place in what holds it.
const VALUE_BYTES: usize = 64;

/// Why no value was made of a text.
#[derive(Debug)]
pub(in crate::engine) enum Unread {
    /// It is not JSON, or nested too deeply; says what and where.
    NotJson(String),
    /// The run ends: its time or its memory was used up on the way.
    Ended(Box<EvalAltResult>),
}

impl From<Unread> for Box<EvalAltResult> {
    /// What a native throws, or what ends the run.
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::NotJson(why) => {
                call::thrown("invalid_json", format!("the text is not JSON: {why}")).into()
            }
            Unread::Ended(ended) => ended,
        }
    }
}

/// Makes a value of JSON text.
///
/// 1.0 stays a float and 1 an integer; an integer beyond 64 bits becomes a
/// float; of a key that is repeated the last value counts. Values take many
/// times the room of their text, so the guards are asked on the way.
pub(in crate::engine) fn from_json(text: &[u8]) -> Result<Dynamic, Unread> {
    let making = Making::default();
    read(text, Value { depth: 0, making: &making }).map_err(|why| match making.ended.take() {
        Some(ended) => Unread::Ended(ended),
        None => Unread::NotJson(why),
    })
}

/// What is kept while a value is made.
#[derive(Default)]
struct Making {
    pace: Pace,
    /// What ended the run; the reader carries its own errors only.
    ended: Cell<Option<Box<EvalAltResult>>>,
}

impl Making {
    fn step<E: Error>(&self, bytes: usize) -> Result<(), E> {
        self.pace.step(VALUE_BYTES + bytes).map_err(|ended| {
            self.ended.set(Some(ended));
            E::custom("the run ends")
        })
    }
}

/// Checks that [`from_json`] would succeed, without making a value.
pub(in crate::engine) fn check_json(text: &[u8]) -> Result<(), String> {
    read(text, Check { depth: 0 })
}

fn read<'de, S: DeserializeSeed<'de>>(text: &'de [u8], seed: S) -> Result<S::Value, String> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = seed.deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(value)
}

fn deeper<E: Error>(depth: usize) -> Result<usize, E> {
    if depth == MAX_DEPTH {
        return Err(E::custom(format_args!("nested more than {MAX_DEPTH} deep")));
    }
    Ok(depth + 1)
}

/// Makes one value at a depth.
#[derive(Clone, Copy)]
struct Value<'m> {
    depth: usize,
    making: &'m Making,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Dynamic;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Dynamic, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Dynamic;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Dynamic, E> {
        Ok(Dynamic::UNIT)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    #[expect(clippy::cast_precision_loss, reason = "an integer beyond 64 bits is a float by rule")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Dynamic, E> {
        Ok(i64::try_from(value).map_or_else(|_| (value as f64).into(), Into::into))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Dynamic, E> {
        self.making.step(value.len())?;
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Dynamic, E> {
        self.making.step(value.len())?;
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Dynamic, A::Error> {
        let depth = deeper(self.depth)?;
        let mut array = rhai::Array::new();
        while let Some(item) = items.next_element_seed(Self { depth, ..self })? {
            self.making.step(0)?;
            array.push(item);
        }
        Ok(Dynamic::from_array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Dynamic, A::Error> {
        let depth = deeper(self.depth)?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            let value = entries.next_value_seed(Self { depth, ..self })?;
            self.making.step(key.len())?;
            map.insert(key, value);
        }
        Ok(Dynamic::from_map(map))
    }
}

/// Makes a map's key without a string in between.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Identifier;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Identifier, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Identifier;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Identifier, E> {
        Ok(key.into())
    }
}

/// Reads one value at a depth and forgets it.
#[derive(Clone, Copy)]
struct Check {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Check {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // Not `IgnoredAny`, which lets numbers pass that no float can hold.
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let depth = deeper(self.depth)?;
        while items.next_element_seed(Self { depth })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let depth = deeper(self.depth)?;
        while entries.next_key_seed(self)?.is_some() {
            entries.next_value_seed(Self { depth })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::to_json, *};

    fn made(text: &[u8]) -> Result<Dynamic, String> {
        from_json(text).map_err(|unread| match unread {
            Unread::NotJson(why) => why,
            Unread::Ended(error) => error.to_string(),
        })
    }

    fn round_trip(text: &str) -> Result<String, String> {
        let value = made(text.as_bytes())?;
        to_json(&value, 1 << 20).map_err(|unfit| unfit.to_string())
    }

    #[test]
    fn what_json_says_is_what_it_says_again() -> Result<(), String> {
        for text in [
            "null",
            "true",
            "1",
            "-7",
            "1.0",
            "-0.0",
            "1e16",
            "1.5e300",
            "9223372036854775807",
            "\"\"",
            "\"a\\u0000b\"",
            "\"\\\"\\\\\\n\"",
            "\"é\u{1f600}\"",
            "[]",
            "{}",
            "[1,[2.5,{\"a\":null}]]",
        ] {
            assert_eq!(round_trip(text)?, text);
        }
        Ok(())
    }

    #[test]
    fn an_integer_beyond_64_bits_becomes_a_float() -> Result<(), String> {
        assert_eq!(round_trip("9223372036854775808")?, "9.223372036854776e18");
        assert_eq!(round_trip("-9223372036854775809")?, "-9.223372036854776e18");
        assert_eq!(round_trip("123456789012345678901234567890")?, "1.2345678901234568e29");
        Ok(())
    }

    #[test]
    fn text_that_is_no_json_is_refused_with_its_place() {
        for text in ["", "{", "[1,]", "{\"a\":1}x", "1e999", "\"\\ud800\"", "nul", "'a'", "\u{feff}1"] {
            let made = made(text.as_bytes()).map(|_| ());
            assert!(made.as_ref().is_err_and(|why| why.contains("line 1 column")), "{text}: {made:?}");
            assert_eq!(check_json(text.as_bytes()), made);
        }
        assert!(made(b"\"\xff\"").is_err());
    }

    #[test]
    fn nesting_ends_at_64() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert!(made(nested(64).as_bytes()).is_ok());
            assert!(check_json(nested(64).as_bytes()).is_ok());
            let deep = nested(65);
            let why = "nested more than 64 deep";
            assert!(made(deep.as_bytes()).is_err_and(|error| error.contains(why)));
            assert!(check_json(deep.as_bytes()).is_err_and(|error| error.contains(why)));
            assert!(check_json(nested(100_000).as_bytes()).is_err());
        }
    }
}
