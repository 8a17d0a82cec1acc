//! `cargo xtask setup`: what the build and the tests need, fetched where it is missing.

pub(crate) mod chromium;
mod debian;
pub(crate) mod development;
pub(crate) mod envoy;
pub(crate) mod node;
pub(crate) mod python;
mod standard_library;
pub(crate) mod wasm;

use anyhow::Result;

use crate::process;
use crate::project::Project;

/// Something the machine must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Rust's standard library for the components' targets.
    WasmTargets,
    /// Keys, client and user to develop with.
    DevelopmentState,
    Envoy,
    NodePackages,
    PythonPackages,
    Chromium,
    /// The server that the bench measures beside ours.
    BenchPeer,
}

impl Need {
    /// Everything that tests need. What is quick or most depended on comes first.
    pub(crate) const ALL: &'static [Self] = &[
        Self::WasmTargets,
        Self::Envoy,
        Self::NodePackages,
        Self::PythonPackages,
        Self::Chromium,
        Self::DevelopmentState,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::WasmTargets => "WebAssembly targets",
            Self::DevelopmentState => "development state",
            Self::Envoy => "Envoy",
            Self::NodePackages => "Node packages",
            Self::PythonPackages => "Python packages",
            Self::BenchPeer => "oidc-provider",
            Self::Chromium => "Chromium",
        }
    }

    fn ensure(self, project: &Project) -> Result<String> {
        match self {
            Self::WasmTargets => wasm::ensure(project),
            Self::DevelopmentState => development::ensure(project),
            Self::Envoy => envoy::ensure(project),
            Self::NodePackages => node::ensure(project),
            Self::PythonPackages => python::ensure(project),
            Self::BenchPeer => node::bench_peer(project),
            Self::Chromium => chromium::ensure(),
        }
    }
}

/// Sees to each of `needs`, saying what it does.
///
/// # Errors
/// At the first that cannot be had.
pub(crate) fn ensure(project: &Project, needs: &[Need]) -> Result<()> {
    eprintln!("set-up");
    needs.iter().try_for_each(|need| process::step(need.name(), || need.ensure(project)))
}
