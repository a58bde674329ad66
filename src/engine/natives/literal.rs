//! Whether a value could stand in a script as a literal, as what a `switch` compares with does.

use rhai::{Dynamic, FnPtr};

use crate::engine::convert::MAX_DEPTH;

/// No script is longer, and so no literal in it.
const LONGEST: usize = 1 << 20;

/// Says so by looking at no more of the value than a script is long.
pub(in crate::engine) fn could_be_literal(value: &Dynamic) -> bool {
    let holds_others = value.is_shared() || value.is_array() || value.is_map() || value.is_fnptr();
    !holds_others || is_small(value, 0, &mut LONGEST.clone())
}

fn is_small(value: &Dynamic, depth: usize, left: &mut usize) -> bool {
    if value.is_shared() {
        return value.read_lock::<Dynamic>().is_some_and(|inner| is_small(&inner, depth, left));
    }
    // Its own bytes would do as well; this is what hashing it takes.
    let mut take = |bytes: usize| {
        let enough = left.checked_sub(bytes);
        *left = enough.unwrap_or(0);
        enough.is_some()
    };
    if let Ok(text) = value.as_immutable_string_ref() {
        return take(text.len());
    }
    if !take(1) || depth == MAX_DEPTH {
        return false;
    }
    if let Ok(array) = value.as_array_ref() {
        return array.iter().all(|item| is_small(item, depth + 1, left));
    }
    if let Ok(map) = value.as_map_ref() {
        return map.iter().all(|(key, item)| {
            let fits = left.checked_sub(key.len());
            *left = fits.unwrap_or(0);
            fits.is_some() && is_small(item, depth + 1, left)
        });
    }
    if let Some(f) = value.read_lock::<FnPtr>() {
        return f.curry().iter().all(|item| is_small(item, depth + 1, left));
    }
    value.as_blob_ref().map_or(true, |blob| blob.len() <= LONGEST)
}
