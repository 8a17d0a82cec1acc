//! `attesto.toml` as it is written, and what is checked before it is a [`Config`].

use std::fmt;

use serde::Deserialize;
use url::{Host, Url};

use super::{
    CertificateHeader, ClientAssertionConfig, Config, ConfigError, ConfigErrors, DpopConfig, DpopNonces,
    MtlsConfig, PathOverrides, Profile, PushedRequestConfig, RequestObjectConfig, RequestObjectPolicy,
};
use crate::client::{ClientAuthMethod, GrantType};
use crate::cors::CorsPolicy;
use crate::jose::Algorithm;
use crate::mtls::TrustAnchors;
use crate::principal_kind::{PrincipalKind, PrincipalKinds};
use crate::request_facts::{CanonicalUrl, TrustedProxies};
use crate::scope_catalog::{Catalog, Separator};

/// The settings as written. Names and defaults are those of `docs/configuration.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) scopes_supported: Vec<String>,
    pub(super) scope_separator: Option<String>,
    #[serde(default = "default_principal_kinds")]
    pub(super) principal_kinds: Vec<KindSettings>,
    #[serde(default = "default_grant_types_supported")]
    pub(super) grant_types_supported: Vec<String>,
    #[serde(default = "default_token_endpoint_auth_methods_supported")]
    pub(super) token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default = "seconds::<900>")]
    pub(super) access_token_ttl: u64,
    #[serde(default = "seconds::<900>")]
    pub(super) id_token_ttl: u64,
    #[serde(default = "seconds::<1_209_600>")]
    pub(super) refresh_token_ttl: u64,
    #[serde(default = "seconds::<7_776_000>")]
    pub(super) refresh_token_family_ttl: u64,
    #[serde(default = "yes")]
    pub(super) refresh_token_rotation: bool,
    #[serde(default = "seconds::<60>")]
    pub(super) refresh_token_rotation_grace_seconds: u64,
    #[serde(default = "seconds::<60>")]
    pub(super) authorization_code_ttl: u64,
    #[serde(default = "seconds::<600>")]
    pub(super) consent_grant_ttl: u64,
    #[serde(default = "default_access_token_signing_alg")]
    pub(super) access_token_signing_alg: String,
    #[serde(default = "yes")]
    pub(super) require_pkce: bool,
    #[serde(default)]
    pub(super) require_nonce: bool,
    #[serde(default = "yes")]
    pub(super) authorization_response_iss: bool,
    #[serde(default = "yes")]
    pub(super) require_https: bool,
    #[serde(default)]
    pub(super) trusted_proxies: Vec<String>,
    pub(super) canonical_url: Option<String>,
    #[serde(default)]
    pub(super) cors_origins: Vec<String>,
    #[serde(default = "default_oauth_path_prefix")]
    pub(super) oauth_path_prefix: String,
    pub(super) authorize_path: Option<String>,
    pub(super) token_path: Option<String>,
    pub(super) userinfo_path: Option<String>,
    pub(super) revocation_path: Option<String>,
    pub(super) introspection_path: Option<String>,
    #[serde(default = "yes")]
    pub(super) revocation_enabled: bool,
    #[serde(default = "yes")]
    pub(super) introspection_enabled: bool,
    #[serde(default = "default_account_path_prefix")]
    pub(super) account_path_prefix: String,
    #[serde(default = "default_basic_realm")]
    pub(super) basic_realm: String,
    pub(super) resource_metadata: Option<String>,
    #[serde(default)]
    pub(super) claims_supported: Vec<String>,
    #[serde(default)]
    pub(super) acr_values_supported: Vec<String>,
    #[serde(default)]
    pub(super) ui_locales_supported: Vec<String>,
    #[serde(default)]
    pub(super) outbound_internal_hosts: Vec<String>,
    #[serde(default = "default_store")]
    pub(super) store: String,
    pub(super) profile: Option<String>,
    #[serde(default = "seconds::<30>")]
    pub(super) clock_skew: u64,
    #[serde(default)]
    pub(super) require_sender_constraint: bool,
    #[serde(default = "yes")]
    pub(super) dpop_enabled: bool,
    #[serde(default)]
    pub(super) dpop_nonce_required: bool,
    #[serde(default = "default_dpop_nonces")]
    pub(super) dpop_nonces: String,
    #[serde(default = "seconds::<300>")]
    pub(super) dpop_nonce_ttl: u64,
    #[serde(default = "seconds::<60>")]
    pub(super) dpop_proof_ttl: u64,
    #[serde(default = "default_dpop_signing_algs")]
    pub(super) dpop_signing_algs: Vec<String>,
    #[serde(default)]
    pub(super) mtls_enabled: bool,
    #[serde(default = "default_mtls_certificate_header")]
    pub(super) mtls_certificate_header: String,
    #[serde(default)]
    pub(super) mtls_trust_anchors: String,
    #[serde(default)]
    pub(super) mtls_listener_verifies: bool,
    pub(super) mtls_origin: Option<String>,
    #[serde(default = "default_client_signing_algs")]
    pub(super) client_auth_signing_algs: Vec<String>,
    #[serde(default = "seconds::<300>")]
    pub(super) client_assertion_max_lifetime: u64,
    #[serde(default)]
    pub(super) client_assertion_token_endpoint_audience: bool,
    #[serde(default = "yes")]
    pub(super) par_enabled: bool,
    pub(super) par_path: Option<String>,
    #[serde(default = "seconds::<300>")]
    pub(super) par_ttl: u64,
    #[serde(default)]
    pub(super) par_public_clients: bool,
    #[serde(default)]
    pub(super) require_pushed_authorization_requests: bool,
    #[serde(default = "default_request_object_policy")]
    pub(super) request_object_policy: String,
    #[serde(default)]
    pub(super) require_signed_request_object: bool,
    #[serde(default = "default_client_signing_algs")]
    pub(super) request_object_signing_algs: Vec<String>,
    #[serde(default = "default_response_signing_alg")]
    pub(super) response_signing_alg: String,
    #[serde(default)]
    pub(super) resource_indicators: Vec<String>,
    #[serde(default)]
    pub(super) revoked_tokens_enabled: bool,
    pub(super) revoked_tokens_path: Option<String>,
}

