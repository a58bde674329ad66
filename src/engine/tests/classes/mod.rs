//! What is said of every function a script can call, Rhai's and ours: one that is in no class fails the tests.

use std::{
    any::TypeId,
    collections::{BTreeMap, BTreeSet},
};

use rhai::{
    Array, Blob, Dynamic, FnPtr, ImmutableString, Map,
    packages::{Package, StandardPackage},
};

use super::super::{profile::Profiles, stdlib};

/// The classes: a heading for each, and below it each name with its parameter lists.
const TABLE: &str = include_str!("table.txt");

/// Types of which no value of a script is: nothing makes one.
const FOREIGN: &str = "foreign";

/// How the table calls a type.
fn type_name(id: TypeId) -> &'static str {
    macro_rules! names {
        ($($type:ty => $name:expr),* $(,)?) => { [$((TypeId::of::<$type>(), $name)),*] };
    }
    let names = names! {
        Dynamic => "any", () => "()", bool => "bool", char => "char", i64 => "int", f64 => "float",
        ImmutableString => "string", Array => "array", Blob => "blob", Map => "map", FnPtr => "fn",
        std::time::Instant => "timestamp", std::ops::Range<f64> => FOREIGN,
        std::ops::Range<i64> => "range", std::ops::RangeInclusive<i64> => "range=",
        i8 => FOREIGN, i16 => FOREIGN, i32 => FOREIGN, i128 => FOREIGN, f32 => FOREIGN,
        u8 => FOREIGN, u16 => FOREIGN, u32 => FOREIGN, u64 => FOREIGN, u128 => FOREIGN,
        std::ops::Range<i8> => FOREIGN, std::ops::Range<i16> => FOREIGN, std::ops::Range<i32> => FOREIGN,
        std::ops::Range<i128> => FOREIGN, std::ops::Range<u8> => FOREIGN, std::ops::Range<u16> => FOREIGN,
        std::ops::Range<u32> => FOREIGN, std::ops::Range<u64> => FOREIGN, std::ops::Range<u128> => FOREIGN,
    };
    names
        .into_iter()
        .find(|(known, _)| *known == id)
        .map_or("a type the test does not know", |(_, name)| name)
}

/// The functions of an engine that a script can call, as the table writes them.
fn functions(engine: &rhai::Engine) -> BTreeSet<String> {
    let described = engine.collect_fn_metadata(
        None,
        |f| {
            let types: Vec<_> = f.metadata.param_types.iter().map(|id| type_name(*id)).collect();
            let space = if f.namespace.is_empty() { String::new() } else { format!("{}::", f.namespace) };
            let list = types.join(", ");
            (!types.contains(&FOREIGN)).then(|| format!("{space}{} ({list})", f.metadata.name))
        },
        true,
    );
    described.into_iter().collect()
}

/// The functions of a module that is registered without a name.
fn functions_of(module: rhai::Shared<rhai::Module>) -> BTreeSet<String> {
    let mut engine = rhai::Engine::new_raw();
    engine.register_global_module(module);
    functions(&engine)
}

/// The table: the class of each function.
fn classes() -> BTreeMap<String, &'static str> {
    let mut class = "";
    let mut table = BTreeMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with("//") && !line.is_empty()) {
        if let Some(heading) = line.strip_prefix("# ") {
            class = heading;
            continue;
        }
        let (name, lists) = line.split_once(' ').unwrap_or((line, ""));
        assert!(!lists.is_empty(), "no parameter list: {line}");
        for list in lists.split_inclusive(") ") {
            let twice = table.insert(format!("{name} {}", list.trim_end()), class);
            assert_eq!(twice, None, "{name} {list} stands twice");
        }
    }
    table
}

fn lines(functions: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    functions.into_iter().fold(String::new(), |all, f| all + "\n  " + f.as_ref())
}

#[test]
fn every_function_is_in_a_class() {
    let profiles = Profiles::new(1, &[]);
    let registered = functions(profiles.compiler());
    let table = classes();
    let missing: Vec<_> = registered.iter().filter(|f| !table.contains_key(*f)).collect();
    assert!(
        missing.is_empty(),
        "these functions are in no class:{}\nRead what each does: how long it takes and how much it makes for \
         what it is given, at the worst, shared and nested values included. Then put it into its class in \
         src/engine/tests/classes/table.txt; if it belongs in none, write a guarded one in src/engine/natives.",
        lines(missing)
    );
    let gone: Vec<_> = table.keys().filter(|f| !registered.contains(*f)).collect();
    assert!(gone.is_empty(), "these functions are in the table and nowhere else:{}", lines(gone));
}

#[test]
fn what_is_called_ours_is_ours() {
    let table = classes();
    let ours = functions_of(stdlib::base().into());
    let claimed: BTreeSet<_> =
        table.iter().filter(|(_, class)| **class == "ours").map(|(f, _)| f.clone()).collect();
    let global: BTreeSet<_> = claimed.iter().filter(|f| !f.contains("::")).cloned().collect();
    assert_eq!(global, ours);
    let rhais = functions_of(StandardPackage::new().as_shared_module());
    let theirs: Vec<_> = table.iter().filter(|(f, class)| **class != "ours" && !rhais.contains(*f)).collect();
    assert!(theirs.is_empty(), "these are not Rhai's: {theirs:?}");
}
