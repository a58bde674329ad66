//! Changing instance settings.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    access::Caller,
    base::{Error, FieldError, Result},
    events::settings::Values,
    store::{
        audit::{self, Action, Entry},
        setting::{self, Setting},
    },
    web::State,
};

/// Gives settings these values, `null` meaning the default; all of them or none.
/// When this returns they are in force on this node.
pub async fn change(state: &State, caller: &Caller, asked: Map<String, Value>) -> Result<Values> {
    state.disk.check()?;
    let changes = checked(asked)?;
    let decided = |name: &str| Some((name.to_owned(), state.settings.decided_by(name)?));
    if let Some((name, by)) = changes.keys().find_map(|name| decided(name)) {
        return Err(Error::Conflict(format!("{name} is decided by {by}: change it there, then restart")));
    }
    let mut tx = state.begin(caller).await?;
    setting::set(&mut tx, &changes).await?;
    for (name, value) in &changes {
        let entry = Entry {
            actor: caller.actor(),
            action: Action::SettingUpdate,
            target: Some((*name).to_owned()),
            app: None,
            details: json!({"value": value}),
        };
        audit::append(&mut tx, entry).await?;
    }
    tx.commit().await?;
    state.settings_changed().await?;
    Ok(state.settings.values())
}

/// What is asked, if all of it can be; else everything that is wrong with it.
fn checked(asked: Map<String, Value>) -> Result<BTreeMap<&'static str, Option<Value>>> {
    let (mut changes, mut wrong) = (BTreeMap::new(), Vec::new());
    let mut complain = |field: String, why: &str| wrong.push(FieldError { field, message: why.to_owned() });
    for (name, value) in asked {
        let Some(setting) = Setting::named(&name) else {
            complain(name, "is no setting");
            continue;
        };
        let value = Some(value).filter(|value| !value.is_null());
        match value.as_ref().map_or(Ok(()), |value| setting.check(value)) {
            Ok(()) => drop(changes.insert(setting.name, value)),
            Err(why) => complain(name, why),
        }
    }
    if wrong.is_empty() { Ok(changes) } else { Err(Error::Invalid(wrong)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_that_is_wrong_is_named() {
        let Value::Object(asked) = json!({"dispatch_paused": "yes", "colour": 1}) else { return };
        let Err(Error::Invalid(wrong)) = checked(asked) else { panic!("both are wrong") };
        let fields: Vec<_> = wrong.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["colour", "dispatch_paused"]);
    }
}
