//! Values to JSON text.

use std::{fmt, io};

use rhai::{Array, Blob, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map};

use super::MAX_DEPTH;
use crate::engine::{call, guard, meter::Stop};

/// Why a value cannot be written as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Unfit {
    /// It holds something JSON has no form for; says what and where.
    NotJson(String),
    /// It is nested too deeply, or without end.
    TooDeep,
    /// One string in it is too long.
    LongString {
        /// The most bytes it may have.
        limit: usize,
    },
    /// Its text is too long.
    TooLarge {
        /// The most bytes it may have.
        limit: usize,
    },
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(why) => f.write_str(why),
            Self::TooDeep => write!(f, "the value is nested more than {MAX_DEPTH} deep"),
            Self::LongString { limit } => write!(f, "a string in it is longer than {limit} bytes"),
            Self::TooLarge { limit } => write!(f, "the value is larger than {limit} bytes as JSON"),
        }
    }
}

impl From<Unfit> for Box<EvalAltResult> {
    /// What a native throws, or what ends the run.
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::NotJson(why) => call::thrown("invalid_value", why).into(),
            Unfit::TooDeep => guard::too_deep(),
            Unfit::LongString { .. } | Unfit::TooLarge { .. } => call::stop(Stop::String).into(),
        }
    }
}

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Layout {
    /// Without a space.
    Compact,
    /// Each item on a line of its own, two spaces deeper than what holds it.
    Pretty,
}

/// Writes `value` as JSON of at most `limit` bytes.
///
/// The limit also bounds the work: a value that shares its parts is written
/// out part by part, and stops when the text is full.
pub(in crate::engine) fn to_json(value: &Dynamic, limit: usize) -> Result<String, Unfit> {
    write_json(value, limit, Layout::Compact)
}

/// Writes `value` as JSON of at most `limit` bytes, in which no string has more than `longest`.
pub(in crate::engine) fn to_json_of_strings(
    value: &Dynamic,
    limit: usize,
    longest: usize,
) -> Result<String, Unfit> {
    Writer { out: String::new(), limit, longest, layout: Layout::Compact }.written(value)
}

/// Writes `value` as JSON of at most `limit` bytes, laid out as told.
pub(in crate::engine) fn write_json(value: &Dynamic, limit: usize, layout: Layout) -> Result<String, Unfit> {
    Writer { out: String::new(), limit, longest: limit, layout }.written(value)
}

/// What went wrong, and the steps that led there, innermost first.
enum Problem {
    Unfit(Unfit),
    NotJson { what: String, path: Vec<String> },
}

struct Writer {
    out: String,
    limit: usize,
    /// The most bytes of one string.
    longest: usize,
    layout: Layout,
}

impl Writer {
    fn written(mut self, value: &Dynamic) -> Result<String, Unfit> {
        self.value(value, 0).map_err(|problem| match problem {
            Problem::Unfit(unfit) => unfit,
            Problem::NotJson { what, path } => Unfit::NotJson(describe(&what, &path)),
        })?;
        Ok(self.out)
    }

    fn value(&mut self, value: &Dynamic, depth: usize) -> Result<(), Problem> {
        if value.is_shared() {
            // A lock held elsewhere on this thread means that the value is being changed.
            let inner = value.read_lock::<Dynamic>().ok_or_else(|| not_json("a value that is in use"))?;
            return self.value(&inner, depth);
        }
        if value.is_unit() {
            return self.push("null");
        }
        if let Ok(value) = value.as_bool() {
            return self.push(if value { "true" } else { "false" });
        }
        if let Ok(value) = value.as_int() {
            return self.push(&value.to_string());
        }
        if let Ok(value) = value.as_float() {
            return self.float(value);
        }
        if let Ok(value) = value.as_char() {
            return self.string(value.encode_utf8(&mut [0; 4]));
        }
        if let Some(value) = value.read_lock::<ImmutableString>() {
            return self.string(&value);
        }
        if let Some(value) = value.read_lock::<Array>() {
            return self.array(&value, depth);
        }
        if let Some(value) = value.read_lock::<Map>() {
            return self.map(&value, depth);
        }
        Err(not_json(foreign(value)))
    }

    fn float(&mut self, value: f64) -> Result<(), Problem> {
        if value.is_nan() {
            return Err(not_json("NaN"));
        }
        if value.is_infinite() {
            return Err(not_json("an infinite number"));
        }
        // The shortest text that reads back as the same float, and as a float.
        self.push(&format!("{value:?}"))
    }

    fn string(&mut self, text: &str) -> Result<(), Problem> {
        if text.len() > self.longest {
            return Err(Problem::Unfit(Unfit::LongString { limit: self.longest }));
        }
        // Before it is escaped: the text may be far larger than what fits.
        if text.len() > self.limit - self.out.len() {
            return Err(self.too_large());
        }
        // Escaped it may be six times as long: it is written piece by piece.
        serde_json::to_writer(&mut *self, text).map_err(|_| self.too_large())
    }

    fn array(&mut self, array: &Array, depth: usize) -> Result<(), Problem> {
        let depth = deeper(depth)?;
        self.push("[")?;
        for (index, item) in array.iter().enumerate() {
            if index > 0 {
                self.push(",")?;
            }
            self.line(depth)?;
            self.value(item, depth).map_err(|problem| problem.within(|| format!("[{index}]")))?;
        }
        if !array.is_empty() {
            self.line(depth - 1)?;
        }
        self.push("]")
    }

