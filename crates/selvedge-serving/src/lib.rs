//! Lists at request time: the same SQL, asked now; releases that can be taken back; a log from which every answer can be had
//! again.

/// What a customer did, and whether it can be true; and moments in JSON.
pub use selvedge_features::served::{event, moment};

/// A file of checksummed records.
pub mod journal;
/// Who may ask for what.
pub mod keys;
/// Everything that was sent.
pub mod past;
/// Sealed folders, and which of them serves.
pub mod release;
/// A release's tables, and what it reads in everything that was sent.
pub mod live;
/// Who asks, and for what.
pub mod who;
/// What a release knows of customers and articles.
pub mod catalogue;
/// What is known of all articles at a moment.
pub mod articles;
/// An article of a list.
pub mod article;
/// Lists of one release.
pub mod lists;
/// Articles that are like another.
pub mod similar;
/// Features, as the server sees them now.
pub mod views;
/// What was answered.
pub mod log;
/// What all requests share: releases, events, counts, promises, and where they are gathered.
pub mod state;
/// A line of JSON for each request.
pub mod access_log;
/// The interface.
pub mod http;
/// Answers made again.
pub mod replay;
/// Features of answers, held against the flow's.
pub mod skew;
/// Two releases side by side.
pub mod compare;
/// Who may come in: so many connections, and no more.
pub mod door;
/// Start, switch, refresh, stop.
pub mod server;
