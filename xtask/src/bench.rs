//! `cargo xtask bench`: the release build beside another server, measured.

use std::ffi::OsString;

use anyhow::Result;

use crate::build::{self, Profile};
use crate::process;
use crate::project::Project;
use crate::setup::node::BENCH_PEER;
use crate::setup::{self, Need};

/// Builds everything as it is deployed and measures it; `options` are those of the package attesto-bench.
///
/// # Errors
/// When something cannot be built, or a server does not do what is measured.
pub(crate) fn run(project: &Project, options: &[OsString]) -> Result<()> {
    setup::ensure(project, &[Need::WasmTargets, Need::BenchPeer])?;
    build::components(project, Profile::Release)?;
    eprintln!("programs");
    let attesto = build::program(project, "attesto-cli", "attesto", "release")?;
    let bench = build::program(project, "attesto-bench", "attesto-bench", "release")?;
    let mut command = project.command(bench);
    command.arg("--attesto").arg(attesto).arg("--root").arg(&project.root);
    command.arg("--peer").arg(project.root.join(BENCH_PEER)).arg("--write").arg(project.root.join("docs"));
    process::shown(command.args(options))
}