    fn map(&mut self, map: &Map, depth: usize) -> Result<(), Problem> {
        let depth = deeper(depth)?;
        self.push("{")?;
        for (index, (key, item)) in map.iter().enumerate() {
            if index > 0 {
                self.push(",")?;
            }
            self.line(depth)?;
            self.string(key)?;
            self.push(if self.layout == Layout::Pretty { ": " } else { ":" })?;
            self.value(item, depth).map_err(|problem| problem.within(|| format!(".{key}")))?;
        }
        if !map.is_empty() {
            self.line(depth - 1)?;
        }
        self.push("}")
    }

    /// Begins a line at a depth, where lines are wanted.
    fn line(&mut self, depth: usize) -> Result<(), Problem> {
        if self.layout == Layout::Compact {
            return Ok(());
        }
        self.push("\n")?;
        (0..depth).try_for_each(|_| self.push("  "))
    }

    fn push(&mut self, text: &str) -> Result<(), Problem> {
        if text.len() > self.limit - self.out.len() {
            return Err(self.too_large());
        }
        self.out.push_str(text);
        Ok(())
    }

    fn too_large(&self) -> Problem {
        Problem::Unfit(Unfit::TooLarge { limit: self.limit })
    }
}

impl io::Write for Writer {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(piece).map_err(io::Error::other)?;
        self.push(text).map_err(|_| io::ErrorKind::WriteZero)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Problem {
    fn within(self, step: impl FnOnce() -> String) -> Self {
        match self {
            Self::NotJson { what, mut path } => {
                path.push(step());
                Self::NotJson { what, path }
            }
            unfit @ Self::Unfit(_) => unfit,
        }
    }
}

fn deeper(depth: usize) -> Result<usize, Problem> {
    if depth == MAX_DEPTH { Err(Problem::Unfit(Unfit::TooDeep)) } else { Ok(depth + 1) }
}

fn not_json(what: impl Into<String>) -> Problem {
    Problem::NotJson { what: what.into(), path: Vec::new() }
}

/// What a value is that JSON has no form for, and what to do instead.
fn foreign(value: &Dynamic) -> String {
    if value.is::<Blob>() {
        "a blob (turn it into text first)".to_owned()
    } else if value.is::<FnPtr>() {
        "a function".to_owned()
    } else if value.is::<std::time::Instant>() {
        "a timestamp (use its `elapsed`)".to_owned()
    } else {
        let name = value.type_name();
        format!("a value of type {}", name.rsplit("::").next().unwrap_or(name))
    }
}

fn describe(what: &str, path: &[String]) -> String {
    let path: String = path.iter().rev().map(String::as_str).collect();
    if path.is_empty() {
        format!("JSON cannot hold {what}")
    } else {
        let place = crate::base::name::truncated(path, 200);
        format!("JSON cannot hold {what}, which is at {}", place.trim_start_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use rhai::{Engine, Scope};

    use super::*;

    fn written(script: &str, limit: usize) -> Result<String, Unfit> {
        let value = Engine::new().eval_with_scope::<Dynamic>(&mut Scope::new(), script);
        to_json(&value.expect("the test's script runs"), limit)
    }

    #[test]
    fn values_are_written_as_what_they_are() {
        for (script, text) in [
            ("()", "null"),
            ("1.0", "1.0"),
            ("-0.0", "-0.0"),
            ("1e16", "1e16"),
            ("'c'", "\"c\""),
            ("\"a\\x00b\"", "\"a\\u0000b\""),
            ("#{ b: 1, a: [true, ()] }", "{\"a\":[true,null],\"b\":1}"),
            ("let x = 1; let f = || x; x", "1"),
            ("let x = [1]; let f = || x.push(2); f.call(); #{ x: x }", "{\"x\":[1,2]}"),
        ] {
            assert_eq!(written(script, 1000).as_deref(), Ok(text), "{script}");
        }
    }

    #[test]
    fn what_json_cannot_hold_is_named_with_its_place() {
        for (script, why) in [
            ("0.0 / 0.0", "JSON cannot hold NaN"),
            ("#{ a: [1, 1.0 / 0.0] }", "JSON cannot hold an infinite number, which is at a[1]"),
            ("[|x| x]", "JSON cannot hold a function, which is at [0]"),
            ("#{ a: blob(3) }", "JSON cannot hold a blob (turn it into text first), which is at a"),
            ("timestamp()", "JSON cannot hold a timestamp (use its `elapsed`)"),
            ("0..3", "JSON cannot hold a value of type Range<i64>"),
        ] {
            assert_eq!(written(script, 1000), Err(Unfit::NotJson(why.to_owned())), "{script}");
        }
    }

    #[test]
    fn nesting_ends_at_64() {
        let nested = |depth: usize| format!("let a = 1; for i in 0..{depth} {{ a = [a] }} a");
        assert!(written(&nested(64), 1000).is_ok());
        assert_eq!(written(&nested(65), 1000), Err(Unfit::TooDeep));
        let mut cycle = Dynamic::from_map(Map::new()).into_shared();
        let itself = cycle.clone();
        cycle.write_lock::<Map>().expect("a map").insert("a".into(), itself);
        assert_eq!(to_json(&cycle, 1000), Err(Unfit::TooDeep));
    }

    #[test]
    fn a_value_larger_than_the_limit_stops_where_it_is_full() {
        assert!(written("[1, 2]", 5).is_ok());
        assert_eq!(written("[1, 2]", 4), Err(Unfit::TooLarge { limit: 4 }));
        assert_eq!(written("\"aaaa\"", 5), Err(Unfit::TooLarge { limit: 5 }));
        let mut shared = Dynamic::from(1_i64);
        for _ in 0..40 {
            let half = shared.into_shared();
            shared = vec![half.clone(), half].into();
        }
        // 2^40 numbers, were it written out.
        assert_eq!(to_json(&shared, 1 << 16), Err(Unfit::TooLarge { limit: 1 << 16 }));
    }
}
