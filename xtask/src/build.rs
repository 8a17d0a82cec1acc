//! `cargo xtask build`: the components, each as one file in `target/components/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;
use crate::project::{Package, Project};

/// Where the manifest, the tests and Envoy find the components, wherever cargo builds to.
const PLACE: &str = "target/components";

/// Envoy's proxy-wasm host speaks the first preview of WASI; everything else is a component.
const PREVIEW_1: [&str; 1] = ["envoy-filter"];

/// How a component is compiled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Profile {
    /// Quick to build: development and CI.
    Component,
    /// Small and fast: deployments and benches.
    Release,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Release => "release",
        }
    }
}

/// The WebAssembly target of a package, if it is a component: the product's own or the tests'.
pub(crate) fn wasm_target(package: &Package) -> Option<&'static str> {
    let name = component_name(&package.folder)?;
    Some(if PREVIEW_1.contains(&name) { "wasm32-wasip1" } else { "wasm32-wasip2" })
}

/// A component is called like its folder, which lies in a folder named `components`.
fn component_name(folder: &Path) -> Option<&str> {
    (folder.parent()?.file_name()? == "components").then(|| folder.file_name()?.to_str())?
}

/// The packages for one target, as cargo's arguments.
pub(crate) fn selection(project: &Project, target: &str) -> Vec<String> {
    let of_target = project.packages.iter().filter(|package| wasm_target(package) == Some(target));
    of_target.flat_map(|package| ["--package".to_owned(), package.name.clone()]).collect()
}

/// Builds every component and puts it in its place.
///
/// # Errors
/// When one does not build.
pub(crate) fn components(project: &Project, profile: Profile) -> Result<()> {
    eprintln!("components");
    for target in crate::setup::wasm::TARGETS {
        let packages = selection(project, target);
        if !packages.is_empty() {
            process::step(target, || components_for(project, profile, target, &packages))?;
        }
    }
    Ok(())
}

fn components_for(project: &Project, profile: Profile, target: &str, packages: &[String]) -> Result<String> {
    let mut cargo = project.cargo();
    cargo.args(["build", "--target", target, "--profile", profile.name()]).args(packages);
    let place = project.root.join(PLACE);
    fs::create_dir_all(&place)?;
    let mut count = 0;
    for (folder, file) in artifacts(&mut cargo)? {
        // A dependency from elsewhere may be a cdylib too.
        if folder.strip_prefix(&project.root).is_ok_and(|folder| component_name(folder).is_some()) {
            let name = component_name(&folder).unwrap_or_default().replace('-', "_");
            put(&file, &place.join(format!("{name}.wasm")))?;
            count += 1;
        }
    }
    let expected = packages.len() / 2;
    if count != expected {
        bail!("{count} of {expected} packages gave a .wasm file: each needs crate-type = [\"cdylib\"]");
    }
    Ok(format!("{count} in {PLACE}"))
}

/// Builds the operator's command as tests and development run it, and returns its path.
///
/// # Errors
/// When it does not build.
pub(crate) fn attesto(project: &Project) -> Result<PathBuf> {
    program(project, "attesto-cli", "attesto", "dev")
}

/// Builds a program of the workspace in a profile of cargo's and returns its path.
///
/// # Errors
/// When it does not build.
pub(crate) fn program(project: &Project, package: &str, name: &str, profile: &str) -> Result<PathBuf> {
    let mut cargo = project.cargo();
    cargo.args(["build", "--package", package, "--bin", name, "--profile", profile]);
    let mut built = artifacts(&mut cargo)?.into_iter().map(|(_, file)| file);
    let program = built.find(|file| file.file_stem().is_some_and(|stem| stem == name));
    program.with_context(|| format!("the package {package} gave no program `{name}`"))
}

/// Runs a cargo build and returns what it made for the workspace's own packages: the package's folder and the file.
fn artifacts(cargo: &mut std::process::Command) -> Result<Vec<(PathBuf, PathBuf)>> {
    Ok(messages(cargo)?.iter().filter_map(artifact).collect())
}

fn messages(cargo: &mut std::process::Command) -> Result<Vec<Value>> {
    let output = cargo
        .arg("--message-format=json-render-diagnostics")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be started")?;
    if !output.status.success() {
        bail!("cargo build failed");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    Ok(messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Runs a `cargo test --no-run` and returns the test programs: the package's folder and the program.
///
/// # Errors
/// When it fails.
pub(crate) fn test_programs(cargo: &mut std::process::Command) -> Result<Vec<(PathBuf, PathBuf)>> {
    let messages = messages(cargo)?;
    let test = |message: &Value| message.pointer("/profile/test") == Some(&Value::Bool(true));
    Ok(messages.iter().filter(|message| test(message)).filter_map(artifact).collect())
}

/// Cargo's "Artifact Messages": a program or a cdylib, with the file it became.
fn artifact(message: &Value) -> Option<(PathBuf, PathBuf)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if message.get("reason")? != "compiler-artifact" {
        return None;
    }
    let manifest = PathBuf::from(text(message.get("manifest_path")?)?);
    let executable = message.get("executable").and_then(text);
    let files = message.get("filenames")?.as_array()?.iter().filter_map(text);
    let file = executable.or_else(|| files.into_iter().find(|file| file.ends_with(".wasm")))?;
    Some((manifest.parent()?.to_owned(), PathBuf::from(file)))
}

/// Copies a file unless the same bytes are already there, so that what depends on it stays fresh.
fn put(file: &Path, place: &Path) -> Result<()> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    if fs::read(place).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::write(place, bytes).with_context(|| format!("writing {}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str) -> Package {
        Package { name: name.to_owned(), folder: PathBuf::from(folder), tested: true }
    }

    #[test]
    fn packages_below_a_components_folder_are_components() {
        assert_eq!(wasm_target(&package("people", "components/people")), Some("wasm32-wasip2"));
        assert_eq!(wasm_target(&package("hostile", "tests/components/hostile")), Some("wasm32-wasip2"));
        assert_eq!(wasm_target(&package("envoy-filter", "components/envoy-filter")), Some("wasm32-wasip1"));
        assert_eq!(wasm_target(&package("attesto", "")), None);
        assert_eq!(wasm_target(&package("xtask", "xtask")), None);
    }

    #[test]
    fn only_files_made_for_running_are_artifacts() {
        let message = |json: &str| artifact(&serde_json::from_str(json).unwrap());
        let made = message(
            r#"{"reason":"compiler-artifact","manifest_path":"/p/components/people/Cargo.toml",
                "filenames":["/t/people.wasm"],"executable":null}"#,
        );
        assert_eq!(made, Some(("/p/components/people".into(), "/t/people.wasm".into())));
        let library =
            r#"{"reason":"compiler-artifact","manifest_path":"/p/Cargo.toml","filenames":["/t/liba.rlib"]}"#;
        assert_eq!(message(library), None);
        assert_eq!(message(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
