//! Attesto's default keystore: private keys from a Spin variable, which this part alone is given.

pub mod keys;

#[cfg(target_family = "wasm")]
mod component;
