//! Attesto's own settings, checked before anything starts: a bad `attesto.toml` would otherwise answer every request
//! with 500.

use std::collections::BTreeMap;
use std::path::PathBuf;

use attesto::config::{Config, DpopNonces};
use attesto_host::manifest::{Component, Manifest, Mount};
use attesto_host::variables::Variables;
use keystore::mac;

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
        let config = Config::from_toml(&text)?;
        if config.dpop.nonces == DpopNonces::Stateless {
            check_mac_secret(manifest, component, given)?;
        }
    }
    Ok(())
}

/// Checks the secret that stateless nonces are made with. A component that is given no such variable has a keystore of
/// another kind.
fn check_mac_secret(
    manifest: &Manifest,
    component: &Component,
    given: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let variables = Variables::resolve(manifest, given, |name| std::env::var(name).ok())?;
    let value = |name: &str| {
        let template = component.variables.get(name);
        template.map(|template| variables.expand(name, template)).transpose()
    };
    if let Some(secret) = value(mac::VARIABLE)? {
        let previous = value(mac::PREVIOUS_VARIABLE)?.unwrap_or_default();
        mac::Secrets::new(secret, previous).map_err(|error| {
            format!(
                "attesto.toml: `dpop_nonce_required` needs a secret, and {error}; \
                 `attesto keys rotate-mac-secret` makes one"
            )
        })?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = r#"
        issuer = "https://auth.example"
        audience = "https://api.example"
        scopes_supported = ["openid"]
        dpop_nonce_required = true
    "#;

    /// What comes of these settings, a value for the secret, and whether the component is given it.
    fn checked(settings: &str, secret: Option<&str>, is_given: bool) -> Result<(), String> {
        let directory = tempfile::tempdir().expect("a directory");
        let variables = if is_given { "variables = { mac_secret = \"{{ mac_secret }}\" }" } else { "" };
        let manifest = format!(
            r#"
            spin_manifest_version = 2
            application = {{ name = "a" }}
            variables = {{ mac_secret = {{ default = "" }} }}
            [[trigger.http]]
            route = "/..."
            component = "a"
            [component.a]
            source = "a.wasm"
            files = ["attesto.toml"]
            {variables}
            "#
        );
        std::fs::write(directory.path().join("spin.toml"), manifest).expect("written");
        std::fs::write(directory.path().join(FILE), settings).expect("written");
        let manifest = Manifest::read(&directory.path().join("spin.toml")).expect("a manifest");
        let given = secret.map(|secret| (mac::VARIABLE.to_owned(), secret.to_owned()));
        check(&manifest, &given.into_iter().collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn nonces_that_need_a_secret_are_refused_without_one_by_its_name() {
        for secret in [None, Some(""), Some("short")] {
            let refusal = checked(SETTINGS, secret, true).expect_err("no secret");
            assert!(
                refusal.contains("`dpop_nonce_required`") && refusal.contains("`mac_secret`"),
                "{refusal}"
            );
        }
        assert_eq!(checked(SETTINGS, Some("a secret of thirty-two characters"), true), Ok(()));
    }

    #[test]
    fn without_such_nonces_or_with_another_keystore_no_secret_is_asked_for() {
        assert_eq!(checked(&SETTINGS.replace("true", "false"), None, true), Ok(()));
        assert_eq!(checked(&format!("{SETTINGS}\ndpop_nonces = \"single_use\""), None, true), Ok(()));
        assert_eq!(checked(SETTINGS, None, false), Ok(()));
    }
}
