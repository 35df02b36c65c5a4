//! What this engine adds to a DataFusion session.

use std::sync::Arc;

use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionConfig;
use point_in_time::PointInTimeRule;

/// A session's state in which point-in-time joins run in one pass; see `crates/point-in-time`.
pub fn state(config: SessionConfig) -> SessionState {
    let mut rules = PhysicalOptimizer::new().rules;
    rules.insert(0, Arc::new(PointInTimeRule::new(&["vector_mean"])));
    SessionStateBuilder::new().with_default_features().with_config(config).with_physical_optimizer_rules(rules).build()
}
