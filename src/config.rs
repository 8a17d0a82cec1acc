//! `attesto.toml`: what the operator decides. Read and validated once; nothing re-checks it later.

use std::fmt;

use serde::Deserialize;
use url::{Host, Url};

use crate::client::{Client, ClientAuthMethod, GrantType};
use crate::cors::CorsPolicy;
use crate::jose::Algorithm;
use crate::principal_kind::{PrincipalKind, PrincipalKinds};
use crate::request_facts::{BaseUrl, TrustedProxies};
use crate::scope_catalog::{Catalog, Separator};

/// The settings as written. Names and defaults are those of `docs/configuration.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    issuer: String,
    audience: String,
    scopes_supported: Vec<String>,
    scope_separator: Option<String>,
    #[serde(default = "default_principal_kinds")]
    principal_kinds: Vec<KindSettings>,
    #[serde(default = "default_grant_types_supported")]
    grant_types_supported: Vec<String>,
    #[serde(default = "default_token_endpoint_auth_methods_supported")]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default = "seconds::<900>")]
    access_token_ttl: u64,
    #[serde(default = "seconds::<900>")]
    id_token_ttl: u64,
    #[serde(default = "seconds::<1_209_600>")]
    refresh_token_ttl: u64,
    #[serde(default = "seconds::<7_776_000>")]
    refresh_token_family_ttl: u64,
    #[serde(default = "yes")]
    refresh_token_rotation: bool,
    #[serde(default = "seconds::<60>")]
    refresh_token_rotation_grace_seconds: u64,
    #[serde(default = "seconds::<60>")]
    authorization_code_ttl: u64,
    #[serde(default = "seconds::<600>")]
    consent_grant_ttl: u64,
    #[serde(default = "default_access_token_signing_alg")]
    access_token_signing_alg: String,
    #[serde(default = "yes")]
    require_pkce: bool,
    #[serde(default)]
    require_nonce: bool,
    #[serde(default = "yes")]
    authorization_response_iss: bool,
    #[serde(default = "yes")]
    require_https: bool,
    #[serde(default)]
    trusted_proxies: Vec<String>,
    canonical_url: Option<String>,
    #[serde(default)]
    cors_origins: Vec<String>,
    #[serde(default = "default_oauth_path_prefix")]
    oauth_path_prefix: String,
    authorize_path: Option<String>,
    token_path: Option<String>,
    userinfo_path: Option<String>,
    revocation_path: Option<String>,
    introspection_path: Option<String>,
    #[serde(default = "yes")]
    revocation_enabled: bool,
    #[serde(default = "yes")]
    introspection_enabled: bool,
    #[serde(default = "default_account_path_prefix")]
    account_path_prefix: String,
    #[serde(default = "default_basic_realm")]
    basic_realm: String,
    resource_metadata: Option<String>,
    #[serde(default)]
    claims_supported: Vec<String>,
    #[serde(default)]
    acr_values_supported: Vec<String>,
    #[serde(default)]
    ui_locales_supported: Vec<String>,
    #[serde(default = "default_store")]
    store: String,
}

/// A `[[principal_kinds]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KindSettings {
    name: String,
    sub_prefix: String,
    #[serde(default)]
    required_claims: Vec<String>,
}

/// The kind of principal that is a client acting for itself.
const CLIENT_KIND: &str = "client";

