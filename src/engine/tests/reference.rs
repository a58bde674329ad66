//! The reference: every function is in it, what is in it exists, and every example gives what it says.

use std::collections::BTreeSet;

use super::*;
use crate::engine::reference::{Function, GUIDE, LANGUAGE, LIBRARY, anchor, arity, manual, name};

/// A function of a module as it is registered or documented: its name and how many arguments it takes.
type Call = (String, usize);

/// The functions that are registered under a prefix, `""` for those without one.
fn registered(prefix: &str) -> BTreeSet<Call> {
    let profiles = profile::Profiles::new(1, &[]);
    let signatures = profiles.compiler().gen_fn_signatures(true);
    let of_prefix = signatures.iter().filter_map(|signature| {
        let (before, _) = signature.split_once('(')?;
        let rest = match before.rsplit_once("::") {
            Some((module, _)) if module == prefix => signature.get(prefix.len() + 2..)?,
            None if prefix.is_empty() => signature,
            _ => return None,
        };
        Some((rest.split_once('(')?.0.to_owned(), arity_of_types(rest)))
    });
    of_prefix.collect()
}

/// How many parameters a signature of Rhai's has; types may hold commas in brackets.
fn arity_of_types(signature: &str) -> usize {
    let inner = signature.split_once('(').and_then(|(_, rest)| rest.split(") ->").next()).unwrap_or_default();
    let inner = inner.strip_suffix(')').unwrap_or(inner);
    let (mut depth, mut arguments) = (0, usize::from(!inner.trim().is_empty()));
    for c in inner.chars() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => arguments += 1,
            _ => {}
        }
    }
    arguments
}

fn documented(functions: &[Function]) -> BTreeSet<Call> {
    let calls = functions.iter().flat_map(|function| function.calls);
    calls.map(|call| (name(call).to_owned(), arity(call))).collect()
}

#[test]
fn every_function_of_the_library_is_in_the_reference_and_every_one_there_exists() {
    for module in LIBRARY {
        let (real, told) = (registered(module.name), documented(module.functions));
        assert!(!real.is_empty(), "{}", module.name);
        let untold: Vec<_> = real.difference(&told).collect();
        let unreal: Vec<_> = told.difference(&real).collect();
        assert!(
            untold.is_empty() && unreal.is_empty(),
            "{}: not told {untold:?}, not real {unreal:?}",
            module.name
        );
    }
}

/// What the engine treats as words of the language, so that it is registered nowhere.
const WORDS: &[&str] = &["Fn", "call", "curry", "is_def_fn", "is_def_var", "is_shared", "type_of"];

/// What is registered and told elsewhere: in the prose.
const IN_THE_PROSE: &[&str] = &["body_bytes"];

/// What no script can write: the engine's own way of calling `curry`.
const HIDDEN: &[&str] = &["curry?"];

#[test]
fn every_function_of_the_language_is_in_the_reference_and_every_one_there_exists() {
    let plain = |name: &str| name.trim_start_matches("get$").trim_start_matches("set$").to_owned();
    let real: BTreeSet<_> = registered("").into_iter().map(|(name, _)| plain(&name)).collect();
    let calls = LANGUAGE.iter().flat_map(|group| group.functions).flat_map(|function| function.calls);
    let told: BTreeSet<_> = calls.map(|call| name(call).to_owned()).collect();
    let untold: Vec<_> = real.iter().filter(|name| !told.contains(*name)).collect();
    let elsewhere = |name: &str| IN_THE_PROSE.contains(&name) || HIDDEN.contains(&name);
    let untold: Vec<_> = untold.into_iter().filter(|name| !elsewhere(name)).collect();
    let unreal: Vec<_> = told.difference(&real).filter(|name| !WORDS.contains(&name.as_str())).collect();
    assert!(untold.is_empty() && unreal.is_empty(), "not told {untold:?}, not real {unreal:?}");
    assert!(IN_THE_PROSE.iter().all(|name| GUIDE.contains(name) && real.contains(*name)));
}

#[test]
fn every_example_gives_what_it_says() {
    let engine = engine(|_| ());
    let modules = LIBRARY.iter().map(|module| (module.name, module.functions));
    let groups = LANGUAGE.iter().map(|group| (group.title, group.functions));
    let mut wrong = Vec::new();
    for (home, functions) in modules.chain(groups) {
        for function in functions {
            let given = match run_on(&engine, function.example, |_| ()).result {
                Ok(response) if response.status == 204 => "()".to_owned(),
                Ok(response) => String::from_utf8_lossy(&response.body).into_owned(),
                Err(failure) => failure.message,
            };
            if given != function.gives {
                wrong.push(format!("{home}, {}: {} gives {given}", function.calls[0], function.example));
            }
            if !function.example.contains(function.name()) {
                wrong.push(format!("{home}, {}: not shown in {}", function.calls[0], function.example));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_function_has_a_sentence_and_a_place_of_its_own() {
    let modules = LIBRARY.iter().map(|module| (module.name, module.functions));
    let groups = LANGUAGE.iter().map(|group| (group.title, group.functions));
    let mut anchors = BTreeSet::new();
    for (home, functions) in modules.chain(groups) {
        for function in functions {
            assert!(function.does.ends_with('.'), "{home}: {}", function.calls[0]);
            assert!(anchors.insert(anchor(home, function)), "{home}: {} comes twice", function.calls[0]);
            for call in function.calls {
                assert!(name(call).chars().all(|c| !c.is_whitespace()), "{call}");
            }
        }
    }
}

#[test]
fn the_manual_holds_all_of_it() {
    let manual = manual();
    for module in LIBRARY {
        assert!(manual.contains(&format!("### `{}`", module.name)), "{}", module.name);
    }
    assert!(LANGUAGE.iter().all(|group| manual.contains(&format!("### {}\n", group.title))));
}
