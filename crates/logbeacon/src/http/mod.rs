//! HTTP: the routes, who may use each, and what they have in common.
//!
//! Knows axum. The table in `routes.rs` is the one place where a route gets its right; the document
//! and the tests read it too. What a route does is in its own file, and what it asks for is in
//! none.

pub mod answer;
pub mod auth;
mod body;
mod export;
mod fields;
mod loki;
mod manage;
mod openapi;
mod page;
pub mod push;
mod query;
pub mod routes;
mod search;
mod session;
mod statistics;
mod status;
mod stream;
mod tail;
mod views;

pub use routes::{Right, Route, router, routes};
