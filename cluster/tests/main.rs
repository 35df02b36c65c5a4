//! The cluster: what travels, what is refused, and the programs as they are run.

mod programs;
mod random_plans;
mod codec;
mod slices;
mod two_executors;
mod failures;
mod security;
mod storage;
mod export;

/// Sessions over tables in two parts, as the operators' own tests have them, and their random tables.
#[path = "../../crates/point-in-time/tests/halves/mod.rs"]
mod halves;
#[path = "../../crates/point-in-time/tests/shops/mod.rs"]
mod shops;
#[path = "../../crates/lookup-join/tests/asking/mod.rs"]
mod asking;
