//! Points in time as the API shows them: RFC 3339 in UTC with milliseconds.

use chrono::{DateTime, SecondsFormat, Utc};

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(transparent)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Now, by the wall clock, which may be wrong on a machine without a clock chip.
    pub fn now() -> Self {
        Self(Utc::now())
    }

    /// This moment plus `span`.
    #[must_use]
    pub fn after(self, span: std::time::Duration) -> Self {
        Self(chrono::TimeDelta::from_std(span).map_or(DateTime::<Utc>::MAX_UTC, |d| self.0 + d))
    }

    /// This moment less `span`.
    #[must_use]
    pub fn before(self, span: std::time::Duration) -> Self {
        Self(chrono::TimeDelta::from_std(span).map_or(DateTime::<Utc>::MIN_UTC, |d| self.0 - d))
    }

    /// The same, with what is finer than a microsecond cut off: what the database keeps.
    #[must_use]
    pub fn in_microseconds(self) -> Self {
        Self(DateTime::from_timestamp_micros(self.0.timestamp_micros()).unwrap_or(self.0))
    }

    /// The time as chrono's type.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text).map_err(serde::de::Error::custom)?;
        Ok(Self(time.with_timezone(&Utc)))
    }
}

impl schemars::JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}
