//! The text of values: `print`, `debug`, `to_string`, `to_debug`, and what strings are joined with.
//!
//! Rhai writes a shared value out each time it occurs and recurses as deep as
//! a value is nested; this writer ends at a depth and at the length of a string.

use std::fmt::{self, Write};

use rhai::{Array, Blob, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map, Module, NativeCallContext};

use super::{
    add, add_pure,
    walk::{Steps, deeper},
};
use crate::engine::{guard, meter};

/// What stands for a text that was refused: the run ends at its next operation.
const REFUSED: &str = "...";

type Text = Result<ImmutableString, Box<EvalAltResult>>;

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    // What `print` and `debug` write; an error from them is the script's.
    for (name, form) in [("print", Form::Display), ("debug", Form::Debug)] {
        add_pure(module, name, move |context: NativeCallContext<'_>, value: &mut Dynamic| {
            text(&context, value, form)
        });
        add_pure(module, name, |context: NativeCallContext<'_>, array: &mut Array| of_array(&context, array));
        add_pure(module, name, |context: NativeCallContext<'_>, map: &mut Map| of_map(&context, map));
    }
    add(module, "debug", quoted);
    add_pure(module, "debug", |f: &mut FnPtr| of_function(f));

    // An error from these is swallowed by Rhai, which then writes the value by its own hand.
    for (name, form) in [("to_string", Form::Display), ("to_debug", Form::Debug)] {
        add_pure(module, name, move |context: NativeCallContext<'_>, value: &mut Dynamic| {
            shown(own_text(&context, value, form))
        });
        add_pure(module, name, |context: NativeCallContext<'_>, array: &mut Array| {
            shown(of_array(&context, array))
        });
        add_pure(module, name, |context: NativeCallContext<'_>, map: &mut Map| shown(of_map(&context, map)));
    }
    add(module, "to_debug", |context: NativeCallContext<'_>, text: ImmutableString| {
        shown(quoted(context, text))
    });
    add_pure(module, "to_debug", |f: &mut FnPtr| shown(of_function(f)));
}

fn shown(text: Text) -> ImmutableString {
    text.unwrap_or_else(|_| REFUSED.into())
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Form {
    /// As `print` writes it: a string is its text.
    Display,
    /// As `debug` writes it, and as it stands within an array or a map: a string is in quotes.
    Debug,
}

/// The text of any value, as Rhai's own functions find it: a type may have its own.
pub(in crate::engine) fn text(context: &NativeCallContext<'_>, value: &Dynamic, form: Form) -> Text {
    if let Some(text) = short(value, form) {
        return Ok(text);
    }
    let mut writer = Writer::new(context);
    writer.value(value, form, 0)?;
    Ok(writer.out.into())
}

/// The text of a value for which no type's own function was found.
fn own_text(context: &NativeCallContext<'_>, value: &Dynamic, form: Form) -> Text {
    if let Some(text) = short(value, form) {
        return Ok(text);
    }
    let mut writer = Writer::new(context);
    if value.is_variant() {
        writer.plain(value, form)?;
    } else {
        writer.value(value, form, 0)?;
    }
    Ok(writer.out.into())
}

/// What needs no writer: the most frequent.
fn short(value: &Dynamic, form: Form) -> Option<ImmutableString> {
    if let Ok(number) = value.as_int() {
        return Some(number.to_string().into());
    }
    match form {
        Form::Display => value.as_immutable_string_ref().ok().map(|text| text.clone()),
        Form::Debug => None,
    }
}

fn of_array(context: &NativeCallContext<'_>, array: &Array) -> Text {
    let mut writer = Writer::new(context);
    writer.array(array, 0)?;
    Ok(writer.out.into())
}

fn of_map(context: &NativeCallContext<'_>, map: &Map) -> Text {
    let mut writer = Writer::new(context);
    writer.map(map, 0)?;
    Ok(writer.out.into())
}

#[expect(clippy::needless_pass_by_value, reason = "Rhai hands its context over by value")]
fn quoted(context: NativeCallContext<'_>, text: ImmutableString) -> Text {
    let mut writer = Writer::new(&context);
    writer.formatted(format_args!("{:?}", text.as_str()))?;
    Ok(writer.out.into())
}

fn of_function(f: &FnPtr) -> Text {
    guard::string(f.fn_name().len())?;
    Ok(f.to_string().into())
}

/// Writes values, up to the length of one string.
struct Writer<'a> {
    context: &'a NativeCallContext<'a>,
    out: String,
    /// The bytes that were asked for.
    granted: usize,
    /// Why writing ended: what formats for us cannot carry the error.
    refused: Option<Box<EvalAltResult>>,
    steps: Steps,
}

