//! The registry of clients.

use attesto::client::{Client, ClientAuthMethod, TlsClientAuthSubject};
use attesto::host::{ClientStore, HostError};
use attesto::scope::Scope;
use attesto::secret::Secret;

use super::{HostErrorOf, Parts, failed};
use crate::bindings::attesto::clients;

impl From<clients::types::Error> for HostErrorOf {
    fn from(clients::types::Error::Unavailable(cause): clients::types::Error) -> Self {
        Self(HostError(cause))
    }
}

impl ClientStore for Parts {
    async fn load_client(&self, client_id: &str) -> Result<Option<Client>, HostError> {
        use clients::client_store::{Lookup, load};
        match load(client_id.to_owned()).await.map_err(failed)? {
            Some(Lookup::Active(client)) => client_of(client, client_id).map(Some),
            Some(Lookup::Revoked) | None => Ok(None),
        }
    }

    async fn authenticate_client(
        &self,
        client_id: &str,
        presented: &Secret<String>,
    ) -> Result<Option<Client>, HostError> {
        let presented = presented.expose().clone().into_bytes();
        let client = clients::client_store::authenticate(client_id.to_owned(), presented);
        client.await.map_err(failed)?.map(|client| client_of(client, client_id)).transpose()
    }
}

/// The registry is held to its answer: a client by another name is a fault.
fn client_of(client: clients::types::Client, client_id: &str) -> Result<Client, HostError> {
    match client.client_id == client_id {
        true => client_in(client),
        false => Err(HostError("the registry answered with another client".to_owned())),
    }
}

fn client_in(client: clients::types::Client) -> Result<Client, HostError> {
    let scope = client.scope.map(Scope::from_tokens).transpose();
    Ok(Client {
        token_endpoint_auth_method: method_in(client.token_endpoint_auth_method),
        scope: scope
            .map_err(|_| HostError(format!("the scope of client `{}` is malformed", client.client_id)))?,
        client_id: client.client_id,
        client_name: client.client_name,
        redirect_uris: client.redirect_uris,
        grant_types: client.grant_types,
        id_token_signed_response_alg: client.id_token_signed_response_alg,
        jwks: client.jwks,
        jwks_uri: client.jwks_uri,
        token_endpoint_auth_signing_alg: client.token_endpoint_auth_signing_alg,
        tls_client_auth_subject: client.tls_client_auth_subject.map(subject_in),
        dpop_bound_access_tokens: client.dpop_bound_access_tokens,
        tls_client_certificate_bound_access_tokens: client.tls_client_certificate_bound_access_tokens,
        require_pushed_authorization_requests: client.require_pushed_authorization_requests,
        require_signed_request_object: client.require_signed_request_object,
        request_object_signing_alg: client.request_object_signing_alg,
        authorization_signed_response_alg: client.authorization_signed_response_alg,
        introspection_signed_response_alg: client.introspection_signed_response_alg,
        resources: client.resources,
    })
}

fn method_in(method: clients::types::ClientAuthMethod) -> ClientAuthMethod {
    use clients::types::ClientAuthMethod as Wit;
    match method {
        Wit::None => ClientAuthMethod::None,
        Wit::ClientSecretBasic => ClientAuthMethod::ClientSecretBasic,
        Wit::ClientSecretPost => ClientAuthMethod::ClientSecretPost,
        Wit::PrivateKeyJwt => ClientAuthMethod::PrivateKeyJwt,
        Wit::TlsClientAuth => ClientAuthMethod::TlsClientAuth,
        Wit::SelfSignedTlsClientAuth => ClientAuthMethod::SelfSignedTlsClientAuth,
    }
}

fn subject_in(subject: clients::types::TlsClientAuthSubject) -> TlsClientAuthSubject {
    use clients::types::TlsClientAuthSubject as Wit;
    match subject {
        Wit::SubjectDn(name) => TlsClientAuthSubject::SubjectDn(name),
        Wit::SanDns(name) => TlsClientAuthSubject::SanDns(name),
        Wit::SanUri(uri) => TlsClientAuthSubject::SanUri(uri),
        Wit::SanIp(address) => TlsClientAuthSubject::SanIp(address),
        Wit::SanEmail(address) => TlsClientAuthSubject::SanEmail(address),
    }
}
