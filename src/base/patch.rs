//! A field of a change: left out, cleared with `null`, or set.

use serde::{Deserialize, Deserializer};

use super::{Error, Result};

/// What a PATCH says of an optional field.
///
/// Use with `#[serde(default)]`: an absent field is [`Patch::Keep`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field was not mentioned.
    #[default]
    Keep,
    /// The field was `null`.
    Clear,
    /// The field has a new value.
    Set(T),
}

impl<T> Patch<T> {
    /// The new value of a field that held `old`.
    pub fn apply(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Clear => None,
            Self::Set(new) => Some(new),
        }
    }

    /// The same with what is set turned into something else, if that can be.
    pub fn try_map<U>(self, into: impl FnOnce(T) -> Result<U>) -> Result<Patch<U>> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(new) => Patch::Set(into(new)?),
        })
    }

    /// The new value of a field that must have one: `null` is refused.
    pub fn not_null(self, field: &str) -> Result<Option<T>> {
        match self {
            Self::Keep => Ok(None),
            Self::Clear => Err(Error::invalid(field, "must not be null; leave it out to keep it")),
            Self::Set(new) => Ok(Some(new)),
        }
    }

    /// The new value of a field that has a default to go back to, if it changes.
    pub fn or_default(self) -> Option<T>
    where
        T: Default,
    {
        match self {
            Self::Keep => None,
            Self::Clear => Some(T::default()),
            Self::Set(new) => Some(new),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Clear, Self::Set))
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Patch_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Option::<T>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Change {
        #[serde(default)]
        note: Patch<String>,
    }

    #[test]
    fn absent_null_and_a_value_are_three_things() -> Result<(), serde_json::Error> {
        let old = || Some("old".to_owned());
        assert_eq!(serde_json::from_str::<Change>("{}")?.note.apply(old()), old());
        assert_eq!(serde_json::from_str::<Change>(r#"{"note":null}"#)?.note.apply(old()), None);
        assert_eq!(
            serde_json::from_str::<Change>(r#"{"note":"new"}"#)?.note.apply(old()),
            Some("new".into())
        );
        Ok(())
    }
}
