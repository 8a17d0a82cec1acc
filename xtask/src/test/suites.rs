//! Every test suite there is. To add one, add a line.

use crate::setup::Need::{self, Chromium, Envoy, NodePackages, PythonPackages, WasmTargets};
use crate::test::checks;
use crate::test::suites::Runner::{Cargo, CargoApart, Check, Node};

/// What runs a suite.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Runner {
    /// The tests of packages of the workspace, on this machine.
    Cargo(&'static [&'static str]),
    /// The same, built by a cargo command of their own: with what they depend on, features of everything else would differ.
    CargoApart(&'static [&'static str]),
    /// The tests below a folder with a `package.json`, by Node's test runner.
    Node(&'static str),
    /// A check of this command's own: the number of things it looked at.
    Check(checks::Check),
}

/// One line of the summary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) runner: Runner,
    /// What it needs besides Rust. A suite that needs the WebAssembly targets gets the components built before it.
    pub(crate) needs: &'static [Need],
}

const fn suite(name: &'static str, runner: Runner, needs: &'static [Need]) -> Suite {
    Suite { name, runner, needs }
}

/// The clients on Node that the suite "interop" runs.
const INTEROP_CLIENTS: &str = "tests/interop/js";

/// Quick ones first, so that a failure shows early.
pub(crate) const SUITES: &[Suite] = &[
    suite("purity", Check(checks::engine_purity), &[]),
    suite("complete", Check(checks::every_package_has_a_suite), &[]),
    suite("commands", Cargo(&["xtask", "test-support", "attesto-bench"]), &[]),
    suite("engine", Cargo(&["attesto"]), &[]),
    suite(
        "parts",
        Cargo(&["clients", "keystore", "people", "outbound", "rules", "special-use", "store-key-value"]),
        &[],
    ),
    suite("host", Cargo(&["attesto-host", "attesto-host-guest"]), &[WasmTargets]),
    suite("cli", Cargo(&["attesto-cli"]), &[WasmTargets]),
    suite("stores", Cargo(&["store-contract"]), &[WasmTargets]),
    suite("flows", Cargo(&["flows"]), &[WasmTargets]),
    suite("envoy", Cargo(&["envoy-filter", "envoy-tests"]), &[WasmTargets, Envoy]),
    suite("interop", CargoApart(&["interop"]), &[WasmTargets, NodePackages, PythonPackages]),
    suite("browser", Node("tests/browser"), &[WasmTargets, NodePackages, Chromium]),
];

impl Runner {
    /// The packages whose tests it runs.
    pub(crate) fn packages(self) -> &'static [&'static str] {
        match self {
            Cargo(packages) | CargoApart(packages) => packages,
            Node(_) | Check(_) => &[],
        }
    }
}

/// The packages of the table that are built together.
pub(crate) fn together() -> impl Iterator<Item = &'static str> {
    let suites = SUITES.iter().filter(|suite| matches!(suite.runner, Cargo(_)));
    suites.flat_map(|suite| suite.runner.packages()).copied()
}

/// The folders whose npm packages set-up installs.
pub(crate) fn node_folders() -> impl Iterator<Item = &'static str> {
    let of_suites = SUITES.iter().filter_map(|suite| match suite.runner {
        Node(folder) => Some(folder),
        Cargo(_) | CargoApart(_) | Check(_) => None,
    });
    of_suites.chain([INTEROP_CLIENTS])
}
