//! `spin.toml`, manifest version 2, as far as an HTTP application of local components needs it.
//!
//! A key that would change what runs and that this host does not implement is an error naming it: ignoring it would
//! let the same file mean two things. Keys that only tools read (`build`, `tool`, `targets`, descriptions) are ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::capabilities::Class;
use crate::error::{LoadError, read_toml};
use crate::route::Route;

/// A checked manifest. Paths are resolved against the directory of the file.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// `application.name`.
    pub name: String,
    /// The directory the file is in.
    pub directory: PathBuf,
    /// `[variables]`.
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.http]]`, without the private ones.
    pub routes: Vec<Route>,
    /// `[component.<id>]`.
    pub components: BTreeMap<String, Component>,
}

/// One entry of `[variables]`: with a default, or required.
#[derive(Debug, Clone)]
pub struct Variable {
    /// The value when nobody gives one; `None` means required.
    pub default: Option<String>,
}

/// One `[component.<id>]`.
#[derive(Debug, Clone)]
pub struct Component {
    /// `source`, the compiled component.
    pub source: PathBuf,
    /// `key_value_stores`, the labels it may open.
    pub key_value_stores: BTreeSet<String>,
    /// `variables`, templates over the application's.
    pub variables: BTreeMap<String, String>,
    /// `files`.
    pub files: Vec<Mount>,
    /// `allowed_outbound_hosts`, not yet resolved.
    pub allowed_outbound_hosts: Vec<String>,
    /// `[component.<id>.dependencies]`, its parts.
    pub dependencies: Vec<Dependency>,
}

/// One entry of `files`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a pattern, or a table of `source` and `destination`")]
pub enum Mount {
    /// A glob under the manifest's directory; each match keeps its relative path in the guest.
    Pattern(String),
    /// A file or directory that appears somewhere else in the guest.
    Placed {
        /// Relative to the manifest.
        source: PathBuf,
        /// Where the guest finds it.
        destination: PathBuf,
    },
}

/// One part: a component that satisfies every import of one WIT package.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// `namespace:name`, without the version.
    pub package: String,
    /// The version, when the key has one.
    pub version: Option<String>,
    /// The compiled part.
    pub path: PathBuf,
    /// The classes of the parent's permissions it shares.
    pub inherits: BTreeSet<Class>,
}

impl Dependency {
    /// The name as the manifest writes it: `namespace:name@version`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.version {
            Some(version) => format!("{}@{version}", self.package),
            None => self.package.clone(),
        }
    }
}

impl Manifest {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`LoadError`] naming the file and the key.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        read_toml::<raw::Manifest>(path)?.check(directory)
    }
}

mod raw {
    use super::{BTreeMap, Deserialize, IgnoredAny, Mount, PathBuf};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Manifest {
        pub spin_manifest_version: u32,
        pub application: Application,
        #[serde(default)]
        pub variables: BTreeMap<String, Variable>,
        pub trigger: Trigger,
        pub component: BTreeMap<String, Component>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Application {
        pub name: String,
        #[serde(default, rename = "version")]
        _version: IgnoredAny,
        #[serde(default, rename = "description")]
        _description: IgnoredAny,
        #[serde(default, rename = "authors")]
        _authors: IgnoredAny,
        #[serde(default, rename = "targets")]
        _targets: IgnoredAny,
        #[serde(default, rename = "tool")]
        _tool: IgnoredAny,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Variable {
        pub default: Option<String>,
        #[serde(default)]
        pub required: bool,
        #[serde(default, rename = "secret")]
        _secret: IgnoredAny,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Trigger {
        pub http: Vec<HttpTrigger>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct HttpTrigger {
        pub route: TriggerRoute,
        pub component: String,
        #[serde(default, rename = "id")]
        _id: IgnoredAny,
    }

    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a path such as \"/...\", or { private = true }")]
    pub(super) enum TriggerRoute {
        Path(String),
        Private { private: bool },
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Component {
        pub source: PathBuf,
        #[serde(default)]
        pub key_value_stores: Vec<String>,
        #[serde(default)]
        pub variables: BTreeMap<String, String>,
        #[serde(default)]
        pub files: Vec<Mount>,
        #[serde(default)]
        pub allowed_outbound_hosts: Vec<String>,
        #[serde(default)]
        pub dependencies: BTreeMap<String, Dependency>,
        #[serde(default, rename = "description")]
        _description: IgnoredAny,
        #[serde(default, rename = "targets")]
        _targets: IgnoredAny,
        #[serde(default, rename = "build")]
        _build: IgnoredAny,
        #[serde(default, rename = "tool")]
        _tool: IgnoredAny,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Dependency {
        pub path: PathBuf,
        #[serde(default)]
        pub inherit_configuration: Inherit,
    }

    #[derive(Deserialize)]
    #[serde(untagged, expecting = "true, false or a list of permission classes")]
    pub(super) enum Inherit {
        All(bool),
        Classes(Vec<String>),
    }

    impl Default for Inherit {
        fn default() -> Self {
            Self::All(false)
        }
    }
}

impl raw::Manifest {
    fn check(self, directory: PathBuf) -> Result<Manifest, LoadError> {
        if self.spin_manifest_version != 2 {
            return Err(LoadError::key(
                "spin_manifest_version",
                format!("{} is not supported; this host reads version 2", self.spin_manifest_version),
            ));
        }
        let mut variables = BTreeMap::new();
        for (name, variable) in self.variables {
            let key = format!("variables.{name}");
            match (&variable.default, variable.required) {
                (Some(_), true) => {
                    return Err(LoadError::key(key, "has a default, so it cannot be required"));
                }
                (None, false) => {
                    return Err(LoadError::key(key, "needs `default = \"…\"` or `required = true`"));
                }
                _ => variables.insert(name, Variable { default: variable.default }),
            };
        }
        let mut components = BTreeMap::new();
        for (id, component) in self.component {
            let checked = component.check(&id, &directory)?;
            components.insert(id, checked);
        }
        let mut routes: Vec<Route> = Vec::new();
        for trigger in self.trigger.http {
            let key = format!("trigger.http.route for component {}", trigger.component);
            if !components.contains_key(&trigger.component) {
                return Err(LoadError::key(
                    "trigger.http.component",
                    format!("there is no [component.{}]", trigger.component),
                ));
            }
            match trigger.route {
                raw::TriggerRoute::Private { private: true } => {}
                raw::TriggerRoute::Private { private: false } => {
                    return Err(LoadError::key(key, "must be a path or { private = true }"));
                }
                raw::TriggerRoute::Path(path) => {
                    let route = Route::parse(&path, &trigger.component)
                        .map_err(|problem| LoadError::key(&key, problem))?;
                    if routes.iter().any(|other| other.raw == route.raw) {
                        return Err(LoadError::key(key, format!("{path:?} is routed twice")));
                    }
                    routes.push(route);
                }
            }
        }
        Ok(Manifest { name: self.application.name, directory, variables, routes, components })
    }
}

