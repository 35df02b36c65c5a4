//! selvedge's queries on several machines, by Apache Ballista.
//!
//! The client plans with selvedge's own rules; scheduler and executors get a physical plan, and need no more than the
//! [`codec`] of our operators and our SQL functions.  What is not known to come out the same when slices of it run each by
//! itself is not sent ([`slices`]).

mod tables;
mod whole;
mod words;
pub mod failure;
pub mod logging;
pub mod certificates;
pub mod peers;
pub mod keys;
pub mod codec;
pub mod buckets;
pub mod storage;
pub mod slices;
pub mod status;
pub mod scheduler;
pub mod executor;
pub mod stop;
pub mod client;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use ballista_core::utils::default_session_builder;
use datafusion::error::Result;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use selvedge_engine::{ENGINE_VERSION, function_versions, register_functions};

use crate::buckets::Buckets;
use crate::keys::Keys;

/// What decides the rows of a plan beside the plan itself: the engine's version and those of the functions.  All machines of a
/// cluster say the same, or are refused.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut functions = DefaultHasher::new();
    function_versions().for_each(|function| function.hash(&mut functions));
    format!("selvedge-cluster/engine.{ENGINE_VERSION}-functions.{:08x}", functions.finish() as u32)
});

/// The largest plan that is sent, in bytes.
pub const LARGEST_PLAN: usize = 64 << 20;

/// A session that knows our functions, and reads no bucket.
pub fn session(config: SessionConfig) -> Result<SessionState> {
    let runtime = RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(Buckets::new(Keys::default())));
    let state = SessionStateBuilder::new_from_existing(default_session_builder(config)?);
    let context = SessionContext::new_with_state(state.with_runtime_env(runtime.build_arc()?).build());
    register_functions(&context);
    Ok(context.state())
}
