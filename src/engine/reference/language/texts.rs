//! Strings and characters.

use super::Group;
use crate::engine::reference::function::function;

/// Functions of strings.
pub(super) const STRINGS: Group = Group {
    title: "Strings",
    about: "Text in double quotes, or in backticks with `${...}` for values. Positions count characters from 0; \
            a negative one counts from the end. Functions called on a string change it unless they say that they \
            give a new one.",
    functions: &[
        function(
            &["text.len() -> int", "text.len -> int"],
            "The number of characters.",
            r#""für".len()"#,
            "3",
        ),
        function(
            &["text.bytes() -> int", "text.bytes -> int"],
            "The number of bytes in UTF-8.",
            r#""für".bytes"#,
            "4",
        ),
        function(
            &["text.is_empty() -> bool", "text.is_empty -> bool"],
            "Whether it has no character.",
            r#""".is_empty()"#,
            "true",
        ),
        function(
            &["a + b -> string"],
            "Both texts in a row; any value can stand on one side.",
            r#""n = " + 42"#,
            r#""n = 42""#,
        ),
        function(&["a += b"], "Appends to the variable.", r#"let s = "a"; s += "b"; s"#, r#""ab""#),
        function(
            &["text.append(value)"],
            "Appends the text of a value.",
            r#"let s = "a"; s.append(1); s"#,
            r#""a1""#,
        ),
        function(
            &["text.contains(part) -> bool"],
            "Whether a text or character is in it; also `part in text`.",
            r#""garden".contains("den")"#,
            "true",
        ),
        function(
            &["text.starts_with(part) -> bool"],
            "Whether it begins with a text.",
            r#""garden".starts_with("gar")"#,
            "true",
        ),
        function(
            &["text.ends_with(part) -> bool"],
            "Whether it ends with a text.",
            r#""garden".ends_with("den")"#,
            "true",
        ),
        function(
            &["text.index_of(part) -> int", "text.index_of(part, start) -> int"],
            "Where a text or character first is, or -1.",
            r#""banana".index_of("na", 3)"#,
            "4",
        ),
        function(
            &[
                "text.sub_string(start) -> string",
                "text.sub_string(start, length) -> string",
                "text.sub_string(range) -> string",
            ],
            "A part, as a new string; `text[range]` does the same.",
            r#""garden".sub_string(3, 2)"#,
            r#""de""#,
        ),
        function(
            &["text.crop(start)", "text.crop(start, length)", "text.crop(range)"],
            "Keeps only a part.",
            r#"let s = "garden"; s.crop(3); s"#,
            r#""den""#,
        ),
        function(
            &["text.truncate(length)"],
            "Cuts it off after so many characters.",
            r#"let s = "garden"; s.truncate(3); s"#,
            r#""gar""#,
        ),
        function(
            &["text.pad(length, filler)"],
            "Appends a character or text until it is that long.",
            r#"let s = "7"; s.pad(3, '.'); s"#,
            r#""7..""#,
        ),
        function(
            &["text.remove(part)"],
            "Removes a text or character wherever it is.",
            r#"let s = "banana"; s.remove("an"); s"#,
            r#""ba""#,
        ),
        function(
            &["text.replace(part, with)"],
            "Replaces a text or character wherever it is.",
            r#"let s = "a-b-c"; s.replace("-", "+"); s"#,
            r#""a+b+c""#,
        ),
        function(&["text.clear()"], "Makes it empty.", r#"let s = "a"; s.clear(); s"#, r#""""#),
        function(
            &["text.pop() -> char", "text.pop(count) -> string"],
            "Takes the last character or characters off and gives them.",
            r#"let s = "garden"; s.pop(3)"#,
            r#""den""#,
        ),
        function(
            &["text.trim()"],
            "Removes white space at both ends.",
            r#"let s = "  a "; s.trim(); s"#,
            r#""a""#,
        ),
        function(
            &["text.to_upper() -> string"],
            "In capitals, as a new string.",
            r#""für".to_upper()"#,
            r#""FÜR""#,
        ),
        function(
            &["text.to_lower() -> string"],
            "In small letters, as a new string.",
            r#""FÜR".to_lower()"#,
            r#""für""#,
        ),
        function(
            &["text.make_upper()"],
            "Puts it into capitals.",
            r#"let s = "a"; s.make_upper(); s"#,
            r#""A""#,
        ),
        function(
            &["text.make_lower()"],
            "Puts it into small letters.",
            r#"let s = "A"; s.make_lower(); s"#,
            r#""a""#,
        ),
        function(
            &[
                "text.split() -> array",
                "text.split(separator) -> array",
                "text.split(separator, most) -> array",
                "text.split(position) -> array",
            ],
            "The parts between white space, between separators (at most so many parts), or before and after a position.",
            r#""a,b,c".split(",", 2)"#,
            r#"["a","b,c"]"#,
        ),
        function(
            &["text.split_rev(separator) -> array", "text.split_rev(separator, most) -> array"],
            "The parts between separators, from the end.",
            r#""a,b,c".split_rev(",")"#,
            r#"["c","b","a"]"#,
        ),
        function(&["text.to_chars() -> array"], "Its characters.", r#""für".to_chars()"#, r#"["f","ü","r"]"#),
        function(
            &["text.chars() -> iterator", "text.chars(start, length) -> iterator", "text.chars -> iterator"],
            "Its characters, for a loop.",
            r#"let n = 0; for c in "banana".chars() { if c == 'a' { n += 1 } } n"#,
            "3",
        ),
        function(
            &["text.get(position) -> char"],
            "The character at a position, or `()`; `text[position]` throws instead.",
            r#""abc".get(-1)"#,
            r#""c""#,
        ),
        function(
            &["text.set(position, character)"],
            "Puts a character at a position that is there.",
            r#"let s = "abc"; s.set(0, 'x'); s"#,
            r#""xbc""#,
        ),
        function(
            &["parse_int(text) -> int", "parse_int(text, radix) -> int"],
            "The integer a text writes; throws if it writes none.",
            r#"parse_int("ff", 16)"#,
            "255",
        ),
        function(
            &["parse_float(text) -> float"],
            "The float a text writes; throws if it writes none.",
            r#"parse_float("2.50")"#,
            "2.5",
        ),
        function(
            &["parse_json(text) -> value"],
            "The same as `json::parse`.",
            r#"parse_json("[1, null]")"#,
            "[1,null]",
        ),
        function(&["text.to_blob() -> blob"], "Its bytes in UTF-8.", r#""für".to_blob().len()"#, "4"),
    ],
};

/// Functions of characters.
pub(super) const CHARACTERS: Group = Group {
    title: "Characters",
    about: "One letter in single quotes. A character and a string compare and join as strings do.",
    functions: &[
        function(&["character.to_int() -> int"], "Its number in Unicode.", "'A'.to_int()", "65"),
        function(&["character.to_upper() -> char"], "As a capital.", "'ü'.to_upper()", r#""Ü""#),
        function(&["character.to_lower() -> char"], "As a small letter.", "'A'.to_lower()", r#""a""#),
        function(
            &["character.make_upper()", "character.make_lower()"],
            "Changes the variable.",
            "let c = 'a'; c.make_upper(); c",
            r#""A""#,
        ),
        function(
            &[
                "a == b -> bool",
                "a != b -> bool",
                "a < b -> bool",
                "a <= b -> bool",
                "a > b -> bool",
                "a >= b -> bool",
            ],
            "Compares; strings and characters in the order of Unicode.",
            r#"["a" < "b", 'Z' < 'a', "a" == 'a']"#,
            "[true,true,true]",
        ),
    ],
};
