//! What a part may import, given what it inherits.
//!
//! After composition the host cannot tell the main component from its parts, so each part's imports are compared with
//! its `inherit_configuration` *before*. The table is Spin's, per package instead of per version, and closed: an import
//! in neither list below is refused.
//!
//! | class | imports |
//! |---|---|
//! | `key_value_stores` | `wasi:keyvalue/*`, `spin:key-value/*`, `fermyon:spin/key-value` |
//! | `variables` | `spin:variables/*`, `wasi:config/*`, `fermyon:spin/{variables,config}` |
//! | `allowed_outbound_hosts` | `wasi:http/{client,outgoing-handler,handler}`, `wasi:sockets/*`, `spin:{postgres,mysql,redis,mqtt}/*`, `fermyon:spin/{http,postgres,mysql,redis,mqtt}` |
//! | `sqlite_databases` | `spin:sqlite/*`, `fermyon:spin/sqlite` |
//! | `ai_models` | `fermyon:spin/llm` |
//! | `files` | `wasi:filesystem/preopens` |
//! | `environment` | `wasi:cli/environment` |
//! | none | the rest of `wasi:cli` and `wasi:filesystem`, `wasi:io`, `wasi:clocks`, `wasi:random`, `wasi:http/types` |
//!
//! Rust's standard library imports `wasi:filesystem/preopens` and `wasi:cli/environment` whether a program reads files
//! or not. A part that does not inherit these two is therefore not refused: composition gives it an empty set of
//! preopened directories ([`crate::compose`]), and this host's environment is empty for everyone.

use std::collections::BTreeSet;
use std::fmt;

/// A class of permissions, by the name of the manifest key that grants it to the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the manifest key of its name")]
pub enum Class {
    AiModels,
    AllowedOutboundHosts,
    Environment,
    Files,
    KeyValueStores,
    SqliteDatabases,
    Variables,
}

impl Class {
    /// Every class, which is what `inherit_configuration = true` passes on.
    pub const ALL: [Self; 7] = [
        Self::AiModels,
        Self::AllowedOutboundHosts,
        Self::Environment,
        Self::Files,
        Self::KeyValueStores,
        Self::SqliteDatabases,
        Self::Variables,
    ];

