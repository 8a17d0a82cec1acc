//! Metadata documents: RFC 8414 and OpenID Connect Discovery, RFC 9728. Built once, from what the server does.

use serde::Serialize;

use crate::authorization::ResponseMode;
use crate::client::ClientAuthMethod;
use crate::config::Config;
use crate::endpoints::Endpoints;
use crate::jose::Algorithm;
use crate::keys::ServerKeys;

/// How long the documents may be kept, seconds (RFC 8414 §3.1 permits caching).
pub const MAX_AGE: u64 = 3600;

/// Authorization server metadata. One document serves RFC 8414 and OpenID Connect Discovery: each admits the members
/// of the other.
#[derive(Debug, Serialize)]
struct AuthorizationServerMetadata<'a> {
    issuer: &'a str,
    token_endpoint: String,
    jwks_uri: String,
    scopes_supported: &'a [String],
    grant_types_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// REQUIRED (RFC 8414 §2), and empty where there is no authorization endpoint.
    response_types_supported: &'static [&'static str],
    #[serde(flatten)]
    revocation: Option<Revocation>,
    #[serde(flatten)]
    introspection: Option<Introspection>,
    /// RFC 9449 §5.1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dpop_signing_alg_values_supported: Vec<&'static str>,
    /// RFC 8705 §3.3.
    #[serde(skip_serializing_if = "is_false")]
    tls_client_certificate_bound_access_tokens: bool,
    /// RFC 8705 §5.
    #[serde(skip_serializing_if = "Option::is_none")]
    mtls_endpoint_aliases: Option<MtlsEndpointAliases>,
    /// RFC 9728 §4.
    protected_resources: Vec<&'a str>,
    #[serde(flatten)]
    pushed_requests: Option<PushedRequests>,
    #[serde(flatten)]
    authorization: Option<Authorization<'a>>,
}

