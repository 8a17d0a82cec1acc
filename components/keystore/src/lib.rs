//! Attesto's default keystore: private keys from a Spin variable, which this part alone is given.

pub mod keys;
pub mod mac;

#[cfg(target_family = "wasm")]
mod component;
