//! The built command, as an operator and their scripts meet it.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

mod application;
mod clients;
mod command;
#[path = "../../../host/tests/host/support/fixtures.rs"]
mod fixtures;
mod keys;
mod operating;
mod support;
mod sweep;
mod users;
