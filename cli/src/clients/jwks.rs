//! A client's public keys, as an operator is given them.

use std::path::{Path, PathBuf};

use attesto::jose::{Algorithm, Jwk, JwkSet, KeyError, SelectError};
use clap::Args;
use serde_json::{Map, Value};
use url::Url;

use crate::Failure;

/// Where the client's public keys are: in the registry or at the client, "MUST NOT both" (RFC 7591 §2).
#[derive(Args)]
#[group(multiple = false)]
pub(super) struct KeyOptions {
    /// A file with its public keys: a JWK Set, `{"keys": [ … ]}` (RFC 7517 §5)
    ///
    /// Whoever runs the client makes the keys, keeps the private halves and gives you the public ones. A file with a
    /// private key in it is refused.
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,

    /// Where the server fetches its public keys instead: an https URL
    ///
    /// The client can then change its keys without you.
    #[arg(long, value_name = "URL", value_parser = jwks_uri)]
    jwks_uri: Option<String>,
}

/// The keys of a client.
pub(super) enum Keys {
    /// It has none.
    None,
    /// These.
    Here {
        /// The set as it was given.
        jwks: Map<String, Value>,
        /// Those of them that the server can use.
        usable: JwkSet,
        /// Where it was read from.
        file: PathBuf,
    },
    /// Those that are there.
    At(String),
}

impl KeyOptions {
    pub(super) fn read(&self) -> Result<Keys, Failure> {
        match (&self.jwks, &self.jwks_uri) {
            (Some(file), _) => Keys::read(file),
            (None, Some(uri)) => Ok(Keys::At(uri.clone())),
            (None, None) => Ok(Keys::None),
        }
    }
}

impl Keys {
    fn read(file: &Path) -> Result<Self, Failure> {
        let refused = |reason: &dyn std::fmt::Display| format!("--jwks {}: {reason}", file.display());
        let text = std::fs::read(file).map_err(|error| refused(&error))?;
        let usable = JwkSet::from_json(&text).map_err(|error| refused(&problem(error)))?;
        let jwks = serde_json::from_slice(&text).map_err(|error| refused(&error))?;
        if usable.keys().is_empty() {
            let reasons = usable.skipped().iter().map(|reason| format!(": {reason}"));
            return Err(
                refused(&format!("has no key that can be used{}", reasons.collect::<String>())).into()
            );
        }
        // "Implementations SHOULD ignore JWKs […] that are not understood by them" (RFC 7517 §5): the set may serve
        // other purposes and other servers as well.
        for reason in usable.skipped() {
            eprintln!("attesto: {}", refused(&format!("a key of it is not used: {reason}")));
        }
        Ok(Self::Here { jwks, usable, file: file.to_owned() })
    }

    /// Refuses to go without keys. `option` is what needs them.
    pub(super) fn must_be_there(&self, option: &str) -> Result<(), Failure> {
        match self {
            Self::None => {
                Err(format!("{option}: needs the client's public keys; give --jwks or --jwks-uri").into())
            }
            Self::Here { .. } | Self::At(_) => Ok(()),
        }
    }

    /// Refuses to go without keys whose signatures can be checked. `option` is what needs them.
    pub(super) fn must_verify(&self, option: &str) -> Result<(), Failure> {
        self.must_be_there(option)?;
        match self {
            Self::Here { usable, file, .. } if usable.keys().iter().any(|key| is_ambiguous(key, usable)) => {
                Err(format!(
                    "--jwks {}: has keys that can not be told apart; each needs a `kid` of its own",
                    file.display()
                )
                .into())
            }
            Self::Here { .. } | Self::None | Self::At(_) => Ok(()),
        }
    }

    /// Refuses keys of which none is for this algorithm, where they are known. `option` asks for it.
    pub(super) fn must_admit(&self, option: &str, algorithm: Algorithm) -> Result<(), Failure> {
        match self {
            Self::Here { usable, file, .. } if !usable.keys().iter().any(|key| key.admits(algorithm)) => {
                Err(format!("{option} {algorithm}: no key of --jwks {} is for it", file.display()).into())
            }
            Self::Here { .. } | Self::None | Self::At(_) => Ok(()),
        }
    }

    /// `jwks` and `jwks_uri` (RFC 7591 §2).
    pub(super) fn into_members(self) -> (Option<Map<String, Value>>, Option<String>) {
        match self {
            Self::None => (None, None),
            Self::Here { jwks, .. } => (Some(jwks), None),
            Self::At(uri) => (None, Some(uri)),
        }
    }
}

/// Whether a signature with this key could be another one's as well: the server does not try them in turn.
fn is_ambiguous(key: &Jwk, set: &JwkSet) -> bool {
    let algorithms = key.key().algorithms().iter().filter(|algorithm| key.admits(**algorithm));
    algorithms.into_iter().any(|algorithm| set.select(key.kid(), *algorithm) == Err(SelectError::Ambiguous))
}

/// What is wrong with the file as a whole, for somebody who may have been given the wrong one.
fn problem(error: KeyError) -> String {
    match error {
        KeyError::PrivateKey => "has a private or symmetric key in it, which is nobody's but the client's; \
                                 give the public keys alone"
            .to_owned(),
        KeyError::Malformed | KeyError::Missing(_) => {
            "must be a JWK Set, {\"keys\": [ … ]} (RFC 7517 §5)".to_owned()
        }
        other => other.to_string(),
    }
}

fn jwks_uri(text: &str) -> Result<String, &'static str> {
    let is_plain = |url: &Url| {
        url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    };
    match Url::parse(text) {
        Ok(url) if is_plain(&url) => Ok(text.to_owned()),
        _ => Err("must be an https URL without user information and without a fragment"),
    }
}
