//! Attesto's verifier inside Envoy.
//!
//! One module plays two parts. As **service** it runs once in the process, fetches the issuer's keys and puts them into
//! the data that all virtual machines of the same `vm_id` share. As **filter** it runs in every worker, reads the keys
//! when they have changed, and judges requests. Which part a virtual machine plays says its `root_id`.
//!
//! What is decided stands in modules that know nothing of proxy-wasm; every call to the host stands in `proxy`.

pub mod config;
pub mod gate;
pub mod keys;
pub mod route;

#[cfg(target_arch = "wasm32")]
mod proxy;
