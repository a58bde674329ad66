//! Making, changing and deleting scripts: what is saved compiles.

use serde_json::{Value, json};

use crate::{
    access::Caller,
    base::{Error, FieldError, Result, id::ScriptId, name::Source},
    engine::Problem,
    store::{
        audit::{self, Action, Entry},
        script::{self, NewScript, Script, ScriptChange, Version},
    },
    web::State,
};

/// Makes a script; its limits end at the instance's ceilings.
pub async fn create(state: &State, caller: &Caller, mut new: NewScript) -> Result<Script> {
    state.disk.check()?;
    new.source = compiled(state, new.source).await?;
    new.sandbox = new.sandbox.clamped(&state.bounds.ceilings());
    let mut tx = state.begin(caller).await?;
    let script = script::create(&mut *tx, &new).await?;
    let details = json!({"name": script.name, "version": script.version});
    audit::append(&mut tx, entry(caller, Action::ScriptCreate, &script, details)).await?;
    tx.commit().await?;
    Ok(script)
}

/// Changes a script; when this returns, this node runs the new version.
pub async fn update(state: &State, caller: &Caller, id: ScriptId, change: ScriptChange) -> Result<Script> {
    let changed = change.fields();
    let written = |script: &Script| {
        let details = json!({"name": script.name, "version": script.version, "changed": changed});
        entry(caller, Action::ScriptUpdate, script, details)
    };
    save((state, caller), id, change, written).await
}

async fn save(
    (state, caller): (&State, &Caller),
    id: ScriptId,
    mut change: ScriptChange,
    written: impl FnOnce(&Script) -> Entry,
) -> Result<Script> {
    state.disk.check()?;
    if let Some(source) = change.source.take() {
        change.source = Some(compiled(state, source).await?);
    }
    change.sandbox = change.sandbox.map(|asked| asked.clamped(&state.bounds.ceilings()));
    let mut tx = state.begin(caller).await?;
    let script = script::update(&mut tx, id, change).await?;
    audit::append(&mut tx, written(&script)).await?;
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(script)
}

/// Makes the source of an old version the newest version, unless it runs already.
pub async fn restore(state: &State, caller: &Caller, id: ScriptId, old: Version) -> Result<Script> {
    let source = Source::try_from(old.source).map_err(|why| Error::invalid("source", why))?;
    let change = ScriptChange {
        source: Some(source),
        author: Some(caller.user.username.to_string()),
        ..ScriptChange::default()
    };
    let restored = old.version;
    let written = |script: &Script| {
        let details = json!({"name": script.name, "version": script.version, "restored": restored});
        entry(caller, Action::ScriptRestore, script, details)
    };
    save((state, caller), id, change, written).await
}

/// Deletes a script, and with `cascade` the routes that lead to it; without,
/// such a route is a conflict.
pub async fn delete(state: &State, caller: &Caller, id: ScriptId, cascade: bool) -> Result<()> {
    let mut tx = state.begin(caller).await?;
    let (script, routes) = if cascade {
        script::delete_cascade(&mut tx, id).await?
    } else {
        (script::delete(&mut tx, id).await?, 0)
    };
    let details = json!({"name": script.name, "version": script.version, "routes": routes});
    audit::append(&mut tx, entry(caller, Action::ScriptDelete, &script, details)).await?;
    tx.commit().await?;
    state.routes_changed().await
}

fn entry(caller: &Caller, action: Action, script: &Script, details: Value) -> Entry {
    Entry {
        actor: caller.actor(),
        action,
        target: Some(script.id.to_string()),
        app: Some(script.app_id),
        details,
    }
}

/// What keeps a source from being saved, in the order of the text.
pub async fn problems(state: &State, source: Source) -> Result<Vec<Problem>> {
    Ok(look_at(state, source).await?.1)
}

/// The source, if it compiles; else every problem under the field `source`, with line and column.
async fn compiled(state: &State, source: Source) -> Result<Source> {
    let (source, problems) = look_at(state, source).await?;
    if problems.is_empty() {
        return Ok(source);
    }
    let errors = problems.iter().map(|p| FieldError { field: "source".to_owned(), message: located(p) });
    Err(Error::Invalid(errors.collect()))
}

/// Compiling a long source takes a while: not on an async thread.
async fn look_at(state: &State, source: Source) -> Result<(Source, Vec<Problem>)> {
    let engine = state.engine.clone();
    let look = move || {
        let problems = engine.check(source.as_str()).err().unwrap_or_default();
        (source, problems)
    };
    let looked = tokio::task::spawn_blocking(look).await;
    looked.map_err(|e| Error::internal_from("a source could not be compiled", e))
}

fn located(problem: &Problem) -> String {
    match (problem.line, problem.column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: {}", problem.message),
        (Some(line), None) => format!("line {line}: {}", problem.message),
        _ => problem.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_where_it_is() {
        let problem = |line, column| Problem { line, column, message: "unexpected `;`".to_owned() };
        assert_eq!(located(&problem(Some(3), Some(7))), "line 3, column 7: unexpected `;`");
        assert_eq!(located(&problem(Some(3), None)), "line 3: unexpected `;`");
        assert_eq!(located(&problem(None, None)), "unexpected `;`");
    }
}
