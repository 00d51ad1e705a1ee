//! `expand[]`: ids of an answer become the objects that they name.

use serde_json::Value;

use super::answer::{Refusal, Reply};
use super::form::Params;
use super::world::World;

/// Deepest path that Stripe expands.
const DEPTH: usize = 4;

/// Expands what a call asks for.
pub(super) fn expand(world: &World, params: Params<'_>, mut answer: Value) -> Reply {
    let paths = params.value("expand").and_then(Value::as_array);
    for path in paths.into_iter().flatten().filter_map(Value::as_str) {
        let parts: Vec<&str> = path.split('.').collect();
        if parts.len() > DEPTH {
            let message = format!("You cannot expand more than {DEPTH} levels: {path}");
            return Err(Refusal::invalid("parameter_invalid", message));
        }
        walk(world, &mut answer, &parts);
    }
    Ok(answer)
}

fn walk(world: &World, value: &mut Value, path: &[&str]) {
    if let Some(whole) = value.as_str().and_then(|id| world.find(id)) {
        *value = whole.clone();
    }
    if let Value::Array(items) = value {
        for item in items {
            walk(world, item, path);
        }
    } else if let (Some((first, rest)), Value::Object(fields)) = (path.split_first(), value)
        && let Some(inner) = fields.get_mut(*first)
    {
        walk(world, inner, rest);
    }
}