/// "a JSON object containing alternative authorization server endpoints that, when present, an OAuth client intending to do
/// mutual TLS uses in preference to the conventional endpoints" (RFC 8705 §5): those where a certificate counts.
#[derive(Debug, Serialize)]
struct MtlsEndpointAliases {
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pushed_authorization_request_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo_endpoint: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// RFC 7009, as RFC 8414 §2 describes it.
#[derive(Debug, Serialize)]
struct Revocation {
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
}

/// RFC 7662, as RFC 8414 §2 describes it.
#[derive(Debug, Serialize)]
struct Introspection {
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// RFC 9701 §7.
    introspection_signing_alg_values_supported: Vec<&'static str>,
}

/// RFC 9126 §5.
#[derive(Debug, Serialize)]
struct PushedRequests {
    pushed_authorization_request_endpoint: String,
    require_pushed_authorization_requests: bool,
}

/// What is said of request objects (OIDC Discovery §3, RFC 9101 §10.5).
#[derive(Debug, Serialize)]
struct RequestObjects {
    request_parameter_supported: bool,
    require_signed_request_object: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    request_object_signing_alg_values_supported: Vec<&'static str>,
}

impl RequestObjects {
    fn of(config: &Config) -> Self {
        let are_read = config.request_object.policy.is_some();
        let algorithms = config.request_object.algorithms.iter().filter(|_| are_read);
        Self {
            request_parameter_supported: are_read,
            require_signed_request_object: are_read && config.request_object.required,
            request_object_signing_alg_values_supported: algorithms.map(|alg| alg.name()).collect(),
        }
    }
}

/// What there is only where people sign in.
#[derive(Debug, Serialize)]
struct Authorization<'a> {
    authorization_endpoint: String,
    userinfo_endpoint: String,
    response_modes_supported: [&'static str; 7],
    /// JARM §4.
    authorization_signing_alg_values_supported: Vec<&'static str>,
    /// RFC 8414 §2, RFC 7636.
    code_challenge_methods_supported: [&'static str; 1],
    /// RFC 9207 §3.
    authorization_response_iss_parameter_supported: bool,
    /// OIDC Discovery §3.
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    claims_supported: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    acr_values_supported: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    ui_locales_supported: &'a [String],
    claims_parameter_supported: bool,
    #[serde(flatten)]
    request_objects: RequestObjects,
    /// That of OIDC Core §6.2: only this server's own are read (RFC 9126). Its default is `true` (OIDC Discovery §3), so it must be said.
    request_uri_parameter_supported: bool,
    /// OpenID Connect Prompt Create §4.2.
    prompt_values_supported: [&'static str; 4],
}

/// The document at both well-known places of the authorization server.
pub fn authorization_server(config: &Config, endpoints: &Endpoints, keys: &ServerKeys) -> Vec<u8> {
    let url = |path: &Option<String>| path.as_deref().map(|path| endpoints.url(path));
    let methods = &config.token_endpoint_auth_methods_supported;
    let names = |methods: &mut dyn Iterator<Item = &ClientAuthMethod>| -> Vec<_> {
        methods.map(|method| method.as_str()).collect()
    };
    let authorization = url(&endpoints.authorization).zip(url(&endpoints.userinfo));
    // "This metadata entry MUST be present if [private_key_jwt is] specified" (RFC 8414 §2).
    let assertion_algorithms = match methods.contains(&ClientAuthMethod::PrivateKeyJwt) {
        true => algorithm_names(&config.client_assertion.algorithms),
        false => Vec::new(),
    };
    // What is signed under a profile is not signed with RS256; a client that registers nothing gets another.
    let signs_with = keys.algorithms().into_iter().filter(|alg| config.signs_with(*alg));
    let signing_algorithms = algorithm_names(&signs_with.collect::<Vec<_>>());
    let at_mtls = |path: &str| {
        let origin = config.mtls.as_ref().and_then(|mtls| mtls.origin.as_deref());
        origin.map(|origin| format!("{origin}{path}"))
    };
    json(&AuthorizationServerMetadata {
        issuer: &config.issuer,
        token_endpoint: endpoints.url(&endpoints.token),
        jwks_uri: endpoints.url(&endpoints.jwks),
        scopes_supported: config.catalog.entries().tokens(),
        grant_types_supported: config.grant_types_supported.iter().map(|grant| grant.as_str()).collect(),
        token_endpoint_auth_methods_supported: names(&mut methods.iter()),
        token_endpoint_auth_signing_alg_values_supported: assertion_algorithms.clone(),
        dpop_signing_alg_values_supported: match config.dpop.enabled {
            true => algorithm_names(&config.dpop.algorithms),
            false => Vec::new(),
        },
        tls_client_certificate_bound_access_tokens: config.mtls.is_some(),
        mtls_endpoint_aliases: at_mtls(&endpoints.token).map(|token_endpoint| MtlsEndpointAliases {
            token_endpoint,
            revocation_endpoint: endpoints.revocation.as_deref().and_then(at_mtls),
            introspection_endpoint: endpoints.introspection.as_deref().and_then(at_mtls),
            pushed_authorization_request_endpoint: endpoints
                .pushed_authorization_request
                .as_deref()
                .and_then(at_mtls),
            userinfo_endpoint: endpoints.userinfo.as_deref().and_then(at_mtls),
        }),
        response_types_supported: if authorization.is_some() { &["code"] } else { &[] },
        revocation: url(&endpoints.revocation).map(|revocation_endpoint| Revocation {
            revocation_endpoint,
            revocation_endpoint_auth_methods_supported: names(&mut methods.iter()),
            revocation_endpoint_auth_signing_alg_values_supported: assertion_algorithms.clone(),
        }),
        introspection: url(&endpoints.introspection).map(|introspection_endpoint| Introspection {
            introspection_endpoint,
            introspection_endpoint_auth_methods_supported: names(
                &mut methods.iter().filter(|method| **method != ClientAuthMethod::None),
            ),
            introspection_endpoint_auth_signing_alg_values_supported: assertion_algorithms.clone(),
            introspection_signing_alg_values_supported: signing_algorithms.clone(),
        }),
        protected_resources: std::iter::once(&config.audience)
            .chain(&config.resource_indicators)
            .map(String::as_str)
            .collect(),
        pushed_requests: url(&endpoints.pushed_authorization_request).map(
            |pushed_authorization_request_endpoint| PushedRequests {
                pushed_authorization_request_endpoint,
                require_pushed_authorization_requests: config.pushed_requests.required,
            },
        ),
        authorization: authorization.map(|(authorization_endpoint, userinfo_endpoint)| Authorization {
            authorization_endpoint,
            userinfo_endpoint,
            response_modes_supported: ResponseMode::ALL.map(|(name, _)| name),
            authorization_signing_alg_values_supported: signing_algorithms.clone(),
            code_challenge_methods_supported: ["S256"],
            authorization_response_iss_parameter_supported: config.authorization_response_iss,
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: signing_algorithms.clone(),
            claims_supported: &config.claims_supported,
            acr_values_supported: &config.acr_values_supported,
            ui_locales_supported: &config.ui_locales_supported,
            claims_parameter_supported: false,
            request_objects: RequestObjects::of(config),
            request_uri_parameter_supported: false,
            prompt_values_supported: ["none", "login", "consent", "select_account"],
        }),
    })
}

fn algorithm_names(algorithms: &[Algorithm]) -> Vec<&'static str> {
    algorithms.iter().map(|alg| alg.name()).collect()
}

/// Protected resource metadata (RFC 9728 §2).
#[derive(Debug, Serialize)]
struct ProtectedResourceMetadata<'a> {
    resource: &'a str,
    authorization_servers: [&'a str; 1],
    scopes_supported: &'a [String],
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "is_false")]
    tls_client_certificate_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dpop_signing_alg_values_supported: Vec<&'static str>,
}

/// The document of the resource whose tokens this server issues.
pub fn protected_resource(config: &Config) -> Vec<u8> {
    json(&ProtectedResourceMetadata {
        resource: &config.audience,
        authorization_servers: [&config.issuer],
        scopes_supported: config.catalog.entries().tokens(),
        bearer_methods_supported: ["header"],
        tls_client_certificate_bound_access_tokens: config.mtls.is_some(),
        dpop_signing_alg_values_supported: match config.dpop.enabled {
            true => algorithm_names(&config.dpop.algorithms),
            false => Vec::new(),
        },
    })
}

/// The JWK Set (RFC 7517 §5).
pub fn jwks(keys: &ServerKeys) -> Vec<u8> {
    json(keys.public())
}

fn json(document: &impl Serialize) -> Vec<u8> {
    // Structs of strings always serialize; an empty document would fail every client at once, and every test.
    serde_json::to_vec(document).unwrap_or_default()
}
