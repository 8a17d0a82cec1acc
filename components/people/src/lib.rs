//! Attesto's default `people` part: who a person is, how they sign in and consent, and what may be said of them.
//!
//! The logic is plain Rust over two small traits, [`store::Store`] and [`secret::Random`], and takes the time from the
//! request, so all of it is tested natively. `component` binds it to WIT when the target is WebAssembly. The operator's command line uses
//! [`record`] to write the same records and [`maintenance`] to sweep.

pub mod claims;
pub mod consent;
pub mod cookie;
pub mod csrf;
pub mod destination;
pub mod form;
pub mod http;
pub mod maintenance;
pub mod pages;
pub mod part;
pub mod password;
pub mod record;
pub mod secret;
pub mod session;
pub mod settings;
pub mod store;
pub mod throttle;
pub mod username;

#[cfg(target_family = "wasm")]
mod bindings;
#[cfg(target_family = "wasm")]
mod component;
