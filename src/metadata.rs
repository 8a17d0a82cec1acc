//! Metadata documents: RFC 8414 and OpenID Connect Discovery, RFC 9728. Built once, from what the server does.

use serde::Serialize;

use crate::client::{ClientAuthMethod, GrantType};
use crate::config::Config;
use crate::endpoints::Endpoints;
use crate::keys::ServerKeys;

/// How long the documents may be kept, seconds (RFC 8414 §3.1 permits caching).
pub const MAX_AGE: u64 = 3600;

/// Authorization server metadata. One document serves RFC 8414 and OpenID Connect Discovery: each admits the members
/// of the other.
#[derive(Debug, Serialize)]
struct AuthorizationServerMetadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    scopes_supported: &'a [String],
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// RFC 8414 §2, RFC 7636.
    code_challenge_methods_supported: [&'static str; 1],
    /// RFC 9207 §3.
    authorization_response_iss_parameter_supported: bool,
    /// RFC 9728 §4.
    protected_resources: [&'a str; 1],
    /// OIDC Discovery §3.
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    claims_supported: &'a [String],
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    /// Its default is `true` (OIDC Discovery §3), so it must be said.
    request_uri_parameter_supported: bool,
    /// OpenID Connect Prompt Create §4.2.
    prompt_values_supported: [&'static str; 4],
}

/// The document at both well-known places of the authorization server.
pub fn authorization_server(config: &Config, endpoints: &Endpoints, keys: &ServerKeys) -> Vec<u8> {
    json(&AuthorizationServerMetadata {
        issuer: &config.issuer,
        authorization_endpoint: endpoints.url(&endpoints.authorization),
        token_endpoint: endpoints.url(&endpoints.token),
        userinfo_endpoint: endpoints.url(&endpoints.userinfo),
        jwks_uri: endpoints.url(&endpoints.jwks),
        scopes_supported: config.scopes_supported.tokens(),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: GrantType::ALL.iter().map(|grant_type| grant_type.as_str()).collect(),
        token_endpoint_auth_methods_supported: ClientAuthMethod::ALL
            .iter()
            .map(|method| method.as_str())
            .collect(),
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: config.authorization_response_iss,
        protected_resources: [&config.audience],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: keys.algorithms().iter().map(|alg| alg.name()).collect(),
        claims_supported: &config.claims_supported,
        claims_parameter_supported: false,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        prompt_values_supported: ["none", "login", "consent", "select_account"],
    })
}

/// Protected resource metadata (RFC 9728 §2).
#[derive(Debug, Serialize)]
struct ProtectedResourceMetadata<'a> {
    resource: &'a str,
    authorization_servers: [&'a str; 1],
    scopes_supported: &'a [String],
    bearer_methods_supported: [&'static str; 1],
}

/// The document of the resource whose tokens this server issues.
pub fn protected_resource(config: &Config) -> Vec<u8> {
    json(&ProtectedResourceMetadata {
        resource: &config.audience,
        authorization_servers: [&config.issuer],
        scopes_supported: config.scopes_supported.tokens(),
        bearer_methods_supported: ["header"],
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
