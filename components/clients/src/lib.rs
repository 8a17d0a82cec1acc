//! Attesto's default client registry, on key-value.

pub mod record;

#[cfg(target_family = "wasm")]
mod component;
