//! The instance settings in force on this node, and how they follow the database.
//!
//! Where a value comes from, each overriding the ones before it: the default,
//! the configuration file, the database, a variable or flag. Of those, only the
//! database changes while PiCloud runs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use sqlx::PgPool;
use tokio::sync::{Mutex, watch};

use crate::{
    base::Result,
    config::{Config, Origin},
    store::setting::{self, DISPATCH_PAUSED, SETTINGS, Setting},
};

/// The channel on which nodes tell one another that a setting was changed.
pub const CHANGED: &str = "picloud_settings";

/// The pause before reading settings again that could not be read.
const PAUSE: Duration = Duration::from_millis(500);

/// The settings in force; clones share them.
#[derive(Clone, Debug)]
pub struct Settings(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// What the configuration says of settings, by name.
    configured: BTreeMap<&'static str, Configured>,
    values: watch::Sender<Values>,
    /// Held while they are read, so that what was read later is in force later.
    reading: Mutex<()>,
}

/// What the configuration says of a setting.
#[derive(Debug)]
struct Configured {
    value: Value,
    origin: Origin,
}

/// All settings as they are at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values(Arc<[InForce]>);

/// One setting as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Which one.
    pub setting: &'static Setting,
    /// Its value.
    pub value: Value,
    /// What it is, or would be, where nobody has set it here.
    pub default: Value,
    /// Where the value comes from: `default`, `setting`, a line of the file, a variable or a flag.
    pub source: String,
}

impl Values {
    /// Each setting, by name.
    pub fn iter(&self) -> impl Iterator<Item = &InForce> {
        self.0.iter()
    }

    /// Whether durable runs wait.
    pub fn dispatch_paused(&self) -> bool {
        self.of(&DISPATCH_PAUSED).is_some_and(|value| *value == Value::Bool(true))
    }

    fn of(&self, setting: &Setting) -> Option<&Value> {
        self.iter().find(|one| one.setting == setting).map(|one| &one.value)
    }
}

impl Settings {
    /// Reads the settings for the first time.
    pub async fn load(db: &PgPool, config: &Config) -> Result<Self> {
        let configured = configured(config);
        let values = watch::Sender::new(in_force(&configured, &BTreeMap::new()));
        let settings = Self(Arc::new(Inner { configured, values, reading: Mutex::new(()) }));
        settings.reload(db).await?;
        Ok(settings)
    }

    /// Returns when what is stored now is in force here.
    pub async fn reload(&self, db: &PgPool) -> Result<()> {
        let _reading = self.0.reading.lock().await;
        let values = in_force(&self.0.configured, &setting::all(db).await?);
        self.0.values.send_if_modified(|old| {
            let changed = *old != values;
            *old = values;
            changed
        });
        Ok(())
    }

    /// Follows the changes of other nodes, for ever; one that cannot be read is tried again.
    pub async fn follow(&self, db: &PgPool, mut nudges: watch::Receiver<()>) {
        while nudges.changed().await.is_ok() {
            while let Err(error) = self.reload(db).await {
                tracing::debug!(%error, "could not read the settings; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// All settings as they are now.
    pub fn values(&self) -> Values {
        self.0.values.borrow().clone()
    }

    /// Tells of every change.
    pub fn watch(&self) -> watch::Receiver<Values> {
        self.0.values.subscribe()
    }

    /// Whether durable runs wait.
    pub fn dispatch_paused(&self) -> bool {
        self.0.values.borrow().dispatch_paused()
    }

    /// The variable or flag that decides a setting, so that it cannot be changed here.
    pub fn decided_by(&self, name: &str) -> Option<String> {
        let origin = &self.0.configured.get(name)?.origin;
        is_final(origin).then(|| origin.to_string())
    }
}

/// Whether what comes from here goes before what is stored.
fn is_final(origin: &Origin) -> bool {
    matches!(origin, Origin::Variable(_) | Origin::Flag(_))
}

/// What the configuration says of the settings that have a key of the same name.
fn configured(config: &Config) -> BTreeMap<&'static str, Configured> {
    let of = |setting: &'static Setting| {
        let resolved = config.resolved.iter().find(|one| one.key == setting.name)?;
        // A switch or a number is written in the file as in JSON.
        let value = serde_json::from_str(&resolved.value).ok()?;
        let origin = resolved.origin.clone();
        Some((setting.name, Configured { value, origin }))
    };
    SETTINGS.iter().filter_map(of).collect()
}

/// What holds, by what is configured and what is stored.
fn in_force(configured: &BTreeMap<&'static str, Configured>, stored: &BTreeMap<String, Value>) -> Values {
    let of = |setting: &'static Setting| {
        let given = configured.get(setting.name).filter(|given| given.origin != Origin::Default);
        // A value that a newer release stored may be one that this one does not know.
        let stored = stored.get(setting.name).filter(|value| setting.check(value).is_ok());
        let of_the_file = given.filter(|given| !is_final(&given.origin)).map(|given| given.value.clone());
        let default = of_the_file.unwrap_or_else(|| setting.default());
        let (value, source) = match (given, stored) {
            (Some(given), stored) if is_final(&given.origin) || stored.is_none() => {
                (given.value.clone(), given.origin.to_string())
            }
            (_, Some(stored)) => (stored.clone(), "setting".to_owned()),
            (_, None) => (default.clone(), Origin::Default.to_string()),
        };
        InForce { setting, value, default, source }
    };
    Values(SETTINGS.iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Whether dispatch is paused, and who says so.
    fn paused(origin: Option<Origin>, stored: Option<Value>) -> (bool, String) {
        let configured =
            origin.map(|origin| ("dispatch_paused", Configured { value: json!(true), origin })).into_iter();
        let stored = stored.map(|value| ("dispatch_paused".to_owned(), value)).into_iter();
        let values = in_force(&configured.collect(), &stored.collect());
        (values.dispatch_paused(), values.0[0].source.clone())
    }

    #[test]
    fn each_source_overrides_the_ones_before_it() {
        let file = || Some(Origin::File { path: "/etc/picloud.toml".into(), line: 3 });
        let flag = || Some(Origin::Flag("--dispatch-paused".to_owned()));
        let variable = || Some(Origin::Variable("PICLOUD_DISPATCH_PAUSED".to_owned()));
        let said = |paused: bool, source: &str| (paused, source.to_owned());
        assert_eq!(paused(None, None), said(false, "default"));
        assert_eq!(paused(None, Some(json!(true))), said(true, "setting"));
        assert_eq!(paused(file(), None), said(true, "/etc/picloud.toml:3"));
        assert_eq!(paused(file(), Some(json!(false))), said(false, "setting"));
        assert_eq!(paused(variable(), Some(json!(false))), said(true, "PICLOUD_DISPATCH_PAUSED"));
        assert_eq!(paused(flag(), Some(json!(false))), said(true, "--dispatch-paused"));
    }

    #[test]
    fn a_stored_value_nobody_understands_changes_nothing() {
        assert_eq!(paused(None, Some(json!("soon"))), (false, "default".to_owned()));
    }
}
