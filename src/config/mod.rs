//! `attesto.toml`: what the operator decides. Read and validated once; nothing re-checks it later.

mod profile;
mod security;
mod settings;

use std::fmt;

use crate::client::{Client, ClientAuthMethod, GrantType};
use crate::cors::CorsPolicy;
use crate::jose::Algorithm;
use crate::principal_kind::{PrincipalKind, PrincipalKinds};
use crate::request_facts::{CanonicalUrl, TrustedProxies};
use crate::scope_catalog::Catalog;

pub use security::{
    CertificateHeader, ClientAssertionConfig, DpopConfig, DpopNonces, MtlsConfig, Profile,
    PushedRequestConfig, RequestObjectConfig, RequestObjectPolicy,
};

use settings::{CLIENT_KIND, Settings};

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
    /// Where the URLs begin that requests are checked against.
    pub canonical_url: CanonicalUrl,
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
    /// The profile the server keeps to, where there is one.
    pub profile: Option<Profile>,
    /// How far a clock may be ahead of ours, seconds: assertions, request objects and proofs from that near a future are
    /// accepted.
    pub clock_skew: u64,
    /// Whether every access token must be bound to a key (RFC 9700 §2.2.1), whatever its client is registered for.
    pub require_sender_constraint: bool,
    /// DPoP (RFC 9449).
    pub dpop: DpopConfig,
    /// Mutual TLS (RFC 8705), where it is enabled.
    pub mtls: Option<MtlsConfig>,
    /// Client assertions (RFC 7523).
    pub client_assertion: ClientAssertionConfig,
    /// Pushed authorization requests (RFC 9126).
    pub pushed_requests: PushedRequestConfig,
    /// Request objects (RFC 9101).
    pub request_object: RequestObjectConfig,
    /// The algorithm of JARM and introspection responses for clients that registered none.
    pub response_signing_alg: Algorithm,
    /// The resources tokens are issued for beside `audience` (RFC 8707).
    pub resource_indicators: Vec<String>,
    /// The hosts on internal networks whose documents may be fetched.
    pub outbound_internal_hosts: Vec<String>,
    /// Whether resource servers can ask for the list of revoked access tokens.
    pub revoked_tokens_enabled: bool,
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
    /// RFC 9126 §2.
    pub pushed_authorization_request: Option<String>,
    /// The list of revoked access tokens.
    pub revoked_tokens: Option<String>,
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
        let unreadable = |error: toml::de::Error| {
            ConfigErrors(vec![ConfigError { key: "", problem: error.to_string().trim().replace('\n', " ") }])
        };
        let settings: Settings = toml::from_str(text).map_err(unreadable)?;
        // What a profile sets is told from what the operator has written.
        let written: toml::Table = toml::from_str(text).map_err(unreadable)?;
        settings.under_profile(&|key| written.contains_key(key)).validate()
    }
}

impl Config {
    /// Whether tokens are issued for this resource (RFC 8707).
    pub fn is_resource(&self, identifier: &str) -> bool {
        self.audience == identifier || self.resource_indicators.iter().any(|resource| resource == identifier)
    }

    /// The algorithm of what is signed for a client that registered this one, or none: `default` then. "PS256, ES256, or
    /// EdDSA using the Ed25519 variant" is all a profile has (FAPI 2.0 Security Profile §5.4.1).
    pub fn signing_alg(&self, registered: Option<&str>, default: Algorithm) -> Option<Algorithm> {
        registered.map_or(Some(default), |name| name.parse().ok()).filter(|alg| self.signs_with(*alg))
    }

    /// Whether anything may be signed with this algorithm.
    pub fn signs_with(&self, alg: Algorithm) -> bool {
        self.profile.is_none() || alg != Algorithm::Rs256
    }

    /// "Public clients MUST use PKCE" (RFC 9700 §2.1.1), and so must those of FAPI 2.0 (Security Profile §5.3.2.2), whose
    /// tokens are bound to a key; of the others the operator may ask it.
    pub fn requires_pkce(&self, client: &Client) -> bool {
        self.require_pkce
            || self.require_sender_constraint
            || client.requires_sender_constraint()
            || client.is_public()
    }

    /// Whether the authorization requests of this client must be pushed ones (RFC 9126 §5, §6).
    pub fn requires_pushed_request(&self, client: &Client) -> bool {
        self.pushed_requests.required || client.require_pushed_authorization_requests
    }

