//! Instance settings: what can be changed without a restart.
//!
//! [`SETTINGS`] is the one list of them: checks, answers and the OpenAPI
//! document follow from it. The table holds only what somebody has set.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor, types::Json};

use crate::base::Result;

/// One thing that can be set while PiCloud runs.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name. The configuration key that says the same, if there is one, is called so too.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub description: &'static str,
    /// What its value can be.
    pub kind: Kind,
}

/// What a setting's value can be, and what it is where nobody has set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Switch {
        /// What holds where nobody has said.
        default: bool,
    },
}

/// Whether durable runs wait.
pub const DISPATCH_PAUSED: Setting = Setting {
    name: "dispatch_paused",
    description: "Whether triggered and asynchronous runs wait; what somebody waits for runs all the same.",
    kind: Kind::Switch { default: false },
};

/// Everything that can be set while PiCloud runs, by name.
pub const SETTINGS: &[Setting] = &[DISPATCH_PAUSED];

impl Setting {
    /// The setting of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// What holds where nobody has said.
    pub fn default(&self) -> Value {
        match self.kind {
            Kind::Switch { default } => json!(default),
        }
    }

    /// Whether it can have this value; else what it can have.
    pub fn check(&self, value: &Value) -> Result<(), &'static str> {
        match self.kind {
            Kind::Switch { .. } if value.is_boolean() => Ok(()),
            Kind::Switch { .. } => Err("must be true or false, or null for the default"),
        }
    }
}

/// What somebody has set, by name.
pub async fn all(db: impl PgExecutor<'_>) -> Result<BTreeMap<String, Value>> {
    let rows: Vec<(String, Json<Value>)> =
        sqlx::query_as("select name, value from settings").fetch_all(db).await?;
    Ok(rows.into_iter().map(|(name, Json(value))| (name, value)).collect())
}

/// Sets values; one without a value is forgotten, so that its default holds.
///
/// By name, so that two who change several at once do not lock each other out.
pub async fn set(db: &mut PgConnection, changes: &BTreeMap<&'static str, Option<Value>>) -> Result<()> {
    for (name, value) in changes {
        let statement = match value {
            Some(value) => sqlx::query(
                "insert into settings (name, value) values ($1, $2)
                 on conflict (name) do update set value = excluded.value, updated_at = now()",
            )
            .bind(name)
            .bind(Json(value)),
            None => sqlx::query("delete from settings where name = $1").bind(name),
        };
        statement.execute(&mut *db).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_name_of_its_own_and_a_default_it_can_have() {
        assert!(SETTINGS.is_sorted_by(|a, b| a.name < b.name));
        for setting in SETTINGS {
            assert_eq!(setting.check(&setting.default()), Ok(()), "{}", setting.name);
            assert!(setting.description.ends_with('.'), "{}", setting.name);
        }
    }

    #[test]
    fn a_switch_is_true_or_false() {
        assert_eq!(DISPATCH_PAUSED.check(&json!(true)), Ok(()));
        for wrong in [json!(1), json!("true"), json!(null), json!([])] {
            assert!(DISPATCH_PAUSED.check(&wrong).is_err(), "{wrong}");
        }
    }
}
