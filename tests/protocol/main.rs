//! The endpoints, driven natively over a host in memory. Expected values are written from the RFCs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

mod advertised;
mod authorization;
mod client_assertion;
mod client_credentials;
mod client_keys;
mod dpop;
mod fapi;
mod host;
mod introspection;
mod metadata;
mod mtls;
mod par;
mod proof;
mod refresh;
mod request_object;
mod resource;
mod response_modes;
mod revocation;
mod revoked_tokens;
mod signing;
mod token;
mod transport;
mod userinfo;
