//! `attesto.toml`: what the operator decides. Read and validated once; nothing re-checks it later.

use std::fmt;

use serde::Deserialize;
use url::{Host, Url};

use crate::jose::Algorithm;
use crate::scope::{Scope, is_scope_token};

/// The settings as written. Names and defaults are those of `docs/configuration.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    issuer: String,
    audience: String,
    scopes_supported: Vec<String>,
    #[serde(default = "default_access_token_ttl")]
    access_token_ttl: u64,
    #[serde(default = "default_id_token_ttl")]
    id_token_ttl: u64,
    #[serde(default = "default_authorization_code_ttl")]
    authorization_code_ttl: u64,
    #[serde(default = "default_consent_grant_ttl")]
    consent_grant_ttl: u64,
    #[serde(default = "default_access_token_signing_alg")]
    access_token_signing_alg: String,
    #[serde(default)]
    require_nonce: bool,
    #[serde(default = "default_true")]
    authorization_response_iss: bool,
    #[serde(default = "default_true")]
    require_https: bool,
    #[serde(default = "default_oauth_path_prefix")]
    oauth_path_prefix: String,
    #[serde(default = "default_account_path_prefix")]
    account_path_prefix: String,
    #[serde(default = "default_basic_realm")]
    basic_realm: String,
    resource_metadata: Option<String>,
    #[serde(default)]
    claims_supported: Vec<String>,
    #[serde(default = "default_store")]
    store: String,
}

fn default_access_token_ttl() -> u64 {
    900
}
fn default_id_token_ttl() -> u64 {
    900
}
fn default_authorization_code_ttl() -> u64 {
    60
}
fn default_consent_grant_ttl() -> u64 {
    600
}
fn default_access_token_signing_alg() -> String {
    "ES256".to_owned()
}
fn default_true() -> bool {
    true
}
fn default_oauth_path_prefix() -> String {
    "/oauth".to_owned()
}
fn default_account_path_prefix() -> String {
    "/account".to_owned()
}
fn default_basic_realm() -> String {
    "OAuth".to_owned()
}
fn default_store() -> String {
    "default".to_owned()
}

/// Valid settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuer identifier (RFC 8414 §2), without a trailing slash.
    pub issuer: String,
    /// The path of the issuer identifier, empty where it has none.
    pub issuer_path: String,
    /// The default access-token audience: the identifier of the protected resource (RFC 9068 §2.2, RFC 9728 §2).
    pub audience: String,
    /// The scope values of the server (RFC 8414 §2).
    pub scopes_supported: Scope,
    /// Access-token lifetime, seconds.
    pub access_token_ttl: u64,
    /// ID-token lifetime, seconds.
    pub id_token_ttl: u64,
    /// Code lifetime, seconds: "A maximum authorization code lifetime of 10 minutes is RECOMMENDED" (RFC 6749 §4.1.2).
    pub authorization_code_ttl: u64,
    /// How long a consent page can be answered, seconds.
    pub consent_grant_ttl: u64,
    /// The algorithm access tokens are signed with.
    pub access_token_signing_alg: Algorithm,
    /// Whether an OpenID request must carry a `nonce`.
    pub require_nonce: bool,
    /// Whether authorization responses carry `iss` (RFC 9207).
    pub authorization_response_iss: bool,
    /// The prefix of the OAuth endpoints.
    pub oauth_path_prefix: String,
    /// The prefix of the `people` part's pages.
    pub account_path_prefix: String,
    /// The realm of Basic challenges (RFC 7617 §2).
    pub basic_realm: String,
    /// The protected-resource metadata URL named in Bearer challenges (RFC 9728 §5.1).
    pub resource_metadata: Option<String>,
    /// `claims_supported` (OIDC Discovery §3).
    pub claims_supported: Vec<String>,
    /// The key-value label the parts keep their records in.
    pub store: String,
}

