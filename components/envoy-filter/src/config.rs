//! The settings in `envoy.yaml`. A mistake in them keeps Envoy from starting.

use std::time::Duration;

use attesto::jose::Algorithm;
use attesto::scope::Scope;
use attesto::scope_catalog::{RequiredScope, RequiredScopeError, Separator};
use attesto::verifier::{Policy, PolicyError};
use serde::Deserialize;

use crate::route::{Requirement, Rules, RulesError};

/// Why settings are refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not JSON, or not of this shape.
    #[error("configuration: {0}")]
    Shape(#[from] serde_json::Error),
    /// The verifier cannot work with them.
    #[error("configuration: {0}")]
    Policy(#[from] PolicyError),
    /// A rule is not one.
    #[error("configuration, rule `{0}`: {1}")]
    Rule(String, RulesError),
    /// A rule's scopes require nothing that can be checked.
    #[error("configuration, rule `{0}`: {1}; leave `scopes` out where any token will do")]
    Scope(String, RequiredScopeError),
    /// A separator of resource and action that is none.
    #[error("configuration: `scope_separator` must be `.` or `:`")]
    ScopeSeparator,
    /// A rule is both public and asks for scopes.
    #[error("configuration, rule `{0}`: a public path takes no scopes")]
    PublicWithScopes(String),
    /// A header that cannot carry claims.
    #[error("configuration: `{0}` is no name for a header of claims")]
    HeaderName(String),
    /// A time outside its range.
    #[error("configuration: `{0}` is out of range")]
    OutOfRange(&'static str),
}

/// What the filter needs to know.
#[derive(Debug)]
pub struct FilterConfig {
    /// What tokens are accepted.
    pub policy: Policy,
    /// What each path takes.
    pub rules: Rules,
    /// Where the upstream finds verified claims.
    pub upstream_headers: UpstreamHeaders,
    /// Whether the upstream sees the token itself.
    pub forward_authorization: bool,
    /// How long a request waits for fresher keys.
    pub key_wait: Duration,
}

/// Names of the headers that carry verified claims. Whatever a client sends under them is removed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamHeaders {
    /// `sub`.
    pub subject: String,
    /// `client_id`.
    pub client_id: String,
    /// `scope`, separated by spaces.
    pub scope: String,
    /// All claims: base64url of their JSON.
    pub claims: String,
}

impl Default for UpstreamHeaders {
    fn default() -> Self {
        Self {
            subject: "x-attesto-subject".to_owned(),
            client_id: "x-attesto-client-id".to_owned(),
            scope: "x-attesto-scope".to_owned(),
            claims: "x-attesto-claims".to_owned(),
        }
    }
}

impl UpstreamHeaders {
    /// All names.
    pub fn names(&self) -> [&str; 4] {
        [&self.subject, &self.client_id, &self.scope, &self.claims]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFilter {
    issuer: String,
    audiences: Vec<String>,
    algorithms: Option<Vec<Algorithm>>,
    #[serde(default)]
    clock_skew_seconds: u64,
    scope_separator: Option<String>,
    realm: Option<String>,
    resource_metadata: Option<String>,
    #[serde(default)]
    rules: Vec<RawRule>,
    #[serde(default)]
    upstream_headers: UpstreamHeaders,
    #[serde(default)]
    forward_authorization: bool,
    #[serde(default = "default_key_wait")]
    key_wait_milliseconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    prefix: String,
    #[serde(default)]
    public: bool,
    scopes: Option<Vec<String>>,
}

const fn default_key_wait() -> u64 {
    1_000
}

impl FilterConfig {
    /// Reads the filter's settings.
    pub fn from_json(text: &[u8]) -> Result<Self, ConfigError> {
        let raw: RawFilter = serde_json::from_slice(text)?;
        let mut policy = Policy::new(raw.issuer, raw.audiences)?
            .with_clock_skew(Duration::from_secs(raw.clock_skew_seconds))?;
        if let Some(algorithms) = raw.algorithms {
            policy = policy.with_algorithms(algorithms)?;
        }
        if let Some(separator) = raw.scope_separator {
            let separator = Separator::parse(&separator).ok_or(ConfigError::ScopeSeparator)?;
            policy = policy.with_scope_separator(separator);
        }
        if let Some(realm) = raw.realm {
            policy = policy.with_realm(realm)?;
        }
        if let Some(url) = raw.resource_metadata {
            policy = policy.with_resource_metadata(url)?;
        }
        if raw.key_wait_milliseconds > 10_000 {
            return Err(ConfigError::OutOfRange("key_wait_milliseconds"));
        }
        Ok(Self {
            policy,
            rules: rules(raw.rules)?,
            upstream_headers: header_names(raw.upstream_headers)?,
            forward_authorization: raw.forward_authorization,
            key_wait: Duration::from_millis(raw.key_wait_milliseconds),
        })
    }
}

fn rules(raw: Vec<RawRule>) -> Result<Rules, ConfigError> {
    let mut rules = Rules::default();
    for RawRule { prefix, public, scopes } in raw {
        let requirement = match (public, scopes) {
            (true, None) => Requirement::Public,
            (true, Some(_)) => return Err(ConfigError::PublicWithScopes(prefix)),
            (false, None) => Requirement::Token(Scope::default()),
            (false, Some(scopes)) => {
                let required = Scope::from_tokens(scopes)
                    .map_err(RequiredScopeError::from)
                    .and_then(RequiredScope::try_from)
                    .map_err(|error| ConfigError::Scope(prefix.clone(), error))?;
                Requirement::Token(required.scope().clone())
            }
        };
        rules.add(&prefix, requirement).map_err(|error| ConfigError::Rule(prefix, error))?;
    }
    Ok(rules)
}

/// Names are lower case here, as Envoy has them, and never those that HTTP or Envoy itself give meaning.
fn header_names(headers: UpstreamHeaders) -> Result<UpstreamHeaders, ConfigError> {
    let names = headers.names();
    let valid = |name: &str| {
        name.starts_with("x-")
            && !name.starts_with("x-envoy-")
            && !name.starts_with("x-forwarded-")
            && name.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
    };
    let repeated = |index: usize| names.iter().skip(index + 1).any(|name| Some(name) == names.get(index));
    match names.iter().enumerate().find(|(index, name)| !valid(name) || repeated(*index)) {
        Some((_, name)) => Err(ConfigError::HeaderName((*name).to_owned())),
        None => Ok(headers),
    }
}

/// What the service needs to know.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Where the issuer's keys are.
    pub jwks: JwksSource,
    /// Seconds after which the keys are fetched again.
    #[serde(default = "default_refresh")]
    pub refresh_seconds: u64,
    /// Seconds that lie between two fetches at least, whoever asks for them.
    #[serde(default = "default_min_refresh")]
    pub min_refresh_seconds: u64,
}

/// A JWK Set behind a cluster of Envoy's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwksSource {
    /// The cluster's name.
    pub cluster: String,
    /// The `:authority` to ask for.
    pub authority: String,
    /// The path of the document.
    pub path: String,
    /// Seconds to wait for it.
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
}

const fn default_refresh() -> u64 {
    300
}

const fn default_min_refresh() -> u64 {
    5
}

const fn default_timeout() -> u64 {
    5
}

impl ServiceConfig {
    /// Reads the service's settings.
    pub fn from_json(text: &[u8]) -> Result<Self, ConfigError> {
        let config: Self = serde_json::from_slice(text)?;
        if !(1..=3_600).contains(&config.min_refresh_seconds) {
            return Err(ConfigError::OutOfRange("min_refresh_seconds"));
        }
        if !(config.min_refresh_seconds..=86_400).contains(&config.refresh_seconds) {
            return Err(ConfigError::OutOfRange("refresh_seconds"));
        }
        if !(1..=60).contains(&config.jwks.timeout_seconds) {
            return Err(ConfigError::OutOfRange("jwks.timeout_seconds"));
        }
        if !config.jwks.path.starts_with('/') {
            return Err(ConfigError::OutOfRange("jwks.path"));
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(members: &str) -> Result<FilterConfig, String> {
        let text =
            format!(r#"{{"issuer":"https://as.example","audiences":["https://api.example"]{members}}}"#);
        FilterConfig::from_json(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn issuer_and_audience_are_enough() {
        let config = filter("").unwrap();
        assert_eq!(config.upstream_headers, UpstreamHeaders::default());
        assert!(!config.forward_authorization);
        assert_eq!(config.key_wait, Duration::from_secs(1));
    }

    #[test]
    fn mistakes_are_refused() {
        for members in [
            r#","isuer":"x""#,
            r#","algorithms":["none"]"#,
            r#","algorithms":["HS256"]"#,
            r#","algorithms":[]"#,
            r#","clock_skew_seconds":301"#,
            r#","clock_skew_seconds":-1"#,
            r#","key_wait_milliseconds":10001"#,
            r#","realm":"a\"b""#,
            r#","resource_metadata":"a\nb""#,
            r#","rules":[{"prefix":"/a","public":true,"scopes":["b"]}]"#,
            r#","rules":[{"prefix":"/a","scopes":[]}]"#,
            r#","rules":[{"prefix":"/a","scopes":["orders:*"]}]"#,
            r#","scope_separator":"/""#,
            r#","rules":[{"prefix":"/a","scopes":["b c\"d"]}]"#,
            r#","rules":[{"prefix":"/a","scope":["b"]}]"#,
            r#","rules":[{"prefix":"a"}]"#,
            r#","rules":[{"prefix":"/a"},{"prefix":"/a/"}]"#,
            r#","upstream_headers":{"subject":"X-Subject"}"#,
            r#","upstream_headers":{"subject":"host"}"#,
            r#","upstream_headers":{"subject":"x-forwarded-for"}"#,
            r#","upstream_headers":{"subject":"x-attesto-scope"}"#,
            r#","upstream_headers":{"sub":"x-subject"}"#,
        ] {
            assert!(filter(members).is_err(), "{members}");
        }
        assert!(FilterConfig::from_json(br#"{"issuer":"https://as.example"}"#).is_err());
        assert!(FilterConfig::from_json(br#"{"issuer":"https://as.example","audiences":[]}"#).is_err());
        assert!(FilterConfig::from_json(b"").is_err());
    }

    #[test]
    fn the_services_times_have_ranges() {
        let service = |members: &str| {
            let jwks = r#"{"cluster":"a","authority":"b","path":"/c"}"#;
            ServiceConfig::from_json(format!(r#"{{"jwks":{jwks}{members}}}"#).as_bytes())
        };
        assert!(service("").is_ok());
        for members in [
            r#","refresh_seconds":0"#,
            r#","refresh_seconds":4"#,
            r#","min_refresh_seconds":0"#,
            r#","refresh_seconds":86401"#,
            r#","keys":[]"#,
        ] {
            assert!(service(members).is_err(), "{members}");
        }
    }
}
