//! Attesto's default client registry, on key-value.

pub mod record;
pub mod tls_client_auth;

#[cfg(target_family = "wasm")]
mod component;
