//! Attesto's outbound HTTP: it fetches a document that a client names, and can do nothing else.
//!
//! What is decided here is which URL may be called ([`guard`]) and which response is a document ([`answer`]). Which hosts may
//! be called at all is the manifest's `allowed_outbound_hosts`; what their names resolve to is the host's to check, which
//! alone connects to the very address it has checked.

pub mod answer;
pub mod guard;

#[cfg(target_family = "wasm")]
mod component;
