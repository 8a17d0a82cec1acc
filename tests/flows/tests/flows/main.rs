//! Whole flows against the built components in the embedded host, over HTTP.

#![expect(
    clippy::expect_used,
    reason = "clippy allows it in test functions, and their helpers are test code too"
)]

mod code_flow;
mod hostile_input;
mod parts;
mod refresh_flow;
