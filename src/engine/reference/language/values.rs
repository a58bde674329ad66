//! Functions as values, ranges, and what all values have.

use super::Group;
use crate::engine::reference::function::function;

/// Functions of functions.
pub(super) const FUNCTIONS: Group = Group {
    title: "Functions and closures",
    about: "`fn add(a, b) { a + b }` makes a function, which sees its arguments and `ctx` and no variable outside. A \
            closure, `|x| x + n`, is a value and shares the variables it names with what surrounds it.",
    functions: &[
        function(&["f.call(...) -> value"], "Calls it.", "let n = 10; let f = |x| x + n; f.call(1)", "11"),
        function(
            &["f.curry(value) -> function"],
            "A function with its first argument given.",
            "let f = |a, b| a - b; f.curry(10).call(3)",
            "7",
        ),
        function(
            &["Fn(name) -> function"],
            "The function of a name.",
            r#"fn double(x) { x * 2 } Fn("double").call(4)"#,
            "8",
        ),
        function(
            &["f.name() -> string", "f.name -> string"],
            "Its name.",
            r#"fn double(x) { x * 2 } Fn("double").name"#,
            r#""double""#,
        ),
        function(
            &["f.is_anonymous() -> bool", "f.is_anonymous -> bool"],
            "Whether it is a closure.",
            "let f = |x| x; f.is_anonymous",
            "true",
        ),
        function(
            &["is_def_fn(name, arguments) -> bool"],
            "Whether the script has a function of a name with so many arguments.",
            r#"fn f(x) { x } is_def_fn("f", 1)"#,
            "true",
        ),
        function(
            &["is_def_var(name) -> bool"],
            "Whether there is a variable of a name.",
            r#"let x = 1; is_def_var("x")"#,
            "true",
        ),
        function(
            &["is_shared(variable) -> bool"],
            "Whether a closure shares it.",
            "let x = 1; let f = || x; is_shared(x)",
            "true",
        ),
        function(
            &[
                "get_fn_metadata_list() -> array",
                "get_fn_metadata_list(name) -> array",
                "get_fn_metadata_list(name, arguments) -> array",
            ],
            "What functions the script has: maps with `name`, `params` and more.",
            "fn f(x) { x } get_fn_metadata_list(\"f\")[0].params",
            r#"["x"]"#,
        ),
    ],
};

/// Functions of ranges.
pub(super) const RANGES: Group = Group {
    title: "Ranges and loops",
    about: "`for item in list`, `for (item, position) in list`, `while`, `loop`, `do`, with `break` and `continue`. Loops go \
            over arrays, blobs, strings, maps (`for key in map.keys()`) and ranges: `0..3` is 0, 1, 2 and `0..=3` is \
            0, 1, 2, 3.",
    functions: &[
        function(
            &[
                "range(from, to) -> iterator",
                "range(from, to, step) -> iterator",
                "range(range, step) -> iterator",
            ],
            "Numbers from one to before another, of any step.",
            "let a = []; for i in range(10, 0, -3) { a.push(i) } a",
            "[10,7,4,1]",
        ),
        function(
            &["range.start() -> int", "range.start -> int", "range.end() -> int", "range.end -> int"],
            "Its ends as they are written.",
            "let r = 2..5; [r.start, r.end]",
            "[2,5]",
        ),
        function(
            &[
                "range.is_inclusive() -> bool",
                "range.is_inclusive -> bool",
                "range.is_exclusive() -> bool",
                "range.is_exclusive -> bool",
            ],
            "Whether its end belongs to it.",
            "(0..=3).is_inclusive",
            "true",
        ),
        function(
            &["range.is_empty() -> bool", "range.is_empty -> bool"],
            "Whether nothing is in it.",
            "(3..3).is_empty",
            "true",
        ),
        function(
            &["range.contains(number) -> bool"],
            "Whether a number is in it; also `number in range`.",
            "[(0..3).contains(2), 3 in 0..3]",
            "[true,false]",
        ),
    ],
};

/// Functions of all values.
pub(super) const ANY: Group = Group {
    title: "All values",
    about: "`()` is nothing: what a missing key, a function without a result and JSON's `null` are. `a ?? b` is `a` unless \
            that is `()`, and `map?.key` is `()` if the map is.",
    functions: &[
        function(
            &["!yes -> bool"],
            "Not. Also `a && b` and `a || b`, which look at `b` only if they must.",
            "[!true, true && !false, false || true]",
            "[false,true,true]",
        ),
        function(
            &["type_of(value) -> string"],
            "The name of its type: `i64 f64 bool char string array map blob Fn ()` and others.",
            "[1, 1.0, (), #{}].map(|x| type_of(x))",
            r#"["i64","f64","()","map"]"#,
        ),
        function(
            &["value.to_string() -> string"],
            "Its text, as in `${value}`.",
            "[1, \"a\", #{ b: () }].to_string()",
            r#""[1, \"a\", #{\"b\": ()}]""#,
        ),
        function(
            &["value.to_debug() -> string"],
            "Its text as source shows it.",
            r#""a\n".to_debug()"#,
            r#""\"a\\n\"""#,
        ),
        function(&["print(value)"], "Writes an info line into the run's log.", "print(1)", "()"),
        function(&["debug(value)"], "Writes a debug line into the run's log.", "debug([1])", "()"),
        function(
            &["take(variable) -> value"],
            "Moves the value out of a variable, which is `()` then.",
            "let a = [1]; let b = take(a); [a, b]",
            "[null,[1]]",
        ),
        function(
            &["timestamp() -> timestamp"],
            "A stopwatch that starts now; timestamps can be subtracted and compared.",
            "let start = timestamp(); start.elapsed < 60.0",
            "true",
        ),
        function(
            &["timestamp.elapsed() -> float", "timestamp.elapsed -> float"],
            "The seconds since.",
            "timestamp().elapsed() >= 0.0",
            "true",
        ),
        function(
            &["sleep(seconds)"],
            "Waits, also for a fraction of a second. Others run meanwhile, and the run's wall clock goes on.",
            "sleep(0.01)",
            "()",
        ),
        function(
            &["exit()", "exit(value)"],
            "Ends the run with that answer, from however deep inside.",
            "fn f() { exit(7) } f(); 8",
            "7",
        ),
        function(
            &["value.tag() -> int", "value.tag -> int", "value.set_tag(number)"],
            "A small number that a variable can carry beside its value.",
            "let x = 1; x.tag = 5; x.tag",
            "5",
        ),
    ],
};
