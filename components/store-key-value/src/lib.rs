//! Attesto's stores on `wasi:keyvalue`.
//!
//! There is no compare-and-swap to lean on. `increment(marker) == 1` is the gate: of any number of concurrent calls one
//! sees 1. A marker is only ever incremented, and what must not be lost is a write-once key of its own.

pub mod code_store;
pub mod consent_grant_store;
pub mod document_cache;
pub mod key_value;
pub mod maintenance;
pub mod nonce_store;
pub mod par_store;
pub mod refresh_store;
pub mod replay_store;
pub mod revoked_token_store;

#[cfg(target_family = "wasm")]
mod bindings;
#[cfg(target_family = "wasm")]
mod bucket;
#[cfg(target_family = "wasm")]
mod component;
#[cfg(test)]
mod memory;
