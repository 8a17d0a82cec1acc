//! The host, with the fixtures' components and the product's own.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

mod application;
mod fetcher;
mod http;
mod instances;
mod key_value;
mod outbound;
mod parts;
mod support;
