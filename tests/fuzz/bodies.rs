//! Request bodies: of each kind, whole and broken.

use rand::{Rng, RngCore, rngs::StdRng, seq::IndexedRandom};

const TYPES: &[&str] = &[
    "application/json",
    "application/json; charset=utf-8",
    "application/vnd.api+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "multipart/form-data; boundary=\"b\"",
    "multipart/form-data",
    "text/plain",
    "text/plain; charset=latin1",
    "application/octet-stream",
    "nonsense",
    "",
];

const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "null",
    "true",
    "1",
    "-0.0",
    "1e999",
    "\\u0000",
    "\\ud800",
    "\"a\":",
    "[[[[[[",
    "{\"a\":{\"a\":",
    "a=1&",
    "a=%00",
    "%",
    "&&",
    "=",
    "+",
    "--b\r\n",
    "--b--\r\n",
    "Content-Disposition: form-data; name=\"f\"\r\n",
    "Content-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n",
    "Content-Type: text/plain\r\n",
    "\r\n",
    "\r\n\r\n",
    "é",
    "\u{0}",
    " ",
];

/// A content type and bytes.
pub(crate) fn body(random: &mut StdRng) -> (Option<String>, Vec<u8>) {
    let content_type =
        TYPES.choose(random).filter(|_| random.random_ratio(9, 10)).map(|&name| name.to_owned());
    let mut raw = Vec::new();
    match random.random_range(0..6) {
        0 => {}
        1 => {
            raw.resize(random.random_range(0..4000), 0);
            random.fill_bytes(&mut raw);
        }
        2 => json(random, 0, &mut raw),
        _ => {
            for _ in 0..random.random_range(0..300) {
                raw.extend_from_slice(PIECES.choose(random).copied().unwrap_or_default().as_bytes());
            }
        }
    }
    (content_type, raw)
}

/// JSON, most of it valid.
fn json(random: &mut StdRng, depth: usize, raw: &mut Vec<u8>) {
    let deepest = if random.random_ratio(1, 50) { 70 } else { 6 };
    match random.random_range(0..if depth < deepest { 8 } else { 5 }) {
        0 => raw.extend_from_slice(b"null"),
        1 => raw.extend_from_slice(random.random::<i64>().to_string().as_bytes()),
        2 => raw.extend_from_slice(format!("{:e}", f64::from_bits(random.random())).as_bytes()),
        3 => raw.extend_from_slice(format!("{:?}", "x".repeat(random.random_range(0..50))).as_bytes()),
        4 => raw.extend_from_slice(b"\"\\u0000\\n\\ud83d\\ude00\""),
        5 | 6 => {
            raw.push(b'[');
            for index in 0..random.random_range(0..6) {
                if index > 0 {
                    raw.push(b',');
                }
                json(random, depth + 1, raw);
            }
            raw.push(b']');
        }
        _ => {
            raw.push(b'{');
            for index in 0..random.random_range(0..6) {
                if index > 0 {
                    raw.push(b',');
                }
                raw.extend_from_slice(format!("\"k{index}\":").as_bytes());
                json(random, depth + 1, raw);
            }
            raw.push(b'}');
        }
    }
}
