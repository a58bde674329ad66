//! Whatever engine searches, it finds what the ordinary one finds.

use std::{sync::Arc, time::Instant};

use proptest::prelude::*;
use regex_automata::{Anchored, Input, Span, meta, util::captures::Captures};

use super::{
    pattern::{self, Pattern},
    search::{Search, search},
    vm,
};
use crate::engine::{
    gate::{Gate, Sizes},
    limits::Bounds,
    meter::{self, Pool},
};

/// Does something as natives do it: the guards allow nothing outside a run.
fn in_a_run<R>(act: impl FnOnce() -> R) -> R {
    let sizes = Sizes { running: 1, in_flight: 1, queue: 1, stack: 0 };
    let pool = Arc::new(Pool::new(1 << 30));
    let gate = Gate::new(sizes, Arc::clone(&pool), Box::new(|_, _| ()));
    meter::begin(&Bounds::default().default, Instant::now(), &gate, &pool);
    let made = act();
    meter::end();
    made
}

/// Patterns of a few letters in every construction.
fn patterns() -> impl Strategy<Value = String> {
    let leaf = proptest::sample::select(vec![
        "a",
        "b",
        "é",
        ".",
        "[ab]",
        "[^a]",
        r"\w",
        r"\pL",
        "^",
        "$",
        r"\b",
        r"\B",
        r"(?-u:\b)",
        "(?:)",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 24, 4, |inner| {
        let repeats = proptest::sample::select(vec!["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}?"]);
        let several = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several.clone().prop_map(|parts| parts.concat()),
            several.prop_map(|parts| format!("(?:{})", parts.join("|"))),
            (inner.clone(), repeats).prop_map(|(part, repeat)| format!("(?:{part}){repeat}")),
            inner.prop_map(|part| format!("({part})")),
        ]
    })
}

/// The groups of all matches, where searches up to `light` are left to the fastest engine.
fn all_matches(pattern: Arc<Pattern>, text: &str, light: usize) -> Vec<Vec<Option<Span>>> {
    in_a_run(|| {
        search(pattern, text, |search| {
            search.light = light;
            all_groups(search)
        })
    })
}

fn all_groups(search: &mut Search<'_>) -> Vec<Vec<Option<Span>>> {
    let mut all = Vec::new();
    while let Some(groups) = search.next_groups().expect("nothing ends it") {
        all.push(groups);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_machine_finds_what_the_ordinary_engine_finds(
        source in patterns(), text in "[abé \n]{0,12}", from in 0..6_usize,
    ) {
        let Ok(pattern) = pattern::compile(&source) else { return Ok(()) };
        let span = Span { start: from.min(text.len()), end: text.len() };
        for anchored in [Anchored::No, Anchored::Yes] {
            // A match's groups are searched from where it begins, which is between characters.
            if anchored == Anchored::Yes && !text.is_char_boundary(span.start) {
                continue;
            }
            let mut groups = Captures::all(pattern.fast.group_info().clone());
            pattern.fast.search_captures(&Input::new(&text).span(span).anchored(anchored), &mut groups);
            let expected = groups.is_match().then(|| groups.iter().collect::<Vec<_>>());
            let found = in_a_run(|| vm::search(&pattern.nfa, &text, span, anchored)).expect("nothing ends it");
            prop_assert_eq!(found, expected, "{} in {:?} from {:?} {:?}", source, text, span, anchored);
        }
    }

    #[test]
    fn every_way_through_a_text_meets_the_same_matches(source in patterns(), text in "[abé \n]{0,20}") {
        let ordinary = meta::Regex::new(&source).expect("a pattern");
        let expected: Vec<Vec<_>> = ordinary.captures_iter(&text).map(|groups| groups.iter().collect()).collect();
        let Ok(pattern) = pattern::compile(&source) else { return Ok(()) };
        let pattern = Arc::new(pattern);
        for light in [usize::MAX, 40, 0] {
            let found = all_matches(Arc::clone(&pattern), &text, light);
            prop_assert_eq!(&found, &expected, "{} in {:?}, light up to {}", source, text, light);
        }
    }
}

#[test]
fn an_automaton_that_makes_the_cautious_engine_give_up_goes_to_the_machine() {
    let pattern = Arc::new(pattern::compile("[ab]*a[ab]{500}c").expect("a pattern"));
    let text: String =
        (0..20_000_u32).map(|n| if n.wrapping_mul(2_654_435_761) >> 31 == 0 { 'a' } else { 'b' }).collect();
    let engine = pattern.cautious().expect("an engine");
    let gives_up = engine.try_search(&mut engine.create_cache(), &Input::new(&text));
    assert!(gives_up.is_err(), "{gives_up:?}");
    let found = all_matches(pattern, &format!("{text}c"), 0);
    assert_eq!(found, [[Some(Span { start: 0, end: 20_001 })]]);
}
