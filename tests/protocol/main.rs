//! The endpoints, driven natively over a host in memory. Expected values are written from the RFCs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod authorization;
mod host;
mod metadata;
mod token;
mod userinfo;