const fn seconds<const N: u64>() -> u64 {
    N
}
const fn yes() -> bool {
    true
}
fn default_principal_kinds() -> Vec<KindSettings> {
    [("person", "usr_"), (CLIENT_KIND, "client_")]
        .map(|(name, sub_prefix)| KindSettings {
            name: name.to_owned(),
            sub_prefix: sub_prefix.to_owned(),
            required_claims: Vec::new(),
        })
        .into()
}
fn default_grant_types_supported() -> Vec<String> {
    GrantType::ALL.map(|grant_type| grant_type.as_str().to_owned()).into()
}
fn default_token_endpoint_auth_methods_supported() -> Vec<String> {
    ClientAuthMethod::ALL.map(|method| method.as_str().to_owned()).into()
}
fn default_access_token_signing_alg() -> String {
    "ES256".to_owned()
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
    /// The scope values of the server (RFC 8414 §2), and what grants of them cover.
    pub catalog: Catalog,
    /// Whom tokens are minted for.
    pub principal_kinds: PrincipalKinds,
    /// The grant types of the token endpoint.
    pub grant_types_supported: Vec<GrantType>,
    /// How clients may authenticate.
    pub token_endpoint_auth_methods_supported: Vec<ClientAuthMethod>,
    /// Access-token lifetime, seconds.
    pub access_token_ttl: u64,
    /// ID-token lifetime, seconds.
    pub id_token_ttl: u64,
    /// How long a refresh token lives unused, seconds.
    pub refresh_token_ttl: u64,
    /// How long a family of refresh tokens lives however much it is used, seconds.
    pub refresh_token_family_ttl: u64,
    /// Whether confidential clients get a new refresh token with each refresh; public ones always do.
    pub refresh_token_rotation: bool,
    /// How long a rotated refresh token may ask for its successor again, seconds; 0 is never.
    pub refresh_token_rotation_grace_seconds: u64,
    /// Code lifetime, seconds: "A maximum authorization code lifetime of 10 minutes is RECOMMENDED" (RFC 6749 §4.1.2).
    pub authorization_code_ttl: u64,
    /// How long a consent page can be answered, seconds.
    pub consent_grant_ttl: u64,
    /// The algorithm access tokens are signed with.
    pub access_token_signing_alg: Algorithm,
    /// Whether confidential clients must use PKCE; public ones always must.
    pub require_pkce: bool,
    /// Whether an OpenID request must carry a `nonce`.
    pub require_nonce: bool,
    /// Whether authorization responses carry `iss` (RFC 9207).
    pub authorization_response_iss: bool,
    /// Whether requests that did not come over TLS are refused, where the issuer is https.
    pub require_https: bool,
    /// Whose word on where a request comes from counts.
    pub trusted_proxies: TrustedProxies,
    /// Where clients reach the server, if not at the issuer's origin.
    pub canonical_url: Option<BaseUrl>,
    /// Whose scripts may read responses.
    pub cors: CorsPolicy,
    /// The prefix of the OAuth endpoints.
    pub oauth_path_prefix: String,
    /// The endpoints that lie elsewhere.
    pub paths: PathOverrides,
    /// Whether there is a revocation endpoint (RFC 7009).
    pub revocation_enabled: bool,
    /// Whether there is an introspection endpoint (RFC 7662).
    pub introspection_enabled: bool,
    /// The prefix of the `people` part's pages.
    pub account_path_prefix: String,
    /// The realm of Basic challenges (RFC 7617 §2).
    pub basic_realm: String,
    /// The protected-resource metadata URL named in Bearer challenges (RFC 9728 §5.1).
    pub resource_metadata: Option<String>,
    /// `claims_supported` (OIDC Discovery §3).
    pub claims_supported: Vec<String>,
    /// `acr_values_supported` (OIDC Discovery §3).
    pub acr_values_supported: Vec<String>,
    /// `ui_locales_supported` (OIDC Discovery §3).
    pub ui_locales_supported: Vec<String>,
    /// The key-value label the parts keep their records in.
    pub store: String,
}