/// What is wrong, key by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// A key that has to be fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The key, as written in `attesto.toml`; empty where the text as a whole can not be read.
    pub key: &'static str,
    /// What it must be.
    pub problem: String,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            match error.key {
                "" => write!(f, "attesto.toml: {}", error.problem)?,
                key => write!(f, "attesto.toml: `{key}` {}", error.problem)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl Config {
    /// Reads and validates `attesto.toml`, reporting everything that is wrong with it at once.
    pub fn from_toml(text: &str) -> Result<Self, ConfigErrors> {
        let settings: Settings = toml::from_str(text).map_err(|error| {
            ConfigErrors(vec![ConfigError { key: "", problem: error.to_string().trim().replace('\n', " ") }])
        })?;
        settings.validate()
    }
}

impl Settings {
    fn validate(self) -> Result<Config, ConfigErrors> {
        let mut problems = Problems::default();
        let issuer_path = match issuer(&self.issuer, self.require_https) {
            Ok(path) => path,
            Err(problem) => problems.note("issuer", problem),
        };
        if let Err(problem) = resource_identifier(&self.audience) {
            problems.note("audience", problem)
        }
        if let Some(url) = &self.resource_metadata
            && !Url::parse(url)
                .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.fragment().is_none())
        {
            problems.note("resource_metadata", "must be the absolute URL of the RFC 9728 document")
        }
        if self.scopes_supported.is_empty()
            || !self.scopes_supported.iter().all(|token| is_scope_token(token))
        {
            problems.note("scopes_supported", "must be a list of scope values (RFC 6749 §3.3), at least one")
        }
        for (key, seconds, max) in [
            ("access_token_ttl", self.access_token_ttl, 86_400),
            ("id_token_ttl", self.id_token_ttl, 86_400),
            ("authorization_code_ttl", self.authorization_code_ttl, 600),
            ("consent_grant_ttl", self.consent_grant_ttl, 3_600),
        ] {
            if !(1..=max).contains(&seconds) {
                problems.note(key, format!("is in seconds and must be from 1 to {max}"))
            }
        }
        for (key, prefix) in [
            ("oauth_path_prefix", &self.oauth_path_prefix),
            ("account_path_prefix", &self.account_path_prefix),
        ] {
            if !is_path_prefix(prefix) {
                problems.note(key, "must be a path like `/oauth`: unreserved characters, no trailing slash")
            }
        }
        let (oauth, account) =
            (format!("{}/", self.oauth_path_prefix), format!("{}/", self.account_path_prefix));
        if oauth.starts_with(&account) || account.starts_with(&oauth) {
            problems.note("account_path_prefix", "and `oauth_path_prefix` must not lie within each other")
        }
        if !self.basic_realm.bytes().all(|b| matches!(b, 0x20..=0x7E) && b != b'"' && b != b'\\') {
            problems.note("basic_realm", "must be printable ASCII without quotes and backslashes")
        }
        if self.store.is_empty() {
            problems.note("store", "must be a label of the manifest's `key_value_stores`")
        }
        let access_token_signing_alg = self.access_token_signing_alg.parse().unwrap_or_else(|_| {
            let names: Vec<_> = Algorithm::ALL.iter().map(|alg| alg.name()).collect();
            problems.note::<()>("access_token_signing_alg", format!("must be one of {}", names.join(", ")));
            Algorithm::Es256
        });
        let scopes_supported = Scope::from_tokens(self.scopes_supported).unwrap_or_default();
        problems.none()?;
        Ok(Config {
            issuer: self.issuer,
            issuer_path,
            audience: self.audience,
            scopes_supported,
            access_token_ttl: self.access_token_ttl,
            id_token_ttl: self.id_token_ttl,
            authorization_code_ttl: self.authorization_code_ttl,
            consent_grant_ttl: self.consent_grant_ttl,
            access_token_signing_alg,
            require_nonce: self.require_nonce,
            authorization_response_iss: self.authorization_response_iss,
            oauth_path_prefix: self.oauth_path_prefix,
            account_path_prefix: self.account_path_prefix,
            basic_realm: self.basic_realm,
            resource_metadata: self.resource_metadata,
            claims_supported: self.claims_supported,
            store: self.store,
        })
    }
}

#[derive(Default)]
struct Problems(Vec<ConfigError>);

impl Problems {
    fn note<T: Default>(&mut self, key: &'static str, problem: impl Into<String>) -> T {
        self.0.push(ConfigError { key, problem: problem.into() });
        T::default()
    }

