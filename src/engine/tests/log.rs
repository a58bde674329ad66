//! What scripts log.

use super::*;

fn lines(outcome: &Outcome) -> Vec<(Level, &str, Option<&str>)> {
    outcome.logs.iter().map(|line| (line.level, line.message.as_str(), line.fields.as_deref())).collect()
}

#[test]
fn every_level_takes_a_message_and_a_map() {
    let outcome = run("log::trace(\"a\"); log::debug(\"b\", #{ n: 1.0 }); log::info(\"c\"); \
                       log::warn(42); log::error([1], #{}); fn f() { log::info(\"in f\") } f();");
    assert!(outcome.result.is_ok(), "{outcome:?}");
    assert_eq!(
        lines(&outcome),
        [
            (Level::Trace, "a", None),
            (Level::Debug, "b", Some("{\"n\":1.0}")),
            (Level::Info, "c", None),
            (Level::Warn, "42", None),
            (Level::Error, "[1]", Some("{}")),
            (Level::Info, "in f", None),
        ]
    );
}

#[test]
fn print_and_debug_go_to_the_log() {
    let outcome = run("print(\"p\"); print(7); debug(\"d\");");
    assert_eq!(
        lines(&outcome),
        [(Level::Info, "p", None), (Level::Info, "7", None), (Level::Debug, "\"d\"", None)]
    );
}

#[test]
fn lines_beyond_the_limit_end_the_run() {
    for write in ["log::info(\"x\")", "print(\"x\")", "debug(1)", "try { log::info(\"x\") } catch {}"] {
        let source = format!("for i in 0..10 {{ {write}; }} 1");
        let with = |lines| run_on(&engine(|_| ()), &source, |job| job.limits.log_lines = lines);
        assert!(with(10).result.is_ok(), "{write}");
        let outcome = with(9);
        assert_eq!(outcome.logs.len(), 9, "{write}");
        let failure = failure_of(outcome);
        assert_eq!((failure.kind, failure.kind.status()), (FailureKind::LogLimit, 502), "{write}");
        assert!(failure.message.contains("more than 9 lines"), "{failure:?}");
        assert_eq!(failure.line, Some(1), "{write}");
    }
}

#[test]
fn a_line_that_is_too_long_ends_the_run() {
    let long = "let s = \"\"; s.pad(16385, 'a');";
    for write in ["log::info(s)", "print(s)", "log::info(\"\", #{ s: s })", "log::info([s])"] {
        let failure = failure_of(run(&format!("{long} {write}; 1")));
        assert_eq!(failure.kind, FailureKind::LogLimit, "{write}");
    }
    assert!(run("let s = \"\"; s.pad(16384, 'a'); log::info(s)").result.is_ok());
}

#[test]
fn beyond_what_is_kept_of_an_attempt_the_oldest_lines_go() {
    let outcome = run("let s = \"\"; s.pad(16000, 'a'); for i in 0..20 { log::info(s) } log::info(\"last\")");
    assert_eq!((outcome.logs.len(), outcome.lost_log_lines), (17, 4));
    assert_eq!(outcome.logs.last().map(|line| line.message.as_str()), Some("last"));
}

#[test]
fn fields_that_json_cannot_hold_throw_what_a_script_can_match_on() {
    let source = "try { log::info(\"x\", #{ f: || 1 }) } catch (e) { return e.kind; }";
    assert_eq!(answer(source), "\"invalid_value\"");
    let failure = failure_of(run("log::info(\"x\",\n #{ f: || 1 })"));
    assert_eq!(failure.message, "JSON cannot hold a function, which is at f");
    assert_eq!(failure.line, Some(1));
}

#[test]
fn fields_that_are_too_deep_end_the_run() {
    let failure = failure_of(run("let a = 1; for i in 0..64 { a = [a] } log::info(\"x\", #{ a: a })"));
    assert_eq!(failure.kind, FailureKind::Size);
}

#[test]
fn what_a_failed_run_logged_is_kept() {
    assert_eq!(run("log::info(\"a\"); throw \"b\"").logs.len(), 1);
}
