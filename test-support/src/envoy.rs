//! Envoy: the one on the PATH, or the one that `cargo xtask setup` installs from PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{project_root, target_dir};

/// Finds an Envoy. The error is one sentence for whoever runs the tests: what is missing, why, and how to get it.
pub fn locate() -> Result<PathBuf, String> {
    let installed = target_dir().join("envoy-venv/bin/envoy");
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join("envoy")).find(|envoy| envoy.is_file())
    };
    on_path().or_else(|| installed.is_file().then_some(installed)).ok_or_else(|| {
        "Envoy is missing; the filter is tested in it: run `cargo xtask setup`, or put an `envoy` on the PATH".to_owned()
    })
}

/// An Envoy that runs from the project's root, as the module's path in its configuration expects.
///
/// Hot restart is off, so that Envoys side by side do not meet in shared memory.
pub fn command(envoy: &Path, configuration: &Path) -> Command {
    let mut command = Command::new(envoy);
    command
        .current_dir(project_root())
        .args(["--disable-hot-restart", "--concurrency", "2", "--log-level", "warning", "-c"])
        .arg(configuration);
    command
}
