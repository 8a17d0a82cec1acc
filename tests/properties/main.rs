//! What must hold for every input: parsers never panic and undo what was encoded, and the scope algebra obeys its laws.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy allows these in test functions, and their helpers are test code too"
)]

#[path = "../protocol/host.rs"]
#[expect(dead_code, reason = "the other half of it serves the endpoints' own tests")]
mod host;

#[path = "../protocol/signing.rs"]
#[expect(dead_code, reason = "likewise")]
mod signing;

mod clients;
mod credentials;
mod documents;
mod forwarding;
mod jose;
mod parameters;
mod proofs;
mod redirects;
mod scopes;
