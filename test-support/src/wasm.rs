//! WebAssembly modules of this workspace, built when a test needs them.

use std::path::PathBuf;
use std::process::Command;

use crate::{project_root, target_dir};

/// Builds the Envoy filter and puts it where `envoy/envoy.yaml` looks for it: `target/components/envoy_filter.wasm`.
pub fn envoy_filter() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "-p", "envoy-filter", "--target", "wasm32-wasip1", "--profile", "component"];
    let mut command = Command::new(cargo);
    let status = command.current_dir(project_root()).args(arguments).status();
    assert!(status.is_ok_and(|status| status.success()), "cannot build the Envoy filter: {command:?}");
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(target_dir, PathBuf::from);
    let module = target_dir().join("components/envoy_filter.wasm");
    std::fs::create_dir_all(target_dir().join("components")).expect("a folder can be made under target");
    std::fs::copy(built.join("wasm32-wasip1/component/envoy_filter.wasm"), &module)
        .expect("the built module can be copied");
    module
}