/// Paths that do not follow from the prefix.
#[derive(Clone, Debug, Default)]
pub struct PathOverrides {
    /// RFC 6749 §3.1.
    pub authorization: Option<String>,
    /// RFC 6749 §3.2.
    pub token: Option<String>,
    /// OIDC Core §5.3.
    pub userinfo: Option<String>,
    /// RFC 7009 §2.
    pub revocation: Option<String>,
    /// RFC 7662 §2.
    pub introspection: Option<String>,
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
        self.check_lifetimes(&mut problems);
        self.check_paths(&issuer_path, &mut problems);
        if !self.basic_realm.bytes().all(|b| matches!(b, 0x20..=0x7E) && b != b'"' && b != b'\\') {
            problems.note("basic_realm", "must be printable ASCII without quotes and backslashes")
        }
        if self.store.is_empty() {
            problems.note("store", "must be a label of the manifest's `key_value_stores`")
        }
        let separator = problems.checked("scope_separator", self.separator()).flatten();
        let catalog = Catalog::new(self.scopes_supported.clone(), separator);
        let catalog = problems.checked("scopes_supported", catalog);
        let principal_kinds = problems.checked("principal_kinds", self.kinds());
        let grant_types_supported = problems.checked("grant_types_supported", self.grant_types());
        let auth_methods = problems.checked("token_endpoint_auth_methods_supported", self.auth_methods());
        let access_token_signing_alg = problems.checked("access_token_signing_alg", self.signing_alg());
        let cors = problems.checked("cors_origins", CorsPolicy::new(self.cors_origins.clone()));
        let trusted_proxies = problems.checked("trusted_proxies", TrustedProxies::new(&self.trusted_proxies));
        let canonical_url = self.canonical_url.as_deref().map(BaseUrl::parse).transpose();
        let canonical_url = problems.checked("canonical_url", canonical_url);
        problems.none()?;
        let (
            Some(catalog),
            Some(principal_kinds),
            Some(grant_types_supported),
            Some(token_endpoint_auth_methods_supported),
            Some(access_token_signing_alg),
            Some(cors),
            Some(trusted_proxies),
            Some(canonical_url),
        ) = (
            catalog,
            principal_kinds,
            grant_types_supported,
            auth_methods,
            access_token_signing_alg,
            cors,
            trusted_proxies,
            canonical_url,
        )
        else {
            // Each of them noted its problem.
            return Err(ConfigErrors(Vec::new()));
        };
        Ok(Config {
            issuer: self.issuer,
            issuer_path,
            audience: self.audience,
            catalog,
            principal_kinds,
            grant_types_supported,
            token_endpoint_auth_methods_supported,
            access_token_ttl: self.access_token_ttl,
            id_token_ttl: self.id_token_ttl,
            refresh_token_ttl: self.refresh_token_ttl,
            refresh_token_family_ttl: self.refresh_token_family_ttl,
            refresh_token_rotation: self.refresh_token_rotation,
            refresh_token_rotation_grace_seconds: self.refresh_token_rotation_grace_seconds,
            authorization_code_ttl: self.authorization_code_ttl,
            consent_grant_ttl: self.consent_grant_ttl,
            access_token_signing_alg,
            require_pkce: self.require_pkce,
            require_nonce: self.require_nonce,
            authorization_response_iss: self.authorization_response_iss,
            require_https: self.require_https,
            trusted_proxies,
            canonical_url,
            cors,
            oauth_path_prefix: self.oauth_path_prefix,
            paths: PathOverrides {
                authorization: self.authorize_path,
                token: self.token_path,
                userinfo: self.userinfo_path,
                revocation: self.revocation_path,
                introspection: self.introspection_path,
            },
            revocation_enabled: self.revocation_enabled,
            introspection_enabled: self.introspection_enabled,
            account_path_prefix: self.account_path_prefix,
            basic_realm: self.basic_realm,
            resource_metadata: self.resource_metadata,
            claims_supported: self.claims_supported,
            acr_values_supported: self.acr_values_supported,
            ui_locales_supported: self.ui_locales_supported,
            store: self.store,
        })
    }

    fn check_lifetimes(&self, problems: &mut Problems) {
        const YEAR: u64 = 31_536_000;
        for (key, seconds, range) in [
            ("access_token_ttl", self.access_token_ttl, 1..=86_400),
            ("id_token_ttl", self.id_token_ttl, 1..=86_400),
            ("refresh_token_ttl", self.refresh_token_ttl, 1..=YEAR),
            ("refresh_token_family_ttl", self.refresh_token_family_ttl, 1..=10 * YEAR),
            ("refresh_token_rotation_grace_seconds", self.refresh_token_rotation_grace_seconds, 0..=600),
            ("authorization_code_ttl", self.authorization_code_ttl, 1..=600),
            ("consent_grant_ttl", self.consent_grant_ttl, 1..=3_600),
        ] {
            if !range.contains(&seconds) {
                let (min, max) = range.into_inner();
                problems.note(key, format!("is in seconds and must be from {min} to {max}"))
            }
        }
        if self.refresh_token_ttl > self.refresh_token_family_ttl {
            problems.note("refresh_token_ttl", "must not be longer than `refresh_token_family_ttl`")
        }
    }

    fn check_paths(&self, issuer_path: &str, problems: &mut Problems) {
        const SHAPE: &str = "must be a path like `/oauth`: unreserved characters, no trailing slash";
        for (key, prefix) in [
            ("oauth_path_prefix", Some(&self.oauth_path_prefix)),
            ("account_path_prefix", Some(&self.account_path_prefix)),
            ("authorize_path", self.authorize_path.as_ref()),
            ("token_path", self.token_path.as_ref()),
            ("userinfo_path", self.userinfo_path.as_ref()),
            ("revocation_path", self.revocation_path.as_ref()),
            ("introspection_path", self.introspection_path.as_ref()),
        ] {
            if prefix.is_some_and(|prefix| !is_path_prefix(prefix)) {
                problems.note(key, SHAPE)
            }
        }
        let endpoint = |path: &Option<String>, tail: &str| match path {
            Some(path) => path.clone(),
            None => format!("{issuer_path}{}/{tail}", self.oauth_path_prefix),
        };
        let endpoints = [
            ("authorize_path", endpoint(&self.authorize_path, "authorize")),
            ("token_path", endpoint(&self.token_path, "token")),
            ("userinfo_path", endpoint(&self.userinfo_path, "userinfo")),
            ("revocation_path", endpoint(&self.revocation_path, "revoke")),
            ("introspection_path", endpoint(&self.introspection_path, "introspect")),
        ];
        let account = format!("{issuer_path}{}", self.account_path_prefix);
        for (number, (key, path)) in endpoints.iter().enumerate() {
            if endpoints.iter().take(number).any(|(_, other)| other == path) {
                problems.note(key, "must not be the path of another endpoint")
            }
            if *path == account || path.starts_with(&format!("{account}/")) {
                problems.note("account_path_prefix", format!("must not contain `{key}`"))
            }
        }
    }

    fn separator(&self) -> Result<Option<Separator>, &'static str> {
        match self.scope_separator.as_deref() {
            None => Ok(None),
            Some(".") => Ok(Some(Separator::Dot)),
            Some(":") => Ok(Some(Separator::Colon)),
            Some(_) => Err("must be `.` or `:`"),
        }
    }

    fn kinds(&self) -> Result<PrincipalKinds, String> {
        let kind = |kind: &KindSettings| {
            PrincipalKind::new(&kind.name, &kind.sub_prefix, kind.required_claims.clone())
        };
        let kinds = self.principal_kinds.iter().map(kind).collect::<Result<_, _>>();
        let kinds = kinds.and_then(PrincipalKinds::new).map_err(|error| error.to_string())?;
        match kinds.kinds().iter().any(|kind| kind.name() == CLIENT_KIND) {
            true => Ok(kinds),
            false => Err(format!("must have one with the name `{CLIENT_KIND}`")),
        }
    }

    fn grant_types(&self) -> Result<Vec<GrantType>, String> {
        let known = || GrantType::ALL.map(GrantType::as_str).join(", ");
        let types = self.grant_types_supported.iter().map(|name| GrantType::parse(name));
        let types: Vec<_> = types
            .collect::<Option<_>>()
            .ok_or_else(|| format!("must be a list of: {}", known()))?;
        match (types.is_empty(), types.contains(&GrantType::AuthorizationCode)) {
            (true, _) => Err("must have at least one grant type".to_owned()),
            (_, false) if types.contains(&GrantType::RefreshToken) => {
                Err("can have `refresh_token` only beside `authorization_code`".to_owned())
            }
            _ => Ok(types),
        }
    }

    fn auth_methods(&self) -> Result<Vec<ClientAuthMethod>, String> {
        let known = || ClientAuthMethod::ALL.map(ClientAuthMethod::as_str).join(", ");
        let methods = self.token_endpoint_auth_methods_supported.iter();
        let methods: Option<Vec<_>> = methods.map(|name| ClientAuthMethod::parse(name)).collect();
        methods
            .filter(|methods| !methods.is_empty())
            .ok_or_else(|| format!("must be a list of at least one of: {}", known()))
    }

    fn signing_alg(&self) -> Result<Algorithm, String> {
        self.access_token_signing_alg.parse().map_err(|_| {
            let names: Vec<_> = Algorithm::ALL.iter().map(|alg| alg.name()).collect();
            format!("must be one of {}", names.join(", "))
        })
    }
}

impl Config {
    /// "Public clients MUST use PKCE" (RFC 9700 §2.1.1); of the others the operator may ask it.
    pub fn requires_pkce(&self, client: &Client) -> bool {
        self.require_pkce || client.token_endpoint_auth_method == ClientAuthMethod::None
    }

    /// What the `sub` of a client that acts for itself begins with.
    pub fn client_sub_prefix(&self) -> &str {
        let client = self.principal_kinds.kinds().iter().find(|kind| kind.name() == CLIENT_KIND);
        client.map(PrincipalKind::sub_prefix).unwrap_or_default()
    }
}

#[derive(Default)]
struct Problems(Vec<ConfigError>);

impl Problems {
    fn note<T: Default>(&mut self, key: &'static str, problem: impl Into<String>) -> T {
        self.0.push(ConfigError { key, problem: problem.into() });
        T::default()
    }

    fn checked<T, E: fmt::Display>(&mut self, key: &'static str, outcome: Result<T, E>) -> Option<T> {
        outcome.map_err(|problem| self.note::<()>(key, problem.to_string())).ok()
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
