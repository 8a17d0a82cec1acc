//! The browser that signs in.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};
use nix::unistd::Uid;

use crate::process::{self, Missing};

/// Names a Chromium goes by.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The browser on the PATH.
pub(crate) fn locate() -> Option<PathBuf> {
    NAMES.into_iter().find_map(process::find)
}

/// Installs Debian's Chromium where none is there and we may.
///
/// # Errors
/// When it is missing and cannot be installed from here.
pub(crate) fn ensure() -> Result<String> {
    if let Some(path) = locate() {
        return Ok(format!("{} is there", path.display()));
    }
    let missing =
        |how: &str| Missing { what: "Chromium", why: "the browser suite drives it", how: how.to_owned() };
    if process::find("apt-get").is_none() {
        bail!(missing("install Chromium or Google Chrome with your system's package manager"));
    }
    if !Uid::effective().is_root() {
        bail!(missing("`sudo apt-get install chromium`"));
    }
    eprintln!("    installing Debian's chromium");
    let apt = |arguments: &[&str]| {
        process::quiet(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // A source that cannot be reached fails the update and may not matter: the installation tells.
    let updated = apt(&["update"]);
    apt(&[
        "install",
        "--yes",
        "--option",
        "DPkg::Lock::Timeout=300",
        "--no-install-recommends",
        "chromium",
        "fonts-liberation",
    ])
    .map_err(|error| {
        let update = updated.err().map(|error| process::one_line(&error)).unwrap_or_default();
        missing(&format!("`apt-get install chromium`, which said: {} {update}", process::one_line(&error)))
    })?;
    match locate() {
        Some(path) => Ok(format!("installed {}", path.display())),
        None => bail!(missing("`apt-get install chromium`, which left none on the PATH")),
    }
}
