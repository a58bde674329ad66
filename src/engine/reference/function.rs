//! How a function that scripts can call is described.

/// A function, or several of one name and purpose.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// How it is called and what it gives, as in `text.sub_string(start, length) -> string`.
    pub calls: &'static [&'static str],
    /// What it does, in a sentence or two.
    pub does: &'static str,
    /// The kinds of errors it throws, besides `invalid_argument` for a value of a type it does not take.
    pub throws: &'static [&'static str],
    /// A script that shows it.
    pub example: &'static str,
    /// What the example answers with, as JSON; `()` is nothing.
    pub gives: &'static str,
}

/// A function that throws nothing of its own.
pub(in crate::engine) const fn function(
    calls: &'static [&'static str],
    does: &'static str,
    example: &'static str,
    gives: &'static str,
) -> Function {
    Function { calls, does, throws: &[], example, gives }
}

impl Function {
    /// The same, throwing errors of these kinds.
    pub(in crate::engine) const fn throws(self, kinds: &'static [&'static str]) -> Self {
        Self { throws: kinds, ..self }
    }

    /// Its name: what stands before the brackets, after the dot, or between the operands.
    pub fn name(&self) -> &'static str {
        self.calls.first().map_or("", |call| name(call))
    }
}

/// The name of what a signature calls.
pub(in crate::engine) fn name(call: &str) -> &str {
    let call = call.split(" -> ").next().unwrap_or_default();
    match call.split_once('(') {
        Some((before, _)) => before.rsplit_once('.').map_or(before, |(_, name)| name),
        None if call.starts_with('!') => "!",
        None => match call.split(' ').nth(1) {
            Some(operator) => operator,
            None => call.rsplit_once('.').map_or(call, |(_, name)| name),
        },
    }
}

/// How many arguments a signature has.
#[cfg(test)]
pub(in crate::engine) fn arity(call: &str) -> usize {
    let arguments =
        call.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inner, _)| inner);
    arguments.split(',').filter(|argument| !argument.trim().is_empty()).count()
}
