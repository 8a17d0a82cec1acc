//! Whole flows against the built components in the embedded host, over HTTP.

mod code_flow;
mod hostile_input;
mod parts;
mod person;
