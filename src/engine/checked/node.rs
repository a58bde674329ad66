//! The nodes: what each does with the value of the expression it stands around.

use rhai::{
    Array, CustomExpr, Dynamic, Engine, EvalAltResult, EvalContext, Expr, Expression, FnPtr, Module,
    NativeCallContext, Position,
};

use super::{MAX_ARGUMENTS, body};
use crate::engine::{
    call,
    natives::{Form, could_be_literal, text},
};

/// The key of all nodes: finding what a key means takes a while, so there is but one. No script can write it.
pub(super) const KEY: &str = "check?";

/// What a node does with the values of its expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Lets a `switch` see only what a `case` can be.
    Switch,
    /// Makes the text of a value.
    Text,
    /// Makes text of what may be long as text.
    Slice,
    /// The same, if the second expression is a range.
    SliceBy,
    /// Refuses a range.
    Index,
    /// Refuses a function pointer that carries too many values.
    Curried,
    /// Says where it failed, if nothing within does.
    Place,
}

impl Check {
    const ALL: [Self; 7] =
        [Self::Switch, Self::Text, Self::Slice, Self::SliceBy, Self::Index, Self::Curried, Self::Place];

    /// What a node does, by what it carries; nothing of the kind if it is a function's body.
    pub(super) fn from(state: &Dynamic) -> Option<Self> {
        state.as_int().ok().and_then(|number| Self::ALL.get(usize::try_from(number).ok()?).copied())
    }
}

/// The name of the method that curries within bounds. No script can write it.
pub(super) const CURRY: &str = "curry?";

type Value = Result<Dynamic, Box<EvalAltResult>>;

/// Makes a node around expressions, the first of which says where it is.
pub(super) fn node<const N: usize>(check: Check, inputs: [Expr; N]) -> Expr {
    let at = inputs.first().map_or(Position::NONE, Expr::start_position);
    let custom = CustomExpr {
        inputs: inputs.into_iter().collect(),
        tokens: std::iter::once(KEY.into()).collect(),
        state: Dynamic::from(check as i64),
        scope_may_be_changed: false,
        self_terminated: false,
    };
    Expr::Custom(Box::new(custom), at)
}

/// Teaches an engine what the nodes mean.
pub(super) fn install(engine: &mut Engine) {
    engine.register_custom_syntax_with_state_raw(
        KEY,
        |_, _, _| Ok(None),
        false,
        |context, inputs, state| match Check::from(state) {
            Some(Check::Switch) => switch(context, inputs),
            Some(Check::Text) => as_text(context, inputs),
            Some(Check::Slice) => for_slice(context, inputs),
            Some(Check::SliceBy) => for_slice_by(context, inputs),
            Some(Check::Index) => no_range(context, inputs),
            Some(Check::Curried) => curried(context, inputs),
            Some(Check::Place) => {
                inputs[0].eval_with_context(context).map_err(|error| placed(error, &inputs[0]))
            }
            None => body::run(context, state),
        },
    );
}

/// Registers the method.
pub(super) fn register(module: &mut Module) {
    module.set_native_fn(CURRY, |f: &mut FnPtr, values: Array| {
        let mut f = f.clone();
        f.extend(values);
        within_bounds(f.into())
    });
}

/// What no `case` can be is a value that no `case` is compared with.
fn switch(context: &mut EvalContext<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Value {
    #[derive(Clone)]
    struct Other;
    let value = inputs[0].eval_with_context(context)?;
    Ok(if could_be_literal(&value) { value } else { Dynamic::from(Other) })
}

fn as_text(context: &mut EvalContext<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Value {
    let value = inputs[0].eval_with_context(context)?;
    written(context, inputs, value)
}

fn for_slice(context: &mut EvalContext<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Value {
    let value = inputs[0].eval_with_context(context)?;
    if is_plain(&value) { Ok(value) } else { written(context, inputs, value) }
}

fn for_slice_by(context: &mut EvalContext<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Value {
    let value = inputs[0].eval_with_context(context)?;
    if is_plain(&value) || !is_range(&inputs[1].eval_with_context(context)?) {
        return Ok(value);
    }
    written(context, inputs, value)
}

fn no_range(context: &mut EvalContext<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Value {
    let value = inputs[0].eval_with_context(context)?;
    if is_range(&value) {
        let why = "a range that is computed in the place of an index cannot be assigned to: \
                   put it into a variable first";
        return Err(placed(call::thrown("invalid_index", why).into(), &inputs[0]));
    }
    Ok(value)
}

fn curried(context: &mut EvalContext<'_, '_, '_, '_, '_, '_>, inputs: &[Expression<'_>]) -> Value {
    let value = inputs[0].eval_with_context(context)?;
    within_bounds(value).map_err(|error| placed(error, &inputs[0]))
}

/// The value as `print` writes it.
fn written(
    context: &EvalContext<'_, '_, '_, '_, '_, '_>,
    inputs: &[Expression<'_>],
    value: Dynamic,
) -> Value {
    if value.is_string() {
        return Ok(value);
    }
    let at = inputs[0].position();
    let global = context.global_runtime_state();
    let native = NativeCallContext::new_with_all_fields(context.engine(), "to_string", None, global, at);
    text(&native, &value, Form::Display).map(Into::into).map_err(|error| placed(error, &inputs[0]))
}

fn within_bounds(value: Dynamic) -> Value {
    let carried = value.read_lock::<FnPtr>().map_or(0, |f| f.curry().len());
    if carried > MAX_ARGUMENTS {
        let why = format!("a function pointer carries at most {MAX_ARGUMENTS} values");
        return Err(call::thrown("too_many_arguments", why).into());
    }
    Ok(value)
}

/// Whether the text of a value is no longer than what it is.
fn is_plain(value: &Dynamic) -> bool {
    value.is_string()
        || value.is_int()
        || value.is_char()
        || value.is_float()
        || value.is_bool()
        || value.is_unit()
}

fn is_range(value: &Dynamic) -> bool {
    value.is::<std::ops::Range<i64>>() || value.is::<std::ops::RangeInclusive<i64>>()
}

#[expect(clippy::unnecessary_box_returns, reason = "a node returns it as it is")]
fn placed(mut error: Box<EvalAltResult>, input: &Expression<'_>) -> Box<EvalAltResult> {
    if error.position().is_none() {
        error.set_position(input.position());
    }
    error
}
