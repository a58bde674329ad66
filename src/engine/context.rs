//! `ctx`: what a script sees of its run.
//!
//! Made on the script thread, when the script first looks at it. It is made
//! read-only and then shared, in this order, so that reading a field copies
//! nothing. The body is a shared value of its own, so that a copy of the rest
//! need not copy it; the other maps are not, so that a copy is one's own.

use rhai::{Array, Dynamic, EvalAltResult, Map};

use super::{
    body::{Body, Content, PartValue},
    convert::{self, Unread},
    invocation::{Invocation, Request},
};

/// Makes `ctx` of an invocation.
///
/// The error ends the run: there is no room for the body's values, or no time.
pub(super) fn make(invocation: &Invocation) -> Result<Dynamic, Box<EvalAltResult>> {
    let app =
        map([("id", invocation.app.id.to_string().into()), ("slug", invocation.app.slug.as_str().into())]);
    let script = map([
        ("id", invocation.script.id.to_string().into()),
        ("name", invocation.script.name.as_str().into()),
        ("version", option(invocation.script.version.map(i64::from))),
    ]);
    let principal = invocation.principal.as_ref().map_or(Dynamic::UNIT, |principal| {
        map([
            ("id", principal.id.to_string().into()),
            ("username", text(&principal.username)),
            ("role", option(principal.role.clone())),
        ])
    });
    let ctx = map([
        ("execution_id", invocation.execution_id.to_string().into()),
        ("root_execution_id", invocation.root_execution_id.to_string().into()),
        ("request_id", text(&invocation.request_id)),
        ("attempt", i64::from(invocation.attempt).into()),
        ("trigger_depth", i64::from(invocation.trigger_depth).into()),
        ("invocation", invocation.kind.name().into()),
        ("app", app),
        ("script", script),
        ("principal", principal),
        ("request", request(&invocation.request)?),
    ]);
    Ok(ctx.into_shared())
}

fn request(request: &Request) -> Result<Dynamic, Box<EvalAltResult>> {
    let headers = request.headers.iter().map(|(name, value)| (name.as_str().into(), text(value)));
    let params = request.params.iter().map(|(name, value)| (name.as_str().into(), option(value.clone())));
    let query = request.query.iter().map(|(key, value)| (key.as_str(), text(value)));
    Ok(map([
        ("method", text(&request.method)),
        ("path", text(&request.path)),
        ("host", text(&request.host)),
        ("headers", Dynamic::from_map(headers.collect()).into_read_only()),
        ("query", Dynamic::from_map(grouped(query)).into_read_only()),
        ("params", Dynamic::from_map(params.collect()).into_read_only()),
        ("rest", option(request.rest.clone())),
        // Read-only before shared: the other way round only this one handle would be read-only.
        ("body", body(&request.body)?.into_read_only().into_shared()),
        ("remote_addr", text(&request.remote_addr)),
    ]))
}

fn body(body: &Body) -> Result<Dynamic, Box<EvalAltResult>> {
    let value = match &body.content {
        Content::None => Dynamic::UNIT,
        Content::Json => match convert::from_json(&body.raw) {
            Ok(value) => value,
            // It was checked when it was decoded; were it not JSON after all, it is the bytes that came.
            Err(Unread::NotJson(_)) => blob(&body.raw),
            Err(Unread::Ended(ended)) => return Err(ended),
        },
        Content::Form(fields) => {
            Dynamic::from_map(grouped(fields.iter().map(|(key, value)| (key.as_str(), text(value)))))
        }
        Content::Multipart(parts) => {
            Dynamic::from_map(grouped(parts.iter().map(|part| (part.name.as_str(), part_value(&part.value)))))
        }
        Content::Text(body) => text(body),
        Content::Blob => blob(&body.raw),
    };
    Ok(value)
}

fn part_value(value: &PartValue) -> Dynamic {
    match value {
        PartValue::Text(value) => text(value),
        PartValue::File { filename, content_type, data } => Dynamic::from_map(Map::from([
            ("filename".into(), text(filename)),
            ("content_type".into(), option(content_type.clone())),
            ("data".into(), blob(data)),
        ])),
    }
}

/// A map of named values: a key that is repeated has the array of its values.
pub(super) fn grouped<'a>(values: impl Iterator<Item = (&'a str, Dynamic)>) -> Map {
    let mut groups: std::collections::BTreeMap<&str, Array> = std::collections::BTreeMap::new();
    for (key, value) in values {
        groups.entry(key).or_default().push(value);
    }
    let single = |mut values: Array| match values.len() {
        1 => values.pop().unwrap_or_default(),
        _ => Dynamic::from_array(values),
    };
    groups.into_iter().map(|(key, values)| (key.into(), single(values))).collect()
}

fn map<const N: usize>(fields: [(&'static str, Dynamic); N]) -> Dynamic {
    let fields: Map = fields.into_iter().map(|(key, value)| (key.into(), value)).collect();
    Dynamic::from_map(fields).into_read_only()
}

fn text(text: &str) -> Dynamic {
    text.into()
}

fn blob(bytes: &[u8]) -> Dynamic {
    Dynamic::from_blob(bytes.to_vec())
}

fn option<T: Into<Dynamic>>(value: Option<T>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Into::into)
}
