//! The npm packages of the suites that run on Node.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::process::{self, Missing};
use crate::project::Project;
use crate::test::suites;

/// The oldest Node whose test runner the suites need.
const OLDEST: u32 = 20;

/// The server that the bench measures beside ours.
pub(crate) const BENCH_PEER: &str = "benches/oidc-provider";

/// Installs exactly what each lock file names, where that has not been done yet.
///
/// # Errors
/// When Node or npm is missing or too old, or npm fails.
pub(crate) fn ensure(project: &Project) -> Result<String> {
    installed(project, suites::node_folders())
}

/// Installs the server that the bench measures beside ours, and the Node it runs on.
///
/// # Errors
/// As [`ensure`].
pub(crate) fn bench_peer(project: &Project) -> Result<String> {
    installed(project, [BENCH_PEER])
}

fn installed(project: &Project, folders: impl IntoIterator<Item = &'static str>) -> Result<String> {
    let missing = |what| Missing {
        what,
        why: "the browser and interoperability suites run on it",
        how: format!("install Node.js {OLDEST} or later, which brings npm"),
    };
    if process::find("node").is_none() {
        bail!(missing("Node.js"));
    }
    if process::find("npm").is_none() {
        bail!(missing("npm"));
    }
    let version = process::quiet(project.command("node").arg("--version"))?;
    if major(&version).is_none_or(|major| major < OLDEST) {
        bail!(
            "Node.js {OLDEST} or later runs the browser suite, this is {}; install a newer one",
            version.trim()
        );
    }
    let mut installed = 0;
    for folder in folders {
        installed += usize::from(install(project, &project.root.join(folder))?);
    }
    Ok(match installed {
        0 => "npm packages are there".to_owned(),
        count => format!("npm packages of {count} folder(s) installed"),
    })
}

fn install(project: &Project, folder: &Path) -> Result<bool> {
    let Ok(lock) = fs::read(folder.join("package-lock.json")) else { return Ok(false) };
    // `npm ci` empties node_modules first, so this copy is there only after one that ran to its end.
    let stamp = folder.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(false);
    }
    process::quiet(project.command("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))?;
    // A package without dependencies gets no node_modules.
    fs::create_dir_all(folder.join("node_modules"))?;
    fs::write(stamp, lock)?;
    Ok(true)
}

fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("20.20.2"), None);
    }
}
