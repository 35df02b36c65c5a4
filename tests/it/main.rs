//! Every integration test, in one binary.

/// As the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod shop;

mod at_once;
mod bytes;
mod cases;
#[cfg(feature = "encoder")]
mod catalogue;
#[cfg(feature = "encoder")]
mod changes;
#[cfg(feature = "encoder")]
mod encoder;
#[cfg(all(feature = "encoder", feature = "towers"))]
mod deep;
mod drill;
mod examples;
mod failures;
mod functions;
mod ingest;
#[cfg(feature = "encoder")]
mod known_truth;
mod layout;
mod lint;
mod long_shelves;
mod manners;
#[cfg(feature = "encoder")]
mod models;
mod monitor_alarm;
mod monitor_completeness;
mod monitor_dashboard;
mod monitor_figures;
mod monitor_log;
mod monitor_methods;
mod monitor_odd_logs;
mod monitor_quality;
mod monitor_sentences;
mod monitor_shown;
mod naive_scan;
#[cfg(feature = "encoder")]
mod odd_lists;
mod page;
mod proof;
#[cfg(feature = "encoder")]
mod plan;
#[cfg(feature = "encoder")]
mod readme;
#[cfg(feature = "encoder")]
mod recommendations;
mod rankings;
mod remembered;
mod reproduce;
#[cfg(feature = "encoder")]
mod requests;
#[cfg(feature = "encoder")]
mod sampled;
#[cfg(feature = "encoder")]
mod serving;
#[cfg(feature = "encoder")]
mod feedback;
#[cfg(feature = "encoder")]
mod skew;
#[cfg(feature = "encoder")]
mod served_consent;
#[cfg(feature = "encoder")]
mod serving_interface;
#[cfg(feature = "encoder")]
mod serving_limits;
#[cfg(feature = "encoder")]
mod serving_odd_bytes;
mod sample_drill;
mod sample_ingest;
mod sample_monitor;
mod simulated;
mod simulated_log;
mod situations;
mod tidy;
mod time;
mod tracking;
#[cfg(feature = "encoder")]
mod unseen_shops;
#[cfg(feature = "encoder")]
mod why;
