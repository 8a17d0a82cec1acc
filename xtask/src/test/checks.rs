//! Checks of the workspace itself.

use anyhow::{Result, bail};

use crate::process;
use crate::project::{Package, Project};
use crate::test::suites::SUITES;

/// Looks at a number of things and returns how many, or says what is wrong.
pub(crate) type Check = fn(&Project) -> Result<usize>;

/// What would tie the engine to one way of running it.
const FOREIGN: [&str; 9] = [
    "wit-bindgen",
    "wit-bindgen-rt",
    "wasip2",
    "wasip3",
    "spin-sdk",
    "proxy-wasm",
    "tokio",
    "wasmtime",
    "hyper",
];

/// The targets the engine is compiled for: dependencies may differ between them.
const TARGETS: [&str; 3] = ["x86_64-unknown-linux-gnu", "wasm32-wasip2", "wasm32-wasip1"];

/// The engine knows nothing of WIT, Spin, proxy-wasm, Tokio or Wasmtime, on no target.
pub(crate) fn engine_purity(project: &Project) -> Result<usize> {
    for target in TARGETS {
        let tree = process::quiet(project.cargo().args([
            "tree",
            "--package",
            "attesto",
            "--edges",
            "normal",
            "--all-features",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--target",
            target,
        ]))?;
        if let Some(name) = foreign(&tree) {
            bail!(
                "the engine depends on {name} for {target}: see `cargo tree -p attesto --target {target} -i {name}`"
            );
        }
    }
    Ok(TARGETS.len())
}

fn foreign(tree: &str) -> Option<&str> {
    tree.lines().filter_map(|line| line.split(' ').next()).find(|name| FOREIGN.contains(name))
}

/// A package outside the table would never have its tests run.
pub(crate) fn every_package_has_a_suite(project: &Project) -> Result<usize> {
    let has_suite = |name: &str| SUITES.iter().any(|suite| suite.runner.packages().contains(&name));
    match project.native().find(|package| !has_suite(&package.name)) {
        Some(Package { name, .. }) => {
            bail!("no suite runs the tests of `{name}`: add it to xtask/src/test/suites.rs")
        }
        None => Ok(project.native().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_crate_anywhere_in_the_tree_is_found_by_its_whole_name() {
        let tree = "attesto v0.1.0 (/p)\nserde v1.0.0\ntokio v1.0.0\ntokio-like v1.0.0\ntokio v1.0.0 (*)\n";
        assert_eq!(foreign(tree), Some("tokio"));
        assert_eq!(foreign("attesto v0.1.0\nserde v1.0.0\ntokio-like v1.0.0\n"), None);
    }
}
