//! What the tests share. A failure here is a failure of the test, so everything panics with a sentence that says what
//! was wanted.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "test code: a broken expectation ends the test, and its clock is the machine's"
)]

pub mod attesto;
pub mod bearer;
pub mod browser;
pub mod envoy;
pub mod fapi_client;
pub mod http;
pub mod person;
pub mod process;

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn project_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace").to_owned()
}

/// The project's own `target` directory, where fetched tools and built components go. Cargo's build directory may be
/// elsewhere (`CARGO_TARGET_DIR`).
pub fn target_dir() -> PathBuf {
    project_root().join("target")
}
