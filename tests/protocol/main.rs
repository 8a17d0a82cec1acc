//! The endpoints, driven natively over a host in memory. Expected values are written from the RFCs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

mod authorization;
mod client_credentials;
mod dpop;
mod host;
mod introspection;
mod metadata;
mod proof;
mod refresh;
mod revocation;
mod token;
mod transport;
mod userinfo;
