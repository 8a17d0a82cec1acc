use clients::record::{AuthMethod, ClientRecord};
use clients::tls_client_auth::TlsClientAuth;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::output::status;

/// A client as it is printed: the members of RFC 7591 §2 and of those who have registered more, and whether it is
/// disabled.
#[derive(Serialize)]
pub(super) struct Metadata<'a> {
    client_id: &'a str,
    client_name: &'a str,
    token_endpoint_auth_method: AuthMethod,
    grant_types: &'a [String],
    redirect_uris: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token_signed_response_alg: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_signing_alg: Option<&'a str>,
    #[serde(flatten)]
    tls_client_auth: &'a TlsClientAuth,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dpop_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tls_client_certificate_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    require_pushed_authorization_requests: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    require_signed_request_object: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_object_signing_alg: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_signed_response_alg: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_signed_response_alg: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<&'a [String]>,
    disabled: bool,
}

impl<'a> Metadata<'a> {
    pub(super) fn of(client: &'a ClientRecord) -> Self {
        Self {
            client_id: &client.client_id,
            client_name: &client.client_name,
            token_endpoint_auth_method: client.token_endpoint_auth_method,
            grant_types: &client.grant_types,
            redirect_uris: &client.redirect_uris,
            scope: client.scope.as_ref().map(|scope| scope.join(" ")),
            id_token_signed_response_alg: client.id_token_signed_response_alg.as_deref(),
            jwks: client.jwks.as_ref(),
            jwks_uri: client.jwks_uri.as_deref(),
            token_endpoint_auth_signing_alg: client.token_endpoint_auth_signing_alg.as_deref(),
            tls_client_auth: &client.tls_client_auth,
            dpop_bound_access_tokens: client.dpop_bound_access_tokens,
            tls_client_certificate_bound_access_tokens: client.tls_client_certificate_bound_access_tokens,
            require_pushed_authorization_requests: client.require_pushed_authorization_requests,
            require_signed_request_object: client.require_signed_request_object,
            request_object_signing_alg: client.request_object_signing_alg.as_deref(),
            authorization_signed_response_alg: client.authorization_signed_response_alg.as_deref(),
            introspection_signed_response_alg: client.introspection_signed_response_alg.as_deref(),
            resources: client.resources.as_deref(),
            disabled: client.revoked,
        }
    }

    /// The line of a table.
    pub(super) fn row(&self) -> [String; 5] {
        [
            self.client_id.to_owned(),
            self.token_endpoint_auth_method.as_str().to_owned(),
            self.grant_types.join(" "),
            status(self.disabled).to_owned(),
            self.client_name.to_owned(),
        ]
    }
}