/// A `[[principal_kinds]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindSettings {
    name: String,
    sub_prefix: String,
    #[serde(default)]
    required_claims: Vec<String>,
}

/// The kind of principal that is a client acting for itself.
pub(super) const CLIENT_KIND: &str = "client";

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
    let without_tls = ClientAuthMethod::ALL.into_iter().filter(|method| !method.is_mutual_tls());
    without_tls.map(|method| method.as_str().to_owned()).collect()
}
fn default_access_token_signing_alg() -> String {
    "ES256".to_owned()
}
fn default_dpop_nonces() -> String {
    "stateless".to_owned()
}
fn default_dpop_signing_algs() -> Vec<String> {
    ["ES256", "Ed25519", "EdDSA", "PS256", "RS256"].map(str::to_owned).into()
}
fn default_mtls_certificate_header() -> String {
    "x-forwarded-client-cert".to_owned()
}
/// The algorithms of FAPI 2.0 Security Profile §5.4.1.
fn default_client_signing_algs() -> Vec<String> {
    ["PS256", "ES256", "EdDSA", "Ed25519"].map(str::to_owned).into()
}
fn default_request_object_policy() -> String {
    "generic".to_owned()
}
/// "If the algorithm is omitted, the default is RS256" (JARM §3, RFC 9701 §6).
fn default_response_signing_alg() -> String {
    "RS256".to_owned()
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

impl Settings {
    pub(super) fn validate(self) -> Result<Config, ConfigErrors> {
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
        self.check_security(&mut problems);
        self.check_profile(&mut problems);
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
        let trusted_proxies =
            problems.checked("trusted_proxies", TrustedProxies::parse(&self.trusted_proxies));
        let canonical_url = problems.checked("canonical_url", self.canonical_url(&issuer_path));
        let profile = problems.checked("profile", self.profile()).flatten();
        let dpop = problems.checked("dpop_nonces", self.dpop_nonces());
        let dpop_algorithms = problems.checked("dpop_signing_algs", algorithms(&self.dpop_signing_algs));
        let certificate_header = problems.checked("mtls_certificate_header", self.certificate_header());
        let trust_anchors =
            problems.checked("mtls_trust_anchors", TrustAnchors::parse(&self.mtls_trust_anchors));
        self.check_mtls(auth_methods.as_deref().unwrap_or_default(), &mut problems);
        let everyone = trusted_proxies.as_ref().is_some_and(TrustedProxies::include_everyone);
        self.check_mtls_trust(auth_methods.as_deref().unwrap_or_default(), everyone, &mut problems);
        let client_auth_algorithms =
            problems.checked("client_auth_signing_algs", algorithms(&self.client_auth_signing_algs));
        let request_object_policy = problems.checked("request_object_policy", self.request_object_policy());
        let request_object_algorithms =
            problems.checked("request_object_signing_algs", algorithms(&self.request_object_signing_algs));
        let response_signing_alg =
            problems.checked("response_signing_alg", algorithm(&self.response_signing_alg));
        let outbound_internal_hosts =
            problems.checked("outbound_internal_hosts", hosts(&self.outbound_internal_hosts));
        for resource in &self.resource_indicators {
            if let Err(problem) = resource_identifier(resource) {
                problems.note("resource_indicators", format!("{resource}: {problem}"))
            }
        }
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
            Some(nonces),
            Some(dpop_algorithms),
            Some(certificate_header),
            Some(trust_anchors),
            Some(client_auth_algorithms),
            Some(request_object_policy),
            Some(request_object_algorithms),
            Some(response_signing_alg),
            Some(outbound_internal_hosts),
        ) = (
            catalog,
            principal_kinds,
            grant_types_supported,
            auth_methods,
            access_token_signing_alg,
            cors,
            trusted_proxies,
            canonical_url,
            dpop,
            dpop_algorithms,
            certificate_header,
            trust_anchors,
            client_auth_algorithms,
            request_object_policy,
            request_object_algorithms,
            response_signing_alg,
            outbound_internal_hosts,
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
                pushed_authorization_request: self.par_path,
                revoked_tokens: self.revoked_tokens_path,
            },
            revocation_enabled: self.revocation_enabled,
            introspection_enabled: self.introspection_enabled,
            account_path_prefix: self.account_path_prefix,
            basic_realm: self.basic_realm,
            resource_metadata: self.resource_metadata,
            claims_supported: self.claims_supported,
            acr_values_supported: self.acr_values_supported,
            ui_locales_supported: self.ui_locales_supported,
            outbound_internal_hosts,
            store: self.store,
            profile,
            clock_skew: self.clock_skew,
            require_sender_constraint: self.require_sender_constraint,
            dpop: DpopConfig {
                enabled: self.dpop_enabled,
                nonces,
                nonce_ttl: self.dpop_nonce_ttl,
                proof_ttl: self.dpop_proof_ttl,
                algorithms: dpop_algorithms,
            },
            mtls: self.mtls_enabled.then_some(MtlsConfig {
                certificate_header,
                trust_anchors,
                listener_verifies: self.mtls_listener_verifies,
                origin: self.mtls_origin,
            }),
            client_assertion: ClientAssertionConfig {
                algorithms: client_auth_algorithms,
                max_lifetime: self.client_assertion_max_lifetime,
                accepts_token_endpoint_audience: self.client_assertion_token_endpoint_audience,
            },
            pushed_requests: PushedRequestConfig {
                enabled: self.par_enabled,
                ttl: self.par_ttl,
                public_clients: self.par_public_clients,
                required: self.require_pushed_authorization_requests,
            },
            request_object: RequestObjectConfig {
                policy: request_object_policy,
                required: self.require_signed_request_object,
                algorithms: request_object_algorithms,
            },
            response_signing_alg,
            resource_indicators: self.resource_indicators,
            revoked_tokens_enabled: self.revoked_tokens_enabled,
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
            ("clock_skew", self.clock_skew, 0..=60),
            ("dpop_nonce_ttl", self.dpop_nonce_ttl, 10..=3_600),
            ("dpop_proof_ttl", self.dpop_proof_ttl, 5..=600),
            ("client_assertion_max_lifetime", self.client_assertion_max_lifetime, 10..=3_600),
            ("par_ttl", self.par_ttl, 5..=599),
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

    /// What needs something else that is off.
    fn check_security(&self, problems: &mut Problems) {
        let constrainable = self.dpop_enabled || self.mtls_enabled;
        for (key, asked, there, problem) in [
            ("dpop_nonce_required", self.dpop_nonce_required, self.dpop_enabled, "needs `dpop_enabled`"),
            (
                "require_sender_constraint",
                self.require_sender_constraint,
                constrainable,
                "needs `dpop_enabled` or `mtls_enabled`",
            ),
            (
                "require_pushed_authorization_requests",
                self.require_pushed_authorization_requests,
                self.par_enabled,
                "needs `par_enabled`",
            ),
            // A request object that is required and never looked at would refuse every request.
            (
                "require_signed_request_object",
                self.require_signed_request_object,
                self.request_object_policy != "off",
                "needs a `request_object_policy`",
            ),
        ] {
            if asked && !there {
                problems.note(key, problem)
            }
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
            ("par_path", self.par_path.as_ref()),
            ("revoked_tokens_path", self.revoked_tokens_path.as_ref()),
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
            ("par_path", endpoint(&self.par_path, "par")),
            ("revoked_tokens_path", endpoint(&self.revoked_tokens_path, "revoked")),
        ];
        let account = format!("{issuer_path}{}", self.account_path_prefix);
        let (oauth, pages) =
            (format!("{}/", self.oauth_path_prefix), format!("{}/", self.account_path_prefix));
        if oauth.starts_with(&pages) || pages.starts_with(&oauth) {
            problems.note("account_path_prefix", "and `oauth_path_prefix` must not lie within each other")
        }
        for (number, (key, path)) in endpoints.iter().enumerate() {
            if endpoints.iter().take(number).any(|(_, other)| other == path) {
                problems.note(key, "must not be the path of another endpoint")
            }
            if *path == account || path.starts_with(&format!("{account}/")) {
                problems.note("account_path_prefix", format!("must not contain `{key}`"))
            }
        }
    }

    /// A setting of mutual TLS without the rest that it needs would refuse every client, or believe any.
    fn check_mtls(&self, methods: &[ClientAuthMethod], problems: &mut Problems) {
        for (is_set, what) in [
            (methods.contains(&ClientAuthMethod::TlsClientAuth), "tls_client_auth"),
            (methods.contains(&ClientAuthMethod::SelfSignedTlsClientAuth), "self_signed_tls_client_auth"),
            (!self.mtls_trust_anchors.is_empty(), "mtls_trust_anchors"),
            (self.mtls_listener_verifies, "mtls_listener_verifies"),
            (self.mtls_origin.is_some(), "mtls_origin"),
        ] {
            if is_set && !self.mtls_enabled {
                problems.note("mtls_enabled", format!("must be true for `{what}`"))
            }
        }
        if self.mtls_enabled && self.trusted_proxies.is_empty() {
            problems.note(
                "trusted_proxies",
                "must name the TLS terminator that passes client certificates on, with `mtls_enabled`",
            )
        }
        if methods.contains(&ClientAuthMethod::TlsClientAuth)
            && self.mtls_trust_anchors.trim().is_empty()
            && !self.mtls_listener_verifies
        {
            problems.note(
                "mtls_trust_anchors",
                "must be the authorities of `tls_client_auth` certificates, in PEM, unless `mtls_listener_verifies` \
                 says that the TLS terminator validates the chain of every certificate it passes on",
            )
        }
    }

    /// What would make anybody's word count as a certificate, or as the name in one; `everyone` may be a trusted proxy.
    fn check_mtls_trust(&self, methods: &[ClientAuthMethod], everyone: bool, problems: &mut Problems) {
        // RFC 8705 §2.2: self-signed certificates come through a listener that validates no chain, and then their names are
        // their makers'.
        if self.mtls_listener_verifies
            && self.mtls_trust_anchors.trim().is_empty()
            && methods.contains(&ClientAuthMethod::TlsClientAuth)
            && methods.contains(&ClientAuthMethod::SelfSignedTlsClientAuth)
        {
            problems.note(
                "mtls_listener_verifies",
                "must be false beside `self_signed_tls_client_auth`, whose certificates no listener validates; \
                 `mtls_trust_anchors` validates the others",
            )
        }
        if (self.mtls_enabled || self.profile.is_some()) && everyone {
            problems.note(
                "trusted_proxies",
                "must not be everyone with `mtls_enabled` or a `profile`: whoever is trusted says who the client is",
            )
        }
        if let Some(origin) = &self.mtls_origin
            && !Url::parse(origin).is_ok_and(|url| {
                let secure = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
                secure && url.has_host() && url.origin().ascii_serialization() == *origin
            })
        {
            problems.note("mtls_origin", "must be an origin like `https://mtls.auth.example`")
        }
    }

    fn separator(&self) -> Result<Option<Separator>, &'static str> {
        match self.scope_separator.as_deref() {
            None => Ok(None),
            Some(text) => Separator::parse(text).map(Some).ok_or("must be `.` or `:`"),
        }
    }

    fn canonical_url(&self, issuer_path: &str) -> Result<CanonicalUrl, &'static str> {
        let origin = self.issuer.strip_suffix(issuer_path).unwrap_or(&self.issuer);
        match self.canonical_url.as_deref() {
            None => Ok(CanonicalUrl::Configured(origin.to_owned())),
            Some("forwarded") => Ok(CanonicalUrl::Forwarded(origin.to_owned())),
            Some(other) => match Url::parse(other) {
                Ok(url) if url.has_host() && url.origin().ascii_serialization() == other => {
                    Ok(CanonicalUrl::Configured(other.to_owned()))
                }
                _ => Err("must be an origin like `https://auth.example`, or `forwarded`"),
            },
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
        let types: Vec<_> =
            types.collect::<Option<_>>().ok_or_else(|| format!("must be a list of: {}", known()))?;
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
        algorithm(&self.access_token_signing_alg)
    }

    pub(super) fn profile(&self) -> Result<Option<Profile>, &'static str> {
        match self.profile.as_deref() {
            None => Ok(None),
            Some("fapi2-security") => Ok(Some(Profile::Fapi2Security)),
            Some("fapi2-message-signing") => Ok(Some(Profile::Fapi2MessageSigning)),
            Some(_) => Err("must be `fapi2-security` or `fapi2-message-signing`"),
        }
    }

    fn dpop_nonces(&self) -> Result<DpopNonces, &'static str> {
        match (self.dpop_nonces.as_str(), self.dpop_nonce_required) {
            ("stateless", true) => Ok(DpopNonces::Stateless),
            ("single_use", true) => Ok(DpopNonces::SingleUse),
            ("stateless" | "single_use", false) => Ok(DpopNonces::NotRequired),
            _ => Err("must be `stateless` or `single_use`"),
        }
    }

    fn certificate_header(&self) -> Result<CertificateHeader, &'static str> {
        match self.mtls_certificate_header.as_str() {
            "x-forwarded-client-cert" => Ok(CertificateHeader::XForwardedClientCert),
            "client-cert" => Ok(CertificateHeader::ClientCert),
            _ => Err("must be `x-forwarded-client-cert` or `client-cert`"),
        }
    }

    fn request_object_policy(&self) -> Result<Option<RequestObjectPolicy>, &'static str> {
        match self.request_object_policy.as_str() {
            "off" => Ok(None),
            "generic" => Ok(Some(RequestObjectPolicy::Generic)),
            "fapi-message-signing" => Ok(Some(RequestObjectPolicy::FapiMessageSigning)),
            _ => Err("must be `off`, `generic` or `fapi-message-signing`"),
        }
    }
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    name.parse().map_err(|_| {
        let names: Vec<_> = Algorithm::ALL.iter().map(|alg| alg.name()).collect();
        format!("must be one of {}", names.join(", "))
    })
}

fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, String> {
    let algorithms = names.iter().map(|name| algorithm(name)).collect::<Result<Vec<_>, _>>()?;
    if algorithms.is_empty() { Err("must have at least one algorithm".to_owned()) } else { Ok(algorithms) }
}

#[derive(Default)]
pub(super) struct Problems(Vec<ConfigError>);

impl Problems {
    pub(super) fn note<T: Default>(&mut self, key: &'static str, problem: impl Into<String>) -> T {
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

/// Hosts in the spelling that URLs are compared in.
fn hosts(names: &[String]) -> Result<Vec<String>, String> {
    let host = |name: &String| match Host::parse(name) {
        // A host is named or it is not: `*` would be a name to no resolver.
        Ok(host) if !name.contains('*') => Ok(host.to_string()),
        Ok(_) => Err(format!("{name}: must be a host, not a pattern")),
        Err(error) => {
            Err(format!("{name}: must be a host without port, an IPv6 address in brackets: {error}"))
        }
    };
    names.iter().map(host).collect()
}

/// "a URL that uses the `https` scheme and has no fragment component" (RFC 9728 §1.2), http being for development. "The
/// resource parameter […] MUST be an absolute URI […] MUST NOT include a fragment component" (RFC 8707 §2).
fn resource_identifier(text: &str) -> Result<(), &'static str> {
    match Url::parse(text) {
        Ok(url)
            if url.fragment().is_none()
                && matches!(url.scheme(), "https" | "http")
                // The parser forgives what is no URI (RFC 3986 §2).
                && text.bytes().all(|b| (0x21..=0x7E).contains(&b)) =>
        {
            Ok(())
        }
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
