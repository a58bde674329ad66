//! Blobs.

use super::Group;
use crate::engine::reference::function::function;

/// Functions of blobs.
pub(super) const BLOBS: Group = Group {
    title: "Blobs",
    about: "Bytes: `blob[0]` is an integer from 0 to 255. Blobs also have these functions of arrays, with the same \
            meaning: `len is_empty get set push append insert pop shift remove clear truncate chop pad extract split \
            splice drain retain reverse contains`, and `==`, `+`, `+=`.",
    functions: &[
        function(
            &["blob() -> blob", "blob(length) -> blob", "blob(length, byte) -> blob"],
            "A blob of zeros, or of one byte repeated.",
            "blob(3, 65).as_string()",
            r#""AAA""#,
        ),
        function(
            &[
                "bytes.as_string() -> string",
                "bytes.as_string(start, length) -> string",
                "bytes.as_string(range) -> string",
            ],
            "The text the bytes are in UTF-8; what is not UTF-8 becomes `\u{fffd}`.",
            r#""hello".to_blob().as_string()"#,
            r#""hello""#,
        ),
        function(&["bytes.to_array() -> array"], "The bytes as integers.", "blob(2, 7).to_array()", "[7,7]"),
        function(
            &["bytes.parse_le_int(start, length) -> int", "bytes.parse_be_int(start, length) -> int"],
            "The integer that 8 bytes write, lowest or highest byte first.",
            "let b = blob(8); b[1] = 1; [b.parse_le_int(0, 8), b.parse_be_int(0, 8)]",
            "[256,281474976710656]",
        ),
        function(
            &["bytes.parse_le_float(start, length) -> float", "bytes.parse_be_float(start, length) -> float"],
            "The float that 8 bytes write.",
            "blob(8).parse_le_float(0, 8)",
            "0.0",
        ),
        function(
            &["bytes.write_le(start, length, number)", "bytes.write_be(start, length, number)"],
            "Writes a number into 8 bytes, lowest or highest byte first.",
            "let b = blob(8); b.write_le(0, 8, 258); b.to_array()",
            "[2,1,0,0,0,0,0,0]",
        ),
        function(
            &["bytes.write_utf8(start, length, text)", "bytes.write_ascii(start, length, text)"],
            "Writes a text over the bytes, in UTF-8 or its ASCII characters only.",
            r#"let b = blob(3, 46); b.write_utf8(0, 2, "ok"); b.as_string()"#,
            r#""ok.""#,
        ),
    ],
};
