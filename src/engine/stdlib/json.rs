//! `json`: values as JSON text and back.

use rhai::{Dynamic, Module};

use super::native::{Answer, Functions, with_bytes};
use crate::engine::{
    convert::{self, Layout},
    meter,
    sdk::SdkModule,
};

/// The module.
pub(in crate::engine) const MODULE: SdkModule = SdkModule { name: "json", build };

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