impl raw::Component {
    fn check(self, id: &str, directory: &Path) -> Result<Component, LoadError> {
        let mut dependencies: Vec<Dependency> = Vec::new();
        for (name, dependency) in self.dependencies {
            let key = format!("component.{id}.dependencies.\"{name}\"");
            let dependency = dependency.check(&key, &name, directory)?;
            if dependencies.iter().any(|other| other.package == dependency.package) {
                return Err(LoadError::key(key, "this WIT package is already satisfied by another entry"));
            }
            dependencies.push(dependency);
        }
        Ok(Component {
            source: directory.join(self.source),
            key_value_stores: self.key_value_stores.into_iter().collect(),
            variables: self.variables,
            files: self.files,
            allowed_outbound_hosts: self.allowed_outbound_hosts,
            dependencies,
        })
    }
}

impl raw::Dependency {
    fn check(self, key: &str, name: &str, directory: &Path) -> Result<Dependency, LoadError> {
        let (package, version) = match name.split_once('@') {
            Some((package, version)) => (package, Some(version.to_owned())),
            None => (name, None),
        };
        let named = package
            .split_once(':')
            .is_some_and(|(namespace, name)| !namespace.is_empty() && !name.is_empty());
        if !named || package.contains('/') {
            return Err(LoadError::key(
                key,
                "a part is bound to a whole WIT package, `namespace:name@version`",
            ));
        }
        let inherits = match self.inherit_configuration {
            raw::Inherit::All(true) => Class::ALL.into_iter().collect(),
            raw::Inherit::All(false) => BTreeSet::new(),
            raw::Inherit::Classes(names) => names
                .iter()
                .map(|name| {
                    Class::from_name(name).ok_or_else(|| {
                        LoadError::key(
                            format!("{key}.inherit_configuration"),
                            format!("{name:?} is not a class"),
                        )
                    })
                })
                .collect::<Result<_, _>>()?,
        };
        Ok(Dependency { package: package.to_owned(), version, path: directory.join(self.path), inherits })
    }
}