    /// Whether the authorization requests of this client must be signed ones (RFC 9101 §10.5).
    pub fn requires_signed_request(&self, client: &Client) -> bool {
        self.request_object.required || client.require_signed_request_object
    }

    /// What the `sub` of a client that acts for itself begins with.
    pub fn client_sub_prefix(&self) -> &str {
        let client = self.principal_kinds.kinds().iter().find(|kind| kind.name() == CLIENT_KIND);
        client.map(PrincipalKind::sub_prefix).unwrap_or_default()
    }
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
            ["issuer", "audience", "authorization_code_ttl", "oauth_path_prefix", "scopes_supported"]
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

    #[test]
    fn every_new_setting_is_checked_and_named() {
        for (line, key) in [
            ("scope_separator = \"/\"", "scope_separator"),
            ("principal_kinds = []", "principal_kinds"),
            ("[[principal_kinds]]\nname = \"person\"\nsub_prefix = \"usr_\"", "principal_kinds"),
            ("grant_types_supported = []", "grant_types_supported"),
            ("grant_types_supported = [\"password\"]", "grant_types_supported"),
            ("grant_types_supported = [\"refresh_token\"]", "grant_types_supported"),
            ("token_endpoint_auth_methods_supported = []", "token_endpoint_auth_methods_supported"),
            ("refresh_token_ttl = 0", "refresh_token_ttl"),
            ("refresh_token_ttl = 20\nrefresh_token_family_ttl = 10", "refresh_token_ttl"),
            ("refresh_token_rotation_grace_seconds = 601", "refresh_token_rotation_grace_seconds"),
            ("trusted_proxies = [\"10.0.0.0/33\"]", "trusted_proxies"),
            ("canonical_url = \"https://auth.example/\"", "canonical_url"),
            ("canonical_url = \"auth.example\"", "canonical_url"),
            ("cors_origins = [\"*\"]", "cors_origins"),
            ("token_path = \"token\"", "token_path"),
            ("token_path = \"/oauth/authorize\"", "token_path"),
            ("token_path = \"/account/token\"", "account_path_prefix"),
            ("access_token_signing_alg = \"HS256\"", "access_token_signing_alg"),
            ("outbound_internal_hosts = [\"https://keys.corp\"]", "outbound_internal_hosts"),
            ("outbound_internal_hosts = [\"keys.corp:8443\"]", "outbound_internal_hosts"),
            ("outbound_internal_hosts = [\"*.corp\"]", "outbound_internal_hosts"),
            ("outbound_internal_hosts = [\"::1\"]", "outbound_internal_hosts"),
        ] {
            assert_eq!(keys(&format!("{MINIMAL}\n{line}")), [key], "{line}");
        }
    }

    #[test]
    fn internal_hosts_are_spelled_as_in_urls() {
        let text = format!("{MINIMAL}\noutbound_internal_hosts = [\"Keys.Corp\", \"10.5\", \"[0::1]\"]");
        let config = Config::from_toml(&text).expect("valid");
        assert_eq!(config.outbound_internal_hosts, ["keys.corp", "10.0.0.5", "[::1]"]);
    }

