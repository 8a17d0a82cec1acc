//! Whole flows against the built components in the embedded host, over HTTP.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

mod code_flow;
mod fapi_flow;
mod hostile_input;
mod parts;
mod refresh_flow;
mod resource_indicators;
mod response_modes;
mod signed_request;
