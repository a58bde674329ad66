//! Texts that try the parser: as long as a script may be.

use super::{Case, each};

/// The longest text a script may have.
const LONGEST: usize = 256 * 1024;

const PARSED: &[&str] = &["parse", "ok", "throw", "bad_response", "timeout"];

fn repeated(part: &str) -> String {
    part.repeat(LONGEST / part.len())
}

pub(super) const CASES: &[Case] = &[
    Case::made("open_brackets", &["parse"], || repeated("[")),
    Case::made("open_parentheses", &["parse"], || repeated("(")),
    Case::made("open_braces", &["parse"], || repeated("{")),
    Case::made("open_maps", &["parse"], || repeated("#{a:")),
    Case::made("open_comments", PARSED, || repeated("/*")),
    Case::made("open_interpolations", &["parse"], || repeated("`${")),
    Case::made("open_closures", &["parse"], || repeated("|x|")),
    Case::made("open_ifs", &["parse"], || repeated("if true {")),
    Case::made("negations", &["parse"], || repeated("-") + "1"),
    Case::made("denials", &["parse"], || repeated("!") + "true"),
    Case::made("many_else_ifs", PARSED, || {
        format!("if false {{}}{} else {{ 1 }}", " else if false {}".repeat(15_000))
    }),
    Case::made("a_long_sum", PARSED, || format!("1{}", "+1".repeat(130_000))),
    Case::made("a_long_power", PARSED, || format!("1{}", "**1".repeat(80_000))),
    Case::made("a_long_choice", PARSED, || format!("false{}", "||false".repeat(37_000))),
    Case::made("a_long_chain_of_methods", PARSED, || format!("let a = 1; a{}", ".abs()".repeat(43_000))),
    Case::made("a_long_chain_of_indexes", PARSED, || format!("let a = []; a{}", "[0]".repeat(87_000))),
    Case::made("a_long_chain_of_properties", PARSED, || format!("let a = #{{}}; a{}", "?.b".repeat(87_000))),
    Case::made("a_long_chain_of_questions", PARSED, || format!("(){}", "??()".repeat(65_000))),
    Case::made("a_long_array", PARSED, || format!("[{}1].len", "1,".repeat(130_000))),
    Case::made("a_long_map", PARSED, || {
        let fields = each(20_000, |i| format!("a{i}:1,"));
        format!("#{{{fields}}}.len")
    }),
    Case::made("many_functions", PARSED, || each(10_000, |i| format!("fn f{i}(a){{a}}\n"))),
    Case::made("many_closures", PARSED, || format!("[{}1].len", "|x|x,".repeat(50_000))),
    Case::made("many_variables", PARSED, || each(15_000, |i| format!("let v{i}={i};\n"))),
    Case::made("many_cases", PARSED, || {
        let cases = each(20_000, |i| format!("{i}=>1,"));
        format!("switch 7 {{ {cases} _ => 2 }}")
    }),
    Case::made("many_parameters", PARSED, || {
        let names = each(20_000, |i| format!("p{i},"));
        format!("fn f({names}) {{ 1 }} 1")
    }),
    Case::made("many_arguments", PARSED, || format!("f({}1)", "1,".repeat(130_000))),
    Case::made("a_long_name", PARSED, || format!("let {} = 1;", "a".repeat(250_000))),
    Case::made("a_long_string", PARSED, || format!("\"{}\"", "a".repeat(250_000))),
    Case::made("a_long_number", PARSED, || "9".repeat(250_000)),
    Case::made("a_long_fraction", PARSED, || format!("0.{}", "9".repeat(250_000))),
    Case::made("many_semicolons", PARSED, || repeated(";")),
    Case::made("many_blocks", PARSED, || repeated("{};")),
    Case::made("many_tries", PARSED, || repeated("try{}catch{} ")),
    Case::made("deep_ifs_as_deep_as_allowed", PARSED, || {
        format!("{}1{}", "if true {".repeat(60), "}".repeat(60))
    }),
    Case::made("a_text_of_odd_characters", PARSED, || repeated("\u{202e}\u{0}\u{feff}é")),
];
