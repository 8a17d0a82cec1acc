//! The WebAssembly targets the components are built for.

use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{self, Missing};
use crate::project::Project;
use crate::setup::standard_library;

/// Components, and the Envoy module.
pub(crate) const TARGETS: [&str; 2] = ["wasm32-wasip2", "wasm32-wasip1"];

/// Makes both targets usable: by rustup, or where that cannot work, from Debian's packages.
///
/// # Errors
/// When neither way works; the text says why each failed.
pub(crate) fn ensure(project: &Project) -> Result<String> {
    let missing: Vec<&str> = TARGETS.into_iter().filter(|target| !has_std(project, target)).collect();
    if missing.is_empty() {
        return Ok(format!("{} are there", TARGETS.join(" and ")));
    }
    let refusal = match add_by_rustup(project, &missing) {
        Ok(()) => return Ok(format!("rustup added {}", missing.join(" and "))),
        Err(error) => process::one_line(&error),
    };
    eprintln!("    {refusal}");
    eprintln!("    building the standard library from Debian's packages instead, about a minute");
    standard_library::install(project, &missing).map_err(|error| Missing {
        what: "the Rust standard library for WebAssembly",
        why: "the components are built with it",
        how: format!(
            "`rustup target add {}` where its servers can be reached (from Debian's packages: {})",
            missing.join(" "),
            process::one_line(&error)
        ),
    })?;
    Ok(format!("built the standard library for {}", missing.join(" and ")))
}

fn add_by_rustup(project: &Project, targets: &[&str]) -> Result<()> {
    process::quiet(project.command("rustup").args(["target", "add"]).args(targets))?;
    for target in targets {
        links(project, target)?;
    }
    Ok(())
}

/// Whether this very rustc finds and accepts a standard library for `target`; files in the right folder may be another
/// rustc's.
fn has_std(project: &Project, target: &str) -> bool {
    probe(project, target, "lib", &["--emit=metadata"]).is_ok()
}

/// Whether a program for `target` can be built to the end.
///
/// # Errors
/// With rustc's words.
pub(crate) fn links(project: &Project, target: &str) -> Result<()> {
    probe(project, target, "bin", &[]).with_context(|| format!("a program for {target} does not build"))
}

fn probe(project: &Project, target: &str, kind: &str, arguments: &[&str]) -> Result<()> {
    let directory = project.target.join("xtask").join("probe");
    std::fs::create_dir_all(&directory)?;
    let source = directory.join("probe.rs");
    std::fs::write(&source, "pub fn main() { println!(\"{:?}\", std::env::args()); }\n")?;
    process::quiet(
        project
            .command("rustc")
            .args(["--edition=2024", "--crate-name=probe", "--crate-type", kind, "--target", target])
            .args(arguments)
            .arg("--out-dir")
            .arg(directory.join(target))
            .arg(source),
    )?;
    Ok(())
}

/// The facts about the active compiler that the standard library must fit.
pub(crate) struct Compiler {
    pub(crate) release: String,
    pub(crate) sysroot: std::path::PathBuf,
}

impl Compiler {
    /// Asks rustc.
    ///
    /// # Errors
    /// When rustc cannot be asked.
    pub(crate) fn read(project: &Project) -> Result<Self> {
        let ask = |argument: &str| process::quiet(rustc(project).args(argument.split(' ')));
        let version = ask("--version --verbose")?;
        let release = version.lines().find_map(|line| line.strip_prefix("release: "));
        Ok(Self {
            release: release.context("`rustc --version --verbose` names no release")?.to_owned(),
            sysroot: ask("--print sysroot")?.trim().into(),
        })
    }
}

fn rustc(project: &Project) -> Command {
    project.command("rustc")
}
