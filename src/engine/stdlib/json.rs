//! `json`: values as JSON text and back.

use rhai::{Dynamic, Module};

use super::native::{Answer, Functions, with_bytes};
use crate::engine::{
    convert::{self, Layout},
    meter,
    reference::{Function, function},
    sdk::SdkModule,
};

/// The module.
pub(in crate::engine) const MODULE: SdkModule =
    SdkModule { name: "json", about: ABOUT, functions: FUNCTIONS, build };

const ABOUT: &str = "Values as JSON text and back. 1.0 stays a float and 1 an integer, `()` is `null`.";

const FUNCTIONS: &[Function] = &[
    function(
        &["parse(text) -> value"],
        "The value a JSON text (a string or a blob) stands for. It nests at most 64 deep.",
        r#"json::parse("{\"name\": \"Ada\", \"tags\": [1, 2.0, null]}")"#,
        r#"{"name":"Ada","tags":[1,2.0,null]}"#,
    )
    .throws(&["invalid_json"]),
    function(
        &["stringify(value) -> string"],
        "The value as JSON without a space. What JSON cannot hold (a function, NaN, a blob) is thrown.",
        "json::stringify(#{ on: true, at: [1, ()] })",
        r#""{\"at\":[1,null],\"on\":true}""#,
    )
    .throws(&["invalid_value"]),
    function(
        &["stringify_pretty(value) -> string"],
        "The same over several lines.",
        "json::stringify_pretty([1, 2])",
        r#""[\n  1,\n  2\n]""#,
    )
    .throws(&["invalid_value"]),
];

fn build() -> Module {
    Functions::new()
        .one("parse", parse)
        .one("stringify", |value| write(value, Layout::Compact))
        .one("stringify_pretty", |value| write(value, Layout::Pretty))
        .module()
}

fn parse(text: &Dynamic) -> Answer {
    with_bytes(text, "the text", |bytes| Ok(convert::from_json(bytes)?))
}

fn write(value: &Dynamic, layout: Layout) -> Answer {
    Ok(convert::write_json(value, meter::limits().string_bytes, layout)?.into())
}