    fn none(self) -> Result<(), ConfigErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(ConfigErrors(self.0)) }
    }
}

/// The issuer is "a URL that uses the `https` scheme and has no query or fragment components" (RFC 8414 §2). Plain
/// http is for a loopback host, or where `require_https` is off. Answers with the path.
fn issuer(text: &str, require_https: bool) -> Result<String, &'static str> {
    let Ok(url) = Url::parse(text) else { return Err("must be an absolute URL") };
    let plain = url.scheme() == "http" && (is_loopback(&url) || !require_https);
    if url.scheme() != "https" && !plain {
        return Err("must use https; http is for loopback hosts, or with `require_https = false`");
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err("must have no query, fragment or user information (RFC 8414 §2)");
    }
    // The identifier is compared as a string everywhere (RFC 8414 §3.3), so its spelling must be the canonical one.
    let path = url.path().strip_suffix('/').unwrap_or(url.path());
    if text.ends_with('/') || format!("{}{path}", url.origin().ascii_serialization()) != text {
        return Err("must be in canonical form: lower case host, no default port, no trailing slash");
    }
    Ok(path.to_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// "a URL that uses the `https` scheme and has no fragment component" (RFC 9728 §1.2), http being for development. "The
/// resource parameter […] MUST be an absolute URI […] MUST NOT include a fragment component" (RFC 8707 §2).
fn resource_identifier(text: &str) -> Result<(), &'static str> {
    match Url::parse(text) {
        Ok(url) if url.fragment().is_none() && matches!(url.scheme(), "https" | "http") => Ok(()),
        _ => Err("must be an https URL without a fragment (RFC 8707 §2, RFC 9728 §1.2)"),
    }
}

fn is_path_prefix(prefix: &str) -> bool {
    prefix.starts_with('/')
        && prefix.split('/').skip(1).all(|segment| {
            !matches!(segment, "" | "." | ".." | ".well-known")
                && segment
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"
        issuer = "https://auth.example"
        audience = "https://api.example"
        scopes_supported = ["openid"]
    "#;

    fn keys(text: &str) -> Vec<&'static str> {
        match Config::from_toml(text) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.0.into_iter().map(|error| error.key).collect(),
        }
    }

    #[test]
    fn the_minimal_file_has_the_documented_defaults() {
        let config = Config::from_toml(MINIMAL).expect("minimal");
        assert_eq!((config.access_token_ttl, config.authorization_code_ttl), (900, 60));
        assert_eq!(config.oauth_path_prefix, "/oauth");
        assert!(config.authorization_response_iss);
    }

    #[test]
    fn everything_that_is_wrong_is_reported_at_once_by_key() {
        let text = r#"
            issuer = "http://auth.example"
            audience = "api"
            scopes_supported = ["a b"]
            authorization_code_ttl = 601
            oauth_path_prefix = "oauth/"
        "#;
        assert_eq!(
            keys(text),
            ["issuer", "audience", "scopes_supported", "authorization_code_ttl", "oauth_path_prefix"]
        );
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = Config::from_toml(&format!("{MINIMAL}\naccess_token_tll = 3")).expect_err("a typo");
        assert!(error.to_string().contains("access_token_tll"), "{error}");
    }

    #[test]
    fn the_issuer_must_be_canonical_https_without_query_or_fragment() {
        for bad in [
            "auth.example",
            "ftp://auth.example",
            "http://auth.example",
            "https://auth.example/",
            "https://AUTH.example",
            "https://auth.example:443",
            "https://auth.example?x",
            "https://auth.example#x",
            "https://u@auth.example",
        ] {
            assert_eq!(keys(&MINIMAL.replace("https://auth.example", bad)), ["issuer"], "{bad}");
        }
        for good in
            ["https://auth.example/tenant", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1"]
        {
            assert!(keys(&MINIMAL.replace("https://auth.example", good)).is_empty(), "{good}");
        }
    }

    #[test]
    fn prefixes_that_lie_within_each_other_are_refused() {
        let text = format!("{MINIMAL}\naccount_path_prefix = \"/oauth/account\"");
        assert_eq!(keys(&text), ["account_path_prefix"]);
    }
}
