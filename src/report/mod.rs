//! Markdown and pictures for people, from tables that earlier stages left behind.

pub mod chart;