    #[test]
    fn mutual_tls_with_less_than_it_needs_is_refused() {
        const PKI: &str = "token_endpoint_auth_methods_supported = [\"tls_client_auth\"]";
        const SELF_SIGNED: &str = "token_endpoint_auth_methods_supported = [\"self_signed_tls_client_auth\"]";
        const BOTH: &str =
            "token_endpoint_auth_methods_supported = [\"tls_client_auth\", \"self_signed_tls_client_auth\"]";
        const ENABLED: &str = "mtls_enabled = true\ntrusted_proxies = [\"loopback\"]";
        let ca = anchors("ca");
        for (lines, expected) in [
            (PKI.to_owned(), &["mtls_enabled", "mtls_trust_anchors"][..]),
            (SELF_SIGNED.to_owned(), &["mtls_enabled"]),
            (ca.clone(), &["mtls_enabled"]),
            ("mtls_listener_verifies = true".to_owned(), &["mtls_enabled"]),
            ("mtls_origin = \"https://mtls.auth.example\"".to_owned(), &["mtls_enabled"]),
            ("mtls_enabled = true".to_owned(), &["trusted_proxies"]),
            (format!("{ENABLED}\n{PKI}"), &["mtls_trust_anchors"]),
            (format!("{ENABLED}\n{PKI}\nmtls_trust_anchors = \" \""), &["mtls_trust_anchors"]),
            (format!("{ENABLED}\n{PKI}\nmtls_listener_verifies = true"), &[]),
            (format!("{ENABLED}\n{PKI}\n{ca}"), &[]),
            (format!("{ENABLED}\n{SELF_SIGNED}"), &[]),
            (format!("{ENABLED}\n{BOTH}\nmtls_listener_verifies = true"), &["mtls_listener_verifies"]),
            (format!("{ENABLED}\n{BOTH}\nmtls_listener_verifies = true\n{ca}"), &[]),
            ("mtls_enabled = true\ntrusted_proxies = [\"0.0.0.0/0\"]".to_owned(), &["trusted_proxies"]),
            (
                "mtls_enabled = true\ntrusted_proxies = [\"::ffff:0.0.0.0/96\"]".to_owned(),
                &["trusted_proxies"],
            ),
            (
                "mtls_enabled = true\ntrusted_proxies = [\"loopback\", \"::/0\"]".to_owned(),
                &["trusted_proxies"],
            ),
            (format!("{ENABLED}\nmtls_origin = \"https://mtls.example/\""), &["mtls_origin"]),
            (format!("{ENABLED}\nmtls_origin = \"http://mtls.example\""), &["mtls_origin"]),
            (format!("{ENABLED}\nmtls_origin = \"https://mtls.example\""), &[]),
            (ENABLED.to_owned(), &[]),
        ] {
            assert_eq!(keys(&format!("{MINIMAL}\n{lines}")), expected, "{lines}");
        }
    }

    #[test]
    fn trust_anchors_that_vouch_for_nobody_are_refused_at_start() {
        for (name, problem) in [
            ("client", "number 1 is not an authority's (basicConstraints cA, keyUsage keyCertSign)"),
            ("silent-ca", "number 1 is not an authority's (basicConstraints cA, keyUsage keyCertSign)"),
            ("weak-ca", "number 1 has a key that is not used: RSA modulus under 2048 bits"),
            ("p384-ca", "number 1 has a key that is not used: unsupported curve"),
            ("client.key", "must be certificates in PEM and nothing else"),
            ("README.md", "must be certificates in PEM (`BEGIN CERTIFICATE`)"),
        ] {
            let text = format!(
                "{MINIMAL}\nmtls_enabled = true\ntrusted_proxies = [\"loopback\"]\n{}",
                anchors(name)
            );
            let error = Config::from_toml(&text).expect_err(name).to_string();
            assert!(error.contains("`mtls_trust_anchors` must be") && error.ends_with(problem), "{error}");
        }
    }

    /// The setting with one of the certificates of the tests.
    fn anchors(name: &str) -> String {
        let file = if name.contains(".md") { name.to_owned() } else { format!("{name}.pem") };
        let path = format!("{}/tests/certificates/{file}", env!("CARGO_MANIFEST_DIR"));
        format!("mtls_trust_anchors = '''\n{}'''", std::fs::read_to_string(path).expect(name))
    }

    #[test]
    fn zero_grace_is_strict_and_allowed() {
        let config = Config::from_toml(&format!("{MINIMAL}\nrefresh_token_rotation_grace_seconds = 0"));
        assert_eq!(config.expect("valid").refresh_token_rotation_grace_seconds, 0);
    }

    #[test]
    fn what_needs_something_that_is_off_is_refused() {
        for (lines, key) in [
            ("dpop_nonce_required = true\ndpop_enabled = false", "dpop_nonce_required"),
            ("require_sender_constraint = true\ndpop_enabled = false", "require_sender_constraint"),
            (
                "require_pushed_authorization_requests = true\npar_enabled = false",
                "require_pushed_authorization_requests",
            ),
            (
                "require_signed_request_object = true\nrequest_object_policy = \"off\"",
                "require_signed_request_object",
            ),
            ("dpop_nonces = \"random\"", "dpop_nonces"),
            ("dpop_signing_algs = [\"HS256\"]", "dpop_signing_algs"),
            ("dpop_signing_algs = []", "dpop_signing_algs"),
            ("dpop_proof_ttl = 601", "dpop_proof_ttl"),
            ("clock_skew = 61", "clock_skew"),
            ("par_ttl = 600", "par_ttl"),
            ("par_path = \"/oauth/token\"", "par_path"),
            ("client_auth_signing_algs = [\"none\"]", "client_auth_signing_algs"),
            ("client_assertion_max_lifetime = 0", "client_assertion_max_lifetime"),
            ("request_object_policy = \"fapi\"", "request_object_policy"),
            ("response_signing_alg = \"HS256\"", "response_signing_alg"),
            ("resource_indicators = [\"https://api.example/#x\"]", "resource_indicators"),
            ("resource_indicators = [\"https://api.example/a b\"]", "resource_indicators"),
            ("mtls_certificate_header = \"x-ssl-cert\"", "mtls_certificate_header"),
            ("profile = \"fapi1\"", "profile"),
        ] {
            assert_eq!(keys(&format!("{MINIMAL}\n{lines}")), [key], "{lines}");
        }
    }