impl<'a> Writer<'a> {
    fn new(context: &'a NativeCallContext<'a>) -> Self {
        Self { context, out: String::new(), granted: 0, refused: None, steps: Steps::default() }
    }

    fn value(&mut self, value: &Dynamic, form: Form, depth: usize) -> guard::Guarded {
        self.steps.value()?;
        if value.is_shared() {
            let Some(inner) = value.read_lock::<Dynamic>() else {
                self.steps.wait()?;
                return self.push("<shared>");
            };
            return self.value(&inner, form, depth);
        }
        if let Ok(text) = value.as_immutable_string_ref() {
            return match form {
                Form::Display => self.push(&text),
                Form::Debug => self.formatted(format_args!("{:?}", text.as_str())),
            };
        }
        if let Ok(array) = value.as_array_ref() {
            return self.array(&array, depth);
        }
        if let Ok(map) = value.as_map_ref() {
            return self.map(&map, depth);
        }
        if let Ok(blob) = value.as_blob_ref() {
            return self.blob(&blob);
        }
        if let Ok(letter) = value.as_char() {
            return self.push(letter.encode_utf8(&mut [0; 4]));
        }
        if let Some(f) = value.read_lock::<FnPtr>() {
            return self.formatted(format_args!("{}", *f));
        }
        if value.is_variant() { self.by_its_own_function(value, form) } else { self.plain(value, form) }
    }

    fn array(&mut self, array: &Array, depth: usize) -> guard::Guarded {
        let depth = deeper(depth)?;
        self.push("[")?;
        for (index, item) in array.iter().enumerate() {
            if index > 0 {
                self.push(", ")?;
            }
            self.value(item, Form::Debug, depth)?;
        }
        self.push("]")
    }

    fn map(&mut self, map: &Map, depth: usize) -> guard::Guarded {
        let depth = deeper(depth)?;
        self.push("#{")?;
        for (index, (key, item)) in map.iter().enumerate() {
            if index > 0 {
                self.push(", ")?;
            }
            self.formatted(format_args!("{:?}: ", key.as_str()))?;
            self.value(item, Form::Debug, depth)?;
        }
        self.push("}")
    }

    fn blob(&mut self, blob: &Blob) -> guard::Guarded {
        self.push("[")?;
        for (index, bytes) in blob.chunks(8).enumerate() {
            if index > 0 {
                self.push(" ")?;
            }
            for byte in bytes {
                self.formatted(format_args!("{byte:02x}"))?;
            }
        }
        self.push("]")
    }

    /// A value of a type that may have a text of its own.
    fn by_its_own_function(&mut self, value: &Dynamic, form: Form) -> guard::Guarded {
        let name = if form == Form::Display { "to_string" } else { "to_debug" };
        match self.context.call_native_fn_raw(name, true, &mut [&mut value.clone()]) {
            Ok(text) => match text.as_immutable_string_ref() {
                Ok(text) => self.push(&text),
                Err(type_name) => self.push(self.context.engine().map_type_name(type_name)),
            },
            Err(_) => self.plain(value, form),
        }
    }

    /// A value that holds no others, as Rhai formats it.
    fn plain(&mut self, value: &Dynamic, form: Form) -> guard::Guarded {
        let text = if form == Form::Display { value.to_string() } else { format!("{value:?}") };
        self.push(self.context.engine().map_type_name(&text))
    }

    fn formatted(&mut self, text: fmt::Arguments<'_>) -> guard::Guarded {
        if self.write_fmt(text).is_ok() {
            return Ok(());
        }
        self.refused.take().map_or(Ok(()), Err)
    }

    fn push(&mut self, text: &str) -> guard::Guarded {
        let length = self.out.len() + text.len();
        if length > self.granted {
            guard::string(length)?;
            // Twice as much is asked for at once, as the string itself grows.
            self.granted = (2 * length).min(meter::limits().string_bytes);
        }
        self.out.push_str(text);
        Ok(())
    }
}

impl Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text).map_err(|refused| {
            self.refused = Some(refused);
            fmt::Error
        })
    }
}
