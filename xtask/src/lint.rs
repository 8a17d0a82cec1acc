//! `cargo xtask lint`: clippy without a single warning, for the host and for the components' targets.

use anyhow::Result;

use crate::build;
use crate::process;
use crate::project::Project;
use crate::setup::{self, Need, wasm};

/// Runs clippy over everything.
///
/// # Errors
/// At the first target with a warning.
pub(crate) fn run(project: &Project) -> Result<()> {
    setup::ensure(project, &[Need::WasmTargets])?;
    eprintln!("clippy");
    for target in wasm::TARGETS {
        let packages = build::selection(project, target);
        if !packages.is_empty() {
            let mut cargo = project.cargo();
            cargo.args(["clippy", "--target", target]).args(&packages).args(["--", "--deny", "warnings"]);
            process::step(target, || process::shown(&mut cargo).map(|()| "clean".to_owned()))?;
        }
    }
    let mut cargo = project.cargo();
    cargo
        .args(["clippy", "--all-targets"])
        .args(project.native().flat_map(|package| ["--package", &package.name]))
        .args(["--", "--deny", "warnings"]);
    process::step("host", || process::shown(&mut cargo).map(|()| "clean".to_owned()))
}
