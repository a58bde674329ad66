//! Strings with values behind or before them: `+`, `+=` and `append`.
//!
//! Between strings these are Rhai's own operators.

use rhai::{Dynamic, EvalAltResult, ImmutableString, Module, NativeCallContext};

use super::{
    add, add_pure,
    text::{Form, text},
};

type Joined = Result<ImmutableString, Box<EvalAltResult>>;

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    add_pure(
        module,
        "+",
        |context: NativeCallContext<'_>, string: &mut ImmutableString, value: Dynamic| -> Joined {
            Ok(joined(string, &text(&context, &value, Form::Display)?))
        },
    );
    add_pure(
        module,
        "+",
        |context: NativeCallContext<'_>, value: &mut Dynamic, string: ImmutableString| -> Joined {
            Ok(joined(&text(&context, value, Form::Display)?, &string))
        },
    );
    for name in ["+=", "append"] {
        add(
            module,
            name,
            |context: NativeCallContext<'_>,
             string: &mut ImmutableString,
             value: Dynamic|
             -> Result<(), Box<EvalAltResult>> {
                *string += text(&context, &value, Form::Display)?;
                Ok(())
            },
        );
    }
}

/// In a string that is no longer than it has to be.
fn joined(first: &str, second: &str) -> ImmutableString {
    [first, second].concat().into()
}
