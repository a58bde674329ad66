//! The standard library: what each function gives, what it throws, and where it ends.

mod encodings;
mod json;
mod random;
mod regex;
mod time;
mod url;

use std::sync::LazyLock;

use super::*;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| engine(|_| ()));

/// What `source` answers with, as JSON.
fn given(source: &str) -> String {
    let outcome = run_on(&ENGINE, source, |_| ());
    match &outcome.result {
        Ok(response) if response.status == 204 => "()".to_owned(),
        Ok(_) => body_of(outcome),
        Err(failure) => panic!("{source}: {failure:?}"),
    }
}

/// The failure `source` ends with.
fn failed(source: &str) -> Failure {
    let outcome = run_on(&ENGINE, source, |_| ());
    outcome.result.err().unwrap_or_else(|| panic!("{source} goes through"))
}

/// Asserts what each script answers with.
fn all_give(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(given(source), *expected, "{source}");
    }
}

/// Asserts that each script throws an error of the kind with these words in it, and at its line.
fn all_throw(cases: &[(&str, &str, &str)]) {
    for (source, kind, words) in cases {
        let caught = format!("try {{ {source} }} catch (error) {{ return error.kind; }}");
        assert_eq!(given(&caught), format!("\"{kind}\""), "{source}");
        let failure = failed(&format!("1;\n{source}"));
        assert_eq!((failure.kind, failure.line), (FailureKind::Throw, Some(2)), "{source}: {failure:?}");
        assert!(failure.message.contains(words), "{source}: {failure:?}");
    }
}

/// Asserts that each script is ended by the limit of one string, whatever it catches.
fn all_end_by_size(sources: &[&str]) {
    for source in sources {
        let failure = failed(&format!("try {{ {source}; }} catch {{ }} 1"));
        assert_eq!(failure.kind, FailureKind::Size, "{source}: {failure:?}");
    }
}
