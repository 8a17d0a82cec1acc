//! Attesto's own settings, keys and secrets, read as its components will read them, before anything starts: a bad one
//! would otherwise answer every request with 500.

use std::collections::BTreeMap;

use attesto::config::Config;
use attesto::keys::{KeysError, ServerKey, ServerKeys};
use attesto::server::{Server, ServerError};
use attesto_host::capabilities::Class;
use attesto_host::manifest::{Component, Manifest};
use attesto_host::variables::Variables;
use keystore::keys::{self, Status};
use keystore::mac::{self, SecretError, Secrets};
use zeroize::Zeroizing;

use crate::{Failure, clock};

const FILE: &str = "attesto.toml";
const VARIABLE: &str = "attesto_toml";

/// The WIT package of the part that reads the keys and the secrets.
const KEYSTORE: &str = "attesto:keystore";

/// What the components of an application will read, but for the variables, which may change.
pub(crate) struct Settings<'a> {
    manifest: &'a Manifest,
    /// The mounted `attesto.toml` of each component that has one, as it is now: the host copies it once as well.
    files: BTreeMap<&'a str, String>,
}

impl<'a> Settings<'a> {
    pub(crate) fn of(manifest: &'a Manifest) -> Result<Self, Failure> {
        let mut files = BTreeMap::new();
        for id in manifest.components.keys() {
            if let Some(text) = attesto_host::mounted_file(manifest, id, FILE)? {
                let text = String::from_utf8(text)
                    .map_err(|_| format!("component.{id}.files: {FILE} is not UTF-8"))?;
                files.insert(id.as_str(), text);
            }
        }
        Ok(Self { manifest, files })
    }

    /// Checks what each component is given. An application without settings and keystore is somebody else's.
    pub(crate) fn check(&self, given: &BTreeMap<String, String>) -> Result<(), Failure> {
        let variables = Variables::resolve(self.manifest, given, |name| std::env::var(name).ok())?;
        for (id, component) in &self.manifest.components {
            let value = |name: &str| {
                let key = format!("component.{id}.variables.{name}");
                let template = component.variables.get(name);
                template.map(|template| variables.expand(&key, template)).transpose()
            };
            let text = value(VARIABLE)?.filter(|text| !text.trim().is_empty());
            let text = text.as_ref().or_else(|| self.files.get(id.as_str()));
            let config = text.map(|text| Config::from_toml(text)).transpose()?;
            if !reads_keys(component) {
                continue;
            }
            if let Some(keys) = value(keys::VARIABLE)? {
                check_keys(&Zeroizing::new(keys), config)?;
            }
            let [current, previous] = [value(mac::VARIABLE)?, value(mac::PREVIOUS_VARIABLE)?];
            check_secrets(current.unwrap_or_default(), previous.unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Whether the component has a keystore that is given its variables.
fn reads_keys(component: &Component) -> bool {
    let mut parts = component.dependencies.iter();
    parts.any(|part| part.package == KEYSTORE && part.inherits.contains(&Class::Variables))
}

/// Whether the keys are keys, and such as the settings ask for.
fn check_keys(text: &str, config: Option<Config>) -> Result<(), Failure> {
    let keys = keys::parse(text).map_err(|error| error.to_string())?;
    let now = clock::now()?;
    let shown = keys.iter().filter_map(|key| {
        let status = keys::status(key, &keys, now)?;
        let is_active = status == Status::Active;
        Some(ServerKey { public_jwk: &key.public_jwk, alg: key.algorithm.name(), is_active })
    });
    let unfit = |error: KeysError| format!("the variable `{}`: {error}", keys::VARIABLE);
    let keys = ServerKeys::new(shown).map_err(unfit)?;
    match config.map(|config| Server::new(config, keys)).transpose() {
        Ok(_) => Ok(()),
        Err(ServerError::Keys(error)) => Err(unfit(error).into()),
        Err(error @ (ServerError::Verifier(_) | ServerError::Scope(_))) => Err(error.into()),
    }
}

/// Whether the secrets are long enough. Both may be absent; the earlier one alone is a mistake.
fn check_secrets(current: String, previous: String) -> Result<(), Failure> {
    let has_previous = !previous.is_empty();
    match Secrets::new(current, previous) {
        Err(SecretError::Absent) if has_previous => Err(format!(
            "the variable `{}` is empty, and `{}` is not: only another secret can take its place",
            mac::VARIABLE,
            mac::PREVIOUS_VARIABLE
        )
        .into()),
        Ok(_) | Err(SecretError::Absent) => Ok(()),
        Err(error @ SecretError::TooShort(_)) => Err(error.to_string().into()),
    }
}
