//! Attesto's default rules: what is supported and registered may be granted, who authenticates may introspect, and events
//! go to the log.

pub mod scope_policy;

#[cfg(target_family = "wasm")]
mod component;
