//! The part's exports.

use std::cell::RefCell;
use std::rc::Rc;

use attesto::client::TlsClientAuthSubject as Subject;
use bindings::exports::attesto::clients::client_store::{Error, Guest, Lookup};
use bindings::exports::attesto::clients::types::{Client, ClientAuthMethod, TlsClientAuthSubject};
use bindings::wasi::keyvalue::store::{Bucket, open};

use crate::record::{AuthMethod, ClientRecord, Contradiction, key, verify_secret};

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit/wasi-keyvalue", "../../wit/clients", "wit"],
        world: "attesto-part:clients/clients",
        generate_all,
    });

    export!(Clients);

    pub(super) struct Clients;
}

thread_local! {
    static BUCKET: RefCell<Option<Rc<Bucket>>> = const { RefCell::new(None) };
}

impl Guest for bindings::Clients {
    async fn configure(store: String) -> Result<(), String> {
        if BUCKET.with_borrow(Option::is_none) {
            let bucket =
                open(&store).map_err(|error| format!("the store `{store}` can not be opened: {error:?}"))?;
            BUCKET.set(Some(Rc::new(bucket)));
        }
        Ok(())
    }

    async fn load(client_id: String) -> Result<Option<Lookup>, Error> {
        Ok(match read(&client_id)? {
            Some(record) if record.revoked => Some(Lookup::Revoked),
            Some(record) => Some(Lookup::Active(client(record)?)),
            None => None,
        })
    }

    async fn authenticate(client_id: String, presented: Vec<u8>) -> Result<Option<Client>, Error> {
        let record = read(&client_id)?;
        let verified = verify_secret(record.as_ref(), &presented);
        record.filter(|_| verified).map(client).transpose()
    }
}

fn read(client_id: &str) -> Result<Option<ClientRecord>, Error> {
    let unavailable = |cause: String| Error::Unavailable(cause);
    let bucket = BUCKET
        .with_borrow(Clone::clone)
        .ok_or_else(|| unavailable("`configure` has not been called".to_owned()))?;
    let value = bucket.get(&key(client_id)).map_err(|error| unavailable(format!("key-value: {error:?}")))?;
    value
        .map(|value| {
            serde_json::from_slice(&value).map_err(|error| {
                unavailable(format!("the record of client `{client_id}` is not readable: {error}"))
            })
        })
        .transpose()
}

fn client(record: ClientRecord) -> Result<Client, Error> {
    let contradiction = |contradiction: Contradiction| {
        Error::Unavailable(format!("the record of client `{}` {contradiction}", record.client_id))
    };
    let jwks = record.jwks_text().map_err(contradiction)?;
    let subject = record.tls_client_auth.subject().map_err(contradiction)?;
    Ok(Client {
        client_id: record.client_id,
        client_name: record.client_name,
        token_endpoint_auth_method: match record.token_endpoint_auth_method {
            AuthMethod::None => ClientAuthMethod::None,
            AuthMethod::ClientSecretBasic => ClientAuthMethod::ClientSecretBasic,
            AuthMethod::ClientSecretPost => ClientAuthMethod::ClientSecretPost,
            AuthMethod::PrivateKeyJwt => ClientAuthMethod::PrivateKeyJwt,
            AuthMethod::TlsClientAuth => ClientAuthMethod::TlsClientAuth,
            AuthMethod::SelfSignedTlsClientAuth => ClientAuthMethod::SelfSignedTlsClientAuth,
        },
        redirect_uris: record.redirect_uris,
        grant_types: record.grant_types,
        scope: record.scope,
        id_token_signed_response_alg: record.id_token_signed_response_alg,
        jwks,
        jwks_uri: record.jwks_uri,
        token_endpoint_auth_signing_alg: record.token_endpoint_auth_signing_alg,
        tls_client_auth_subject: subject.map(subject_out),
        dpop_bound_access_tokens: record.dpop_bound_access_tokens,
        tls_client_certificate_bound_access_tokens: record.tls_client_certificate_bound_access_tokens,
        require_pushed_authorization_requests: record.require_pushed_authorization_requests,
        require_signed_request_object: record.require_signed_request_object,
        request_object_signing_alg: record.request_object_signing_alg,
        authorization_signed_response_alg: record.authorization_signed_response_alg,
        introspection_signed_response_alg: record.introspection_signed_response_alg,
        resources: record.resources,
    })
}

fn subject_out(subject: Subject) -> TlsClientAuthSubject {
    match subject {
        Subject::SubjectDn(name) => TlsClientAuthSubject::SubjectDn(name),
        Subject::SanDns(name) => TlsClientAuthSubject::SanDns(name),
        Subject::SanUri(uri) => TlsClientAuthSubject::SanUri(uri),
        Subject::SanIp(address) => TlsClientAuthSubject::SanIp(address),
        Subject::SanEmail(address) => TlsClientAuthSubject::SanEmail(address),
    }
}
