//! `log`: trace, debug, info, warn, error, each with a message or a message and a map.

use rhai::{Dynamic, EvalAltResult, FuncRegistration, Map, Module, NativeCallContext};

use crate::engine::{
    call,
    convert::{self, Unfit},
    meter::Stop,
    outcome::Level,
    reference::{Function, function},
    sdk::SdkModule,
};

/// The module.
pub(in crate::engine) const MODULE: SdkModule =
    SdkModule { name: "log", about: ABOUT, functions: FUNCTIONS, build };

const ABOUT: &str = "Lines of the execution's log. `print` writes an info line, `debug` a debug line. A line has at most 16 KiB; of one attempt the last 256 KiB are kept.";

const FUNCTIONS: &[Function] = &[
    function(&["trace(message)", "trace(message, fields)"], "Writes a line for looking very closely. The message is any value; fields are a map of values JSON can hold.", r#"log::trace("looking at item", #{ index: 3 })"#, "()").throws(&["invalid_value"]),
    function(&["debug(message)", "debug(message, fields)"], "Writes a line for looking closely.", r#"log::debug("cache is cold")"#, "()").throws(&["invalid_value"]),
    function(&["info(message)", "info(message, fields)"], "Writes a line about what happened.", r#"log::info("order received", #{ id: 7, items: 2 })"#, "()").throws(&["invalid_value"]),
    function(&["warn(message)", "warn(message, fields)"], "Writes a line about what is odd.", r#"log::warn("no such colour", #{ colour: "blurple" })"#, "()").throws(&["invalid_value"]),
    function(&["error(message)", "error(message, fields)"], "Writes a line about what went wrong.", "log::error(#{ broken: true })", "()").throws(&["invalid_value"]),
];

type Nothing = Result<(), Box<EvalAltResult>>;

fn build() -> Module {
    let mut module = Module::new();
    for level in Level::ALL {
        FuncRegistration::new(level.name()).with_volatility(true).set_into_module(
            &mut module,
            move |context: NativeCallContext<'_>, message: Dynamic| -> Nothing {
                write(level, &message, None).map_err(|error| call::placed(&context, error))
            },
        );
        FuncRegistration::new(level.name()).with_volatility(true).set_into_module(
            &mut module,
            move |context: NativeCallContext<'_>, message: Dynamic, fields: Map| -> Nothing {
                let fields = Dynamic::from_map(fields);
                write(level, &message, Some(&fields)).map_err(|error| call::placed(&context, error))
            },
        );
    }
    module.build_index();
    module
}

/// Writes what `print` and `debug` say. They cannot fail, so a limit they
/// break ends the run at its next operation.
pub(in crate::engine) fn print(level: Level, text: &str) {
    // The run is marked as stopped: that is all the error would do.
    let _ = call::log(|book| book.write(level, text, None));
}

fn write(level: Level, message: &Dynamic, fields: Option<&Dynamic>) -> Nothing {
    let limit = call::log_line_bytes();
    let written =
        plain(message, limit).and_then(|text| Ok((text, fields.map(|map| json(map, limit)).transpose()?)));
    match written {
        Ok((text, fields)) => call::log(|book| book.write(level, &text, fields.as_deref())),
        Err(Unfit::TooLarge { .. } | Unfit::LongString { .. }) => Err(call::stop(Stop::LogLine).into()),
        Err(Unfit::TooDeep) => Err(call::stop(Stop::Depth).into()),
        Err(Unfit::NotJson(why)) => Err(call::thrown("invalid_value", why).into()),
    }
}

/// A string as it is, anything else as JSON.
fn plain(message: &Dynamic, limit: usize) -> Result<String, Unfit> {
    match message.as_immutable_string_ref() {
        Ok(text) if text.len() > limit => Err(Unfit::TooLarge { limit }),
        Ok(text) => Ok(text.to_string()),
        Err(_) => json(message, limit),
    }
}

fn json(value: &Dynamic, limit: usize) -> Result<String, Unfit> {
    convert::to_json(value, limit)
}
