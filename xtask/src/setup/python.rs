//! Virtual environments with packages from PyPI, below `target/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::{self, Missing};
use crate::project::Project;

/// Where the interoperability suite finds its interpreter.
const ENVIRONMENT: &str = "target/interop-venv";

/// What it needs, every package with its version.
const REQUIREMENTS: &str = "tests/interop/python/requirements.txt";

/// Installs exactly what the suite's requirements name, where that has not been done yet.
///
/// # Errors
/// When Python or the package index cannot give it.
pub(crate) fn ensure(project: &Project) -> Result<String> {
    let requirements = fs::read(project.root.join(REQUIREMENTS)).context(REQUIREMENTS)?;
    // Written last, so that it is there only after an installation that ran to its end.
    let stamp = project.root.join(ENVIRONMENT).join("installed-requirements.txt");
    if fs::read(&stamp).is_ok_and(|installed| installed == requirements) {
        return Ok("packages are there".to_owned());
    }
    if let Err(how) = environment(project, ENVIRONMENT, &["--no-deps", "--requirement", REQUIREMENTS]) {
        bail!(Missing { what: "Authlib", why: "the interoperability suite runs it", how });
    }
    fs::write(stamp, requirements)?;
    Ok("packages installed".to_owned())
}

/// Makes a virtual environment and installs packages into it, ready-built ones only; returns its programs' folder.
///
/// # Errors
/// How to get what is missing.
pub(crate) fn environment(project: &Project, folder: &str, packages: &[&str]) -> Result<PathBuf, String> {
    if process::find("python3").is_none() {
        return Err("install Python 3, whose package index has it".to_owned());
    }
    let programs = project.root.join(folder).join("bin");
    emptied(&project.root.join(folder)).map_err(|error| format!("make {folder} writable: {error}"))?;
    process::quiet(project.command("python3").args(["-m", "venv", folder])).map_err(|error| {
        let error = process::one_line(&error);
        format!("Python's venv module (`apt-get install python3-venv`) is needed: {error}")
    })?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
    process::quiet(project.command(programs.join("python")).args(pip).args(packages)).map_err(|error| {
        format!("`pip install {}`, which said: {}", packages.join(" "), process::one_line(&error))
    })?;
    Ok(programs)
}

fn emptied(folder: &Path) -> std::io::Result<()> {
    if folder.exists() { fs::remove_dir_all(folder) } else { Ok(()) }
}
