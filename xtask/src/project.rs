//! The workspace as cargo describes it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{build, process};

/// The workspace: where it is, where it builds to, what it holds.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    /// Cargo's target folder, wherever the developer keeps it.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder, relative to the workspace.
    pub(crate) folder: PathBuf,
    /// Whether cargo would run tests of it: a package can say `test = false`.
    pub(crate) tested: bool,
}

impl Project {
    /// Reads the workspace this command belongs to.
    ///
    /// # Errors
    /// When cargo cannot read it.
    pub(crate) fn read() -> Result<Self> {
        let mut command = Command::new("cargo");
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        if let Some(xtask) = std::env::var_os("CARGO_MANIFEST_DIR") {
            command.current_dir(xtask);
        }
        let metadata: Value = serde_json::from_str(&process::quiet(&mut command)?)?;
        let path = |value: &Value, name: &str| -> Result<PathBuf> {
            let text = value.get(name).and_then(Value::as_str);
            Ok(PathBuf::from(text.with_context(|| format!("cargo metadata gives no `{name}`"))?))
        };
        let root = path(&metadata, "workspace_root")?;
        let target = path(&metadata, "target_directory")?;
        let mut packages = Vec::new();
        for package in metadata.get("packages").and_then(Value::as_array).into_iter().flatten() {
            let manifest = path(package, "manifest_path")?;
            let folder = manifest.parent().and_then(|folder| folder.strip_prefix(&root).ok());
            let name = package.get("name").and_then(Value::as_str).context("a package without a name")?;
            let mut targets = package.get("targets").and_then(Value::as_array).into_iter().flatten();
            packages.push(Package {
                name: name.to_owned(),
                folder: folder.unwrap_or(Path::new("")).to_owned(),
                tested: targets.any(|target| target.get("test") == Some(&Value::Bool(true))),
            });
        }
        Ok(Self { root, target, packages })
    }

    /// Cargo, started in the workspace.
    pub(crate) fn cargo(&self) -> Command {
        self.command("cargo")
    }

    /// Any program, started in the workspace.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The packages that are compiled for this machine and tested on it: all but the tests' own components and what is
    /// for WebAssembly alone.
    pub(crate) fn native(&self) -> impl Iterator<Item = &Package> {
        let fixture = |package: &Package| {
            build::wasm_target(package).is_some() && !package.folder.starts_with("components")
        };
        self.packages.iter().filter(move |package| package.tested && !fixture(package))
    }

    /// Whether the workspace holds a package of that name.
    pub(crate) fn has(&self, package: &str) -> bool {
        self.packages.iter().any(|known| known.name == package)
    }
}