    /// The manifest's spelling.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AiModels => "ai_models",
            Self::AllowedOutboundHosts => "allowed_outbound_hosts",
            Self::Environment => "environment",
            Self::Files => "files",
            Self::KeyValueStores => "key_value_stores",
            Self::SqliteDatabases => "sqlite_databases",
            Self::Variables => "variables",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Whether composition withholds it instead of refusing the part.
    fn is_withheld(self) -> bool {
        matches!(self, Self::Environment | Self::Files)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of an import, such as `wasi:keyvalue/store@0.2.0-draft2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import(String);

impl Import {
    /// From the name as a component spells it.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The WIT package, `namespace:name`, without the version.
    #[must_use]
    pub fn package(&self) -> &str {
        let end = self.0.find(['/', '@']).unwrap_or(self.0.len());
        self.0.get(..end).unwrap_or_default()
    }

    /// The interface within the package; empty for anything else.
    #[must_use]
    pub fn interface(&self) -> &str {
        let name = self.0.split_once('/').map_or("", |(_, interface)| interface);
        name.split('@').next().unwrap_or_default()
    }

    /// The version, when it has one.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.0.split_once('@').map(|(_, version)| version)
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The permission an import needs; `None` when it needs none.
#[must_use]
pub fn class_of(import: &Import) -> Option<Class> {
    match (import.package(), import.interface()) {
        ("wasi:keyvalue" | "spin:key-value", _) | ("fermyon:spin", "key-value") => {
            Some(Class::KeyValueStores)
        }
        ("spin:variables" | "wasi:config", _) | ("fermyon:spin", "variables" | "config") => {
            Some(Class::Variables)
        }
        ("wasi:http", "client" | "outgoing-handler" | "handler")
        | ("wasi:sockets" | "spin:postgres" | "spin:mysql" | "spin:redis" | "spin:mqtt", _)
        | ("fermyon:spin", "http" | "postgres" | "mysql" | "redis" | "mqtt") => {
            Some(Class::AllowedOutboundHosts)
        }
        ("spin:sqlite", _) | ("fermyon:spin", "sqlite") => Some(Class::SqliteDatabases),
        ("fermyon:spin", "llm") => Some(Class::AiModels),
        ("wasi:filesystem", "preopens") => Some(Class::Files),
        ("wasi:cli", "environment") => Some(Class::Environment),
        _ => None,
    }
}

fn is_harmless(import: &Import) -> bool {
    matches!(
        (import.package(), import.interface()),
        ("wasi:cli" | "wasi:filesystem" | "wasi:io" | "wasi:clocks" | "wasi:random", _)
            | ("wasi:http", "types")
    )
}

/// The imports of a compiled component, in the order it declares them.
///
/// # Errors
/// Why these bytes are not a component.
pub fn imports_of(wasm: &[u8]) -> Result<Vec<Import>, String> {
    let mut types = wac_types::Types::default();
    let package = wac_types::Package::from_bytes("component", None, wasm, &mut types)
        .map_err(|error| format!("{error:#}"))?;
    Ok(types[package.ty()].imports.keys().map(Import::new).collect())
}

/// A part whose imports go beyond what it inherits.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct Excess {
    /// The part, by its manifest key.
    pub part: String,
    /// The import.
    pub import: Import,
    /// The class it would have to inherit; `None` when no class covers the import.
    pub class: Option<Class>,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, import, class } = self;
        match class {
            Some(class) => write!(
                f,
                "part \"{part}\" imports {import}, which needs \"{class}\" in its inherit_configuration; it inherits no such thing"
            ),
            None => write!(f, "part \"{part}\" imports {import}, which no part may import"),
        }
    }
}

/// Compares a part's imports with what it inherits.
///
/// # Errors
/// The first import that goes too far.
pub fn check(part: &str, imports: &[Import], inherits: &BTreeSet<Class>) -> Result<(), Excess> {
    let excess = |import: &Import, class| Excess { part: part.to_owned(), import: import.clone(), class };
    for import in imports {
        match class_of(import) {
            Some(class) if inherits.contains(&class) || class.is_withheld() => {}
            Some(class) => return Err(excess(import, Some(class))),
            None if is_harmless(import) => {}
            None => return Err(excess(import, None)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_name_comes_apart() {
        let import = Import::new("wasi:keyvalue/store@0.2.0-draft2");
        assert_eq!(
            (import.package(), import.interface(), import.version()),
            ("wasi:keyvalue", "store", Some("0.2.0-draft2"))
        );
        let plain = Import::new("fermyon:spin/key-value");
        assert_eq!(
            (plain.package(), plain.interface(), plain.version()),
            ("fermyon:spin", "key-value", None)
        );
    }

    #[test]
    fn every_class_has_an_import_that_needs_it() {
        for (import, class) in [
            ("wasi:keyvalue/atomics@0.2.0-draft2", Class::KeyValueStores),
            ("spin:variables/variables@3.0.0", Class::Variables),
            ("wasi:config/store@0.2.0-draft-2024-09-27", Class::Variables),
            ("wasi:http/client@0.3.0", Class::AllowedOutboundHosts),
            ("wasi:sockets/tcp@0.2.6", Class::AllowedOutboundHosts),
            ("spin:postgres/postgres@4.2.0", Class::AllowedOutboundHosts),
            ("spin:sqlite/sqlite@3.1.0", Class::SqliteDatabases),
        ] {
            let excess = check("p:q@1.0.0", &[Import::new(import)], &BTreeSet::new()).unwrap_err();
            assert_eq!(excess.class, Some(class), "{import}");
            assert!(check("p:q@1.0.0", &[Import::new(import)], &BTreeSet::from([class])).is_ok(), "{import}");
        }
    }

    #[test]
    fn what_the_standard_library_imports_is_harmless() {
        let imports =
            ["wasi:cli/environment@0.2.6", "wasi:filesystem/preopens@0.2.6", "wasi:io/streams@0.2.6"];
        assert!(check("p:q@1.0.0", &imports.map(Import::new), &BTreeSet::new()).is_ok());
    }

    #[test]
    fn an_import_in_no_list_is_refused_even_when_everything_is_inherited() {
        let excess = check("p:q@1.0.0", &[Import::new("attesto:keystore/signer@0.1.0")], &Class::ALL.into())
            .unwrap_err();
        assert_eq!(excess.class, None);
    }
}
