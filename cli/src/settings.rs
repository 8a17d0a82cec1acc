//! Attesto's own settings, checked before anything starts: a bad `attesto.toml` would otherwise answer every request
//! with 500.

use std::collections::BTreeMap;
use std::path::PathBuf;

use attesto::config::Config;
use attesto_host::manifest::{Component, Manifest, Mount};

use crate::Failure;

const FILE: &str = "attesto.toml";
const VARIABLE: &str = "attesto_toml";

/// Checks the settings of every component that is given some. An application without any is somebody else's.
pub(crate) fn check(manifest: &Manifest, given: &BTreeMap<String, String>) -> Result<(), Failure> {
    let variable = given.get(VARIABLE).cloned().or_else(|| std::env::var("SPIN_VARIABLE_ATTESTO_TOML").ok());
    let variable = variable.filter(|text| !text.trim().is_empty());
    for component in manifest.components.values() {
        let text = match (&variable, file(manifest, component)) {
            (Some(text), _) if component.variables.contains_key(VARIABLE) => text.clone(),
            (_, Some(path)) => {
                std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?
            }
            (_, None) => continue,
        };
        Config::from_toml(&text)?;
    }
    Ok(())
}

/// The file that is mounted as `/attesto.toml`.
fn file(manifest: &Manifest, component: &Component) -> Option<PathBuf> {
    component.files.iter().find_map(|mount| match mount {
        Mount::Pattern(pattern) if pattern == FILE => Some(manifest.directory.join(FILE)),
        Mount::Placed { source, destination }
            if destination.strip_prefix("/").unwrap_or(destination) == std::path::Path::new(FILE) =>
        {
            Some(manifest.directory.join(source))
        }
        Mount::Placed { source, destination } if destination.as_os_str() == "/" => {
            Some(manifest.directory.join(source).join(FILE)).filter(|path| path.is_file())
        }
        _ => None,
    })
}
