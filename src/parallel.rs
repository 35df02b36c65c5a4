//! The same work on many things, on all processors.

use std::panic::resume_unwind;
use std::thread::{available_parallelism, scope};

/// `by` of each of `items`, in their order.
pub fn map<T: Send, R: Send>(items: impl IntoIterator<Item = T>, by: impl Fn(T) -> R + Sync) -> Vec<R> {
    let mut items: Vec<T> = items.into_iter().collect();
    let threads = available_parallelism().map_or(1, usize::from);
    let size = items.len().div_ceil(threads).max(1);
    let by = &by;
    scope(|scope| {
        let mut running = Vec::new();
        while !items.is_empty() {
            let rest = items.split_off(size.min(items.len()));
            let part = std::mem::replace(&mut items, rest);
            running.push(scope.spawn(move || part.into_iter().map(by).collect::<Vec<R>>()));
        }
        running.into_iter().flat_map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}
