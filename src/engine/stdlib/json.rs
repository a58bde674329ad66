//! `json`: values as JSON text and back.

use rhai::{Dynamic, Module};

use super::native::{Answer, Functions, fault, with_bytes};
use crate::engine::{
    call::{self, Stop},
    convert::{self, Layout, Unfit, Unread},
    guard,
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
    with_bytes(text, "the text", |bytes| {
        convert::from_json(bytes).map_err(|unread| match unread {
            Unread::NotJson(why) => fault("invalid_json", format!("the text is not JSON: {why}")),
            Unread::Ended(fault) => fault,
        })
    })
}

fn write(value: &Dynamic, layout: Layout) -> Answer {
    let limit = call::string_bytes();
    let text = convert::write_json(value, limit, layout).map_err(|unfit| match unfit {
        Unfit::NotJson(why) => fault("invalid_value", why),
        Unfit::TooDeep => guard::too_deep(),
        Unfit::TooLarge { .. } => call::stop(Stop::String).into(),
    })?;
    Ok(text.into())
}