    #[test]
    fn a_profile_sets_every_switch_at_once() {
        let config =
            Config::from_toml(&format!("{MINIMAL}\nprofile = \"fapi2-security\"")).expect("a profile");
        assert!(!config.refresh_token_rotation);
        assert!(config.pushed_requests.required && config.pushed_requests.enabled);
        assert!(config.pushed_requests.ttl < 600);
        assert!(config.require_sender_constraint && config.require_pkce && config.authorization_response_iss);
        assert_eq!(config.authorization_code_ttl, 60);
        assert_eq!(config.token_endpoint_auth_methods_supported, [ClientAuthMethod::PrivateKeyJwt]);
        for algorithms in
            [&config.client_assertion.algorithms, &config.dpop.algorithms, &config.request_object.algorithms]
        {
            assert!(!algorithms.contains(&Algorithm::Rs256));
        }
        assert_eq!(config.response_signing_alg, Algorithm::Es256);
        assert!(!config.request_object.required);

        let text = format!("{MINIMAL}\nprofile = \"fapi2-message-signing\"");
        let config = Config::from_toml(&text).expect("a profile");
        assert!(config.request_object.required && config.pushed_requests.required);
        assert_eq!(config.request_object.policy, Some(RequestObjectPolicy::FapiMessageSigning));
    }

    #[test]
    fn what_contradicts_the_profile_is_refused_with_the_reason() {
        for (line, key) in [
            ("refresh_token_rotation = true", "refresh_token_rotation"),
            ("require_pushed_authorization_requests = false", "require_pushed_authorization_requests"),
            ("par_public_clients = true", "par_public_clients"),
            ("require_pkce = false", "require_pkce"),
            ("authorization_response_iss = false", "authorization_response_iss"),
            ("authorization_code_ttl = 61", "authorization_code_ttl"),
            ("require_sender_constraint = false", "require_sender_constraint"),
            ("clock_skew = 9", "clock_skew"),
            ("require_https = false", "require_https"),
            ("client_assertion_token_endpoint_audience = true", "client_assertion_token_endpoint_audience"),
            (
                "token_endpoint_auth_methods_supported = [\"private_key_jwt\", \"client_secret_basic\"]",
                "token_endpoint_auth_methods_supported",
            ),
            ("token_endpoint_auth_methods_supported = [\"none\"]", "token_endpoint_auth_methods_supported"),
            ("client_auth_signing_algs = [\"RS256\"]", "client_auth_signing_algs"),
            ("dpop_signing_algs = [\"RS256\"]", "dpop_signing_algs"),
            ("request_object_signing_algs = [\"RS256\"]", "request_object_signing_algs"),
            ("response_signing_alg = \"RS256\"", "response_signing_alg"),
        ] {
            let text = format!("{MINIMAL}\nprofile = \"fapi2-security\"\n{line}");
            assert_eq!(keys(&text), [key], "{line}");
            let error = Config::from_toml(&text).expect_err("a contradiction").to_string();
            assert!(error.contains("contradicts `profile`") && error.contains('§'), "{error}");
        }
        for (line, key) in [("par_enabled = false", "par_enabled"), ("dpop_enabled = false", "dpop_enabled")]
        {
            let text = format!("{MINIMAL}\nprofile = \"fapi2-security\"\n{line}");
            let error = Config::from_toml(&text).expect_err("a contradiction").to_string();
            assert!(error.contains(&format!("`{key}` contradicts `profile`")), "{error}");
        }
        for (line, key) in [
            ("request_object_policy = \"generic\"", "request_object_policy"),
            ("require_signed_request_object = false", "require_signed_request_object"),
            ("introspection_enabled = false", "introspection_enabled"),
        ] {
            let text = format!("{MINIMAL}\nprofile = \"fapi2-message-signing\"\n{line}");
            assert_eq!(keys(&text), [key], "{line}");
        }
    }
}
