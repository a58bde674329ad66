//! `get_fn_metadata_list`: what functions the script defines.

use rhai::{
    Array, Dynamic, EvalAltResult, ImmutableString, Map, Module, NativeCallContext, ScriptFuncDef, Shared,
};

use super::add;
use crate::engine::guard;

/// What the description of a function takes, and that of a parameter.
const FUNCTION: usize = 1024;
const PARAMETER: usize = 96;

type List = Result<Array, Box<EvalAltResult>>;

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    let name = "get_fn_metadata_list";
    add(module, name, |context: NativeCallContext<'_>| list(&context, |_| true));
    add(module, name, |context: NativeCallContext<'_>, name: ImmutableString| {
        list(&context, |f| f.name == name)
    });
    add(module, name, |context: NativeCallContext<'_>, name: ImmutableString, parameters: i64| {
        let parameters = usize::try_from(parameters).ok();
        list(&context, |f| f.name == name && Some(f.params.len()) == parameters)
    });
}

fn list(context: &NativeCallContext<'_>, wanted: impl Fn(&ScriptFuncDef) -> bool) -> List {
    let found: Vec<&Shared<ScriptFuncDef>> = context
        .iter_namespaces()
        .flat_map(|module| module.iter_script_fn_info().map(|(.., f)| f))
        .filter(|f| wanted(f))
        .collect();
    guard::room(found.iter().map(|f| FUNCTION + f.params.len() * PARAMETER).sum())?;
    Ok(found.into_iter().map(|f| Dynamic::from_map(describe(f))).collect())
}

fn describe(f: &ScriptFuncDef) -> Map {
    let access = if f.access.is_private() { "private" } else { "public" };
    let params: Array = f.params.iter().map(|name| name.clone().into()).collect();
    let mut map = Map::from([
        ("name".into(), f.name.clone().into()),
        ("access".into(), access.into()),
        ("is_anonymous".into(), f.name.starts_with("anon$").into()),
        ("params".into(), params.into()),
    ]);
    if let Some(this) = &f.this_type {
        map.insert("this_type".into(), this.clone().into());
    }
    map
}
