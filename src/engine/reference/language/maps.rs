//! Maps.

use super::Group;
use crate::engine::reference::function::function;

/// Functions of maps.
pub(super) const MAPS: Group = Group {
    title: "Maps",
    about: "Values by name, `#{ name: \"Ada\", \"odd key\": 1 }`, read and written as `map.name` or `map[\"odd key\"]`. A \
            key that is not there reads as `()`. Keys are kept in alphabetical order.",
    functions: &[
        function(&["map.len() -> int"], "The number of keys.", "#{ a: 1, b: 2 }.len()", "2"),
        function(&["map.is_empty() -> bool"], "Whether there is none.", "#{}.is_empty()", "true"),
        function(&["map.keys() -> array"], "The keys.", "#{ b: 1, a: 2 }.keys()", r#"["a","b"]"#),
        function(
            &["map.values() -> array"],
            "The values, in the order of their keys.",
            "#{ b: 1, a: 2 }.values()",
            "[2,1]",
        ),
        function(
            &["map.contains(key) -> bool"],
            "Whether a key is there; also `key in map`.",
            r#"[#{ a: () }.contains("a"), "b" in #{ a: () }]"#,
            "[true,false]",
        ),
        function(&["map.get(key) -> value"], "A key's value, or `()`.", r#"#{ a: 1 }.get("b")"#, "()"),
        function(
            &["map.set(key, value)"],
            "Sets a key's value.",
            r#"let m = #{}; m.set("a", 1); m"#,
            r#"{"a":1}"#,
        ),
        function(
            &["map.remove(key) -> value"],
            "Takes a key out, and gives its value or `()`.",
            r#"let m = #{ a: 1 }; [m.remove("a"), m]"#,
            "[1,{}]",
        ),
        function(&["map.clear()"], "Takes all keys out.", "let m = #{ a: 1 }; m.clear(); m", "{}"),
        function(
            &["map.mixin(other)"],
            "Sets all that another map has; `map += other` too.",
            "let m = #{ a: 1, b: 1 }; m.mixin(#{ b: 2 }); m",
            r#"{"a":1,"b":2}"#,
        ),
        function(
            &["a + b -> map"],
            "Both in one; the second wins.",
            "#{ a: 1 } + #{ a: 2, b: 3 }",
            r#"{"a":2,"b":3}"#,
        ),
        function(
            &["map.fill_with(other)"],
            "Sets what another map has and this one has not.",
            "let m = #{ a: 1 }; m.fill_with(#{ a: 9, b: 9 }); m",
            r#"{"a":1,"b":9}"#,
        ),
        function(
            &["map.filter(test) -> map"],
            "A copy of the entries for whose keys a function says yes; the value is `this`.",
            "#{ a: 1, b: 2 }.filter(|key| this > 1)",
            r#"{"b":2}"#,
        ),
        function(
            &["map.drain(test) -> map"],
            "Takes out the entries for whose keys a function says yes, and gives them.",
            r#"let m = #{ a: 1, b: 2 }; [m.drain(|key| key == "a"), m]"#,
            r#"[{"a":1},{"b":2}]"#,
        ),
        function(
            &["map.retain(test) -> map"],
            "Keeps the entries for whose keys a function says yes, and gives the others.",
            r#"let m = #{ a: 1, b: 2 }; [m.retain(|key| key == "a"), m]"#,
            r#"[{"b":2},{"a":1}]"#,
        ),
        function(
            &["map.to_json() -> string"],
            "The same as `json::stringify`.",
            "#{ a: 1 }.to_json()",
            r#""{\"a\":1}""#,
        ),
        function(
            &["a == b -> bool", "a != b -> bool"],
            "Compares keys and values.",
            "#{ a: 1 } == #{ a: 1 }",
            "true",
        ),
    ],
};
