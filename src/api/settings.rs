//! Instance settings: what can be changed without a restart.

use std::{borrow::Cow, collections::BTreeMap};

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State as AxumState};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::{
    access::capability::needs::InstanceManageSettings,
    admin,
    base::Result,
    events::settings::{InForce, Values},
    store::setting::{Kind, SETTINGS, Setting},
    web::{Body, InInstance, NoQuery, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new().api_route(
        "/settings",
        get_with(show, |op| {
            op.id("getSettings").tag("instance").summary("Every setting, with where its value comes from")
        })
        .patch_with(change, |op| {
            op.id("updateSettings").tag("instance").summary("Change settings").description(
                "Takes names with plain values, `null` for the default. All of them are changed or none. \
                 409 if a variable or a flag decides one.",
            )
        }),
    )
}

/// One setting.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "Setting")]
struct SettingView {
    value: Value,
    /// What it is where nobody has set it.
    default: Value,
    /// `default`, `setting`, or the line, variable or flag that says it.
    source: String,
    description: &'static str,
}

/// All settings by name.
type Settings = BTreeMap<&'static str, SettingView>;

fn view(values: &Values) -> Json<Settings> {
    let one = |now: &InForce| {
        let view = SettingView {
            value: now.value.clone(),
            default: now.default.clone(),
            source: now.source.clone(),
            description: now.setting.description,
        };
        (now.setting.name, view)
    };
    Json(values.iter().map(one).collect())
}

async fn show(
    AxumState(state): AxumState<State>,
    _: InInstance<InstanceManageSettings>,
    _: NoQuery,
) -> Json<Settings> {
    view(&state.settings.values())
}

/// Values by name. What there is stands in one list, from which its schema is made too.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Changes(Map<String, Value>);

impl JsonSchema for Changes {
    fn schema_name() -> Cow<'static, str> {
        "SettingsChange".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kind = |kind| match kind {
            Kind::Switch { .. } => json!(["boolean", "null"]),
        };
        let one = |setting: &Setting| {
            let schema = json!({"type": kind(setting.kind), "description": setting.description});
            (setting.name.to_owned(), schema)
        };
        let properties: Map<String, Value> = SETTINGS.iter().map(one).collect();
        json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
    }
}

async fn change(
    AxumState(state): AxumState<State>,
    on: InInstance<InstanceManageSettings>,
    _: NoQuery,
    Body(Changes(asked)): Body<Changes>,
) -> Result<Json<Settings>> {
    Ok(view(&admin::setting::change(&state, &on.caller, asked).await?))
}
