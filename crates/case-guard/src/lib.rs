//! A CASE for few rows in DataFusion: [`CaseGuardRule`] asks first whether any of its conditions holds.

mod rule;

pub use rule::CaseGuardRule;
