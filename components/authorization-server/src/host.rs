//! The engine's host, as the parts provide it.

use std::pin::pin;

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use attesto::client::{Client, ClientAuthMethod};
use attesto::event::{Event, EventName};
use attesto::host::{
    AuthenticationDemand, Authorization, ClaimsProvider, ClientStore, CodeStore, ConsentDecision,
    ConsentDemand, ConsentGrantStore, Consumption, Establishment, EventSink, Finalization, FoundRefreshToken,
    HostError, Interaction, IssuedTokens, Principal, PrincipalStore, Redemption, RefreshStore, Reply,
    ResourceOwner, Rotation, ScopePolicy, ScopeRequest, StoredCode, StoredRefreshToken,
};
use attesto::http::{Body, Request, Response};
use attesto::jose::Signer;
use attesto::scope::Scope;
use attesto::secret::{Digest, Secret};
use futures_util::future::{Either, select};
use serde_json::{Map, Value};
use spin_sdk::wasip3::clocks::monotonic_clock;

use crate::bindings::attesto::{clients, keystore, people, rules, stores};

/// How long a response waits for the event sink to take note of one event, in nanoseconds.
const EVENT_TIME: u64 = 250_000_000;

/// The composed parts. They keep their own state; here is none.
#[derive(Debug)]
pub(crate) struct Parts;

impl Signer for Parts {
    type Error = HostError;

    async fn sign(&self, kid: &str, input: &[u8]) -> Result<Vec<u8>, HostError> {
        use keystore::types::Error;
        keystore::keystore::sign(kid.to_owned(), input.to_vec()).await.map_err(|error| match error {
            Error::UnknownKey => HostError(format!("there is no key `{kid}`")),
            Error::Unavailable(cause) => HostError(cause),
        })
    }
}

impl From<clients::types::Error> for HostErrorOf {
    fn from(clients::types::Error::Unavailable(cause): clients::types::Error) -> Self {
        Self(HostError(cause))
    }
}

impl From<people::types::Error> for HostErrorOf {
    fn from(people::types::Error::Unavailable(cause): people::types::Error) -> Self {
        Self(HostError(cause))
    }
}

impl From<rules::types::Error> for HostErrorOf {
    fn from(rules::types::Error::Unavailable(cause): rules::types::Error) -> Self {
        Self(HostError(cause))
    }
}

impl From<stores::types::Error> for HostErrorOf {
    fn from(stores::types::Error::Unavailable(cause): stores::types::Error) -> Self {
        Self(HostError(cause))
    }
}

/// A part's `unavailable`, whichever part it is of.
pub(crate) struct HostErrorOf(HostError);

pub(crate) fn failed(error: impl Into<HostErrorOf>) -> HostError {
    error.into().0
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
    use clients::types::ClientAuthMethod as Wit;
    let scope = client.scope.map(Scope::from_tokens).transpose();
    Ok(Client {
        token_endpoint_auth_method: match client.token_endpoint_auth_method {
            Wit::None => ClientAuthMethod::None,
            Wit::ClientSecretBasic => ClientAuthMethod::ClientSecretBasic,
            Wit::ClientSecretPost => ClientAuthMethod::ClientSecretPost,
        },
        scope: scope
            .map_err(|_| HostError(format!("the scope of client `{}` is malformed", client.client_id)))?,
        client_id: client.client_id,
        client_name: client.client_name,
        redirect_uris: client.redirect_uris,
        grant_types: client.grant_types,
        id_token_signed_response_alg: client.id_token_signed_response_alg,
    })
}

impl PrincipalStore for Parts {
    async fn load_principal(&self, sub: &str) -> Result<Option<Principal>, HostError> {
        match people::principal_store::load(sub.to_owned()).await.map_err(failed)? {
            Some(principal) if principal.sub == sub => {
                Ok(Some(Principal { claims: object(&principal.claims)?, sub: principal.sub }))
            }
            Some(_) => Err(HostError("the people part answered with another subject".to_owned())),
            None => Ok(None),
        }
    }

    async fn client_claims(&self, client_id: &str, scope: &Scope) -> Result<Map<String, Value>, HostError> {
        let claims = people::principal_store::client_claims(client_id.to_owned(), scope.tokens().to_vec());
        object(&claims.await.map_err(failed)?)
    }
}

impl ClaimsProvider for Parts {
    async fn userinfo_claims(&self, sub: &str, scope: &Scope) -> Result<Map<String, Value>, HostError> {
        let claims = people::claims_provider::userinfo_claims(sub.to_owned(), scope.tokens().to_vec());
        object(&claims.await.map_err(failed)?)
    }

    async fn id_token_claims(
        &self,
        client_id: &str,
        sub: &str,
        scope: &Scope,
    ) -> Result<Map<String, Value>, HostError> {
        let scope = scope.tokens().to_vec();
        let claims = people::claims_provider::id_token_claims(client_id.to_owned(), sub.to_owned(), scope);
        object(&claims.await.map_err(failed)?)
    }
}

fn object(json: &str) -> Result<Map<String, Value>, HostError> {
    serde_json::from_str(json).map_err(|error| HostError(format!("claims are no JSON object: {error}")))
}

impl Interaction for Parts {
    async fn establish(
        &self,
        request: &Request,
        now: u64,
        authorization: &Authorization,
        demand: AuthenticationDemand,
    ) -> Result<Establishment, HostError> {
        use people::interaction::{self as wit, Establishment as Wit};
        let demand = wit::AuthenticationDemand {
            interactive: demand.interactive,
            force_reauthentication: demand.force_reauthentication,
            max_age: demand.max_age,
        };
        let answer =
            wit::establish(request_out(request, now), authorization_out(authorization), demand).await;
        Ok(match answer.map_err(failed)? {
            Wit::Authenticated(owner) => Establishment::Authenticated(ResourceOwner {
                sub: owner.sub,
                auth_time: owner.auth_time,
                acr: owner.acr,
                amr: owner.amr,
                sid: owner.sid,
            }),
            Wit::Respond(response) => Establishment::Respond(response_in(response)?),
            Wit::None => Establishment::None,
        })
    }

    async fn consent(
        &self,
        request: &Request,
        now: u64,
        authorization: &Authorization,
        demand: ConsentDemand,
        sub: &str,
        grant: &Secret<String>,
    ) -> Result<ConsentDecision, HostError> {
        use people::interaction::{self as wit, ConsentDecision as Wit};
        let demand =
            wit::ConsentDemand { interactive: demand.interactive, force_consent: demand.force_consent };
        let (request, authorization) = (request_out(request, now), authorization_out(authorization));
        let answer =
            wit::consent(request, authorization, demand, sub.to_owned(), grant.expose().clone()).await;
        Ok(match answer.map_err(failed)? {
            Wit::Consented => ConsentDecision::Consented,
            Wit::Denied => ConsentDecision::Denied,
            Wit::Respond(response) => ConsentDecision::Respond(response_in(response)?),
            Wit::None => ConsentDecision::None,
        })
    }

    async fn settle_consent(
        &self,
        authorization: &Authorization,
        sub: &str,
        allowed: bool,
        now: u64,
    ) -> Result<(), HostError> {
        let Authorization { client_id, redirect_uri, scope, .. } = authorization;
        let scope = scope.tokens().to_vec();
        people::interaction::settle_consent(
            sub.to_owned(),
            client_id.clone(),
            redirect_uri.clone(),
            scope,
            allowed,
            now,
        )
        .await
        .map_err(failed)
    }

    async fn handle(&self, request: &Request, now: u64) -> Result<Reply, HostError> {
        use people::interaction::{self as wit, Reply as Wit};
        Ok(match wit::handle(request_out(request, now)).await.map_err(failed)? {
            Wit::Respond(response) => Reply::Respond(response_in(response)?),
            Wit::SignedIn(on) => Reply::SignedIn { parameters: on.parameters, set_cookie: on.set_cookie },
            Wit::Answered(answer) => Reply::Answered {
                parameters: answer.parameters,
                grant: Secret::new(answer.grant),
                allowed: answer.allowed,
            },
        })
    }
}

fn request_out(request: &Request, now: u64) -> people::types::HttpRequest {
    people::types::HttpRequest {
        method: request.method.as_str().to_owned(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: request
            .headers
            .iter()
            .map(|(name, value)| people::types::Header {
                name: name.as_str().to_owned(),
                value: value.as_bytes().to_vec(),
            })
            .collect(),
        body: match &request.body {
            Body::Complete(body) => body.clone(),
            // What is too large for the engine is too large for a form; an empty one is refused as malformed.
            Body::TooLarge => Vec::new(),
        },
        now,
    }
}

fn response_in(response: people::types::HttpResponse) -> Result<Response, HostError> {
    let status = StatusCode::from_u16(response.status)
        .map_err(|_| HostError(format!("the people part answered with status {}", response.status)))?;
    let mut headers = HeaderMap::new();
    for header in response.headers {
        let name = HeaderName::try_from(header.name.as_str());
        let value = HeaderValue::from_bytes(&header.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(HostError("the people part answered with a malformed header".to_owned()));
        };
        headers.append(name, value);
    }
    Ok(Response { status, headers, body: response.body })
}

fn authorization_out(authorization: &Authorization) -> people::types::Authorization {
    people::types::Authorization {
        parameters: authorization.parameters.clone(),
        client_id: authorization.client_id.clone(),
        client_name: authorization.client_name.clone(),
        redirect_uri: authorization.redirect_uri.clone(),
        scope: authorization.scope.tokens().to_vec(),
        login_hint: authorization.login_hint.clone(),
        ui_locales: authorization.ui_locales.clone(),
    }
}

impl ScopePolicy for Parts {
    async fn authorize_scope(&self, request: ScopeRequest<'_>) -> Result<Option<Scope>, HostError> {
        use rules::scope_policy::{self as wit, Decision};
        let request = wit::ScopeRequest {
            client_id: request.client.client_id.clone(),
            client_scope: request.client.scope.as_ref().map(|scope| scope.tokens().to_vec()),
            grant_type: request.grant_type.to_owned(),
            subject: request.sub.map(str::to_owned),
            requested: request.requested.tokens().to_vec(),
        };
        match wit::authorize_scope(request).await.map_err(failed)? {
            Decision::Granted(tokens) => match Scope::from_tokens(tokens) {
                Ok(scope) => Ok(Some(scope)),
                Err(_) => Err(HostError("the scope policy granted a malformed scope".to_owned())),
            },
            Decision::Refused => Ok(None),
        }
    }

    async fn issue_refresh_token(
        &self,
        client_id: &str,
        sub: &str,
        scope: &Scope,
    ) -> Result<bool, HostError> {
        let request = rules::scope_policy::RefreshTokenRequest {
            client_id: client_id.to_owned(),
            subject: sub.to_owned(),
            scope: scope.tokens().to_vec(),
        };
        rules::scope_policy::issue_refresh_token(request).await.map_err(failed)
    }
}

impl EventSink for Parts {
    async fn emit(&self, event: Event) {
        use rules::event_sink::{self as wit, EventName as Wit};
        let name = event.name;
        let taken_note = wit::emit(wit::Event {
            name: match event.name {
                EventName::CodeIssued => Wit::CodeIssued,
                EventName::AuthorizationDenied => Wit::AuthorizationDenied,
                EventName::AuthorizationFailed => Wit::AuthorizationFailed,
                EventName::TokenIssued => Wit::TokenIssued,
                EventName::TokenDenied => Wit::TokenDenied,
                EventName::CodeReplayDetected => Wit::CodeReplayDetected,
                EventName::RefreshIssued => Wit::RefreshIssued,
                EventName::RefreshRotated => Wit::RefreshRotated,
                EventName::RefreshReuseDetected => Wit::RefreshReuseDetected,
                EventName::TokenRevoked => Wit::TokenRevoked,
                EventName::TokenIntrospected => Wit::TokenIntrospected,
                EventName::AuthSucceeded => Wit::AuthSucceeded,
                EventName::AuthDenied => Wit::AuthDenied,
            },
            time: event.time,
            subject: event.subject,
            client_id: event.client_id,
            scope: event.scope,
            grant_type: event.grant_type.map(str::to_owned),
            result: event.result,
            metadata: Value::Object(event.metadata).to_string(),
        });
        // The response waits for the note, and for no more than this.
        let enough = monotonic_clock::wait_for(EVENT_TIME);
        if let Either::Right(_) = select(pin!(taken_note), pin!(enough)).await {
            eprintln!("attesto: rules: the event sink took too long over {name:?}; its response goes out");
        }
    }

    fn log_fault(&self, fault: &str) {
        eprintln!("attesto: {fault}");
    }
}

impl CodeStore for Parts {
    async fn put_code(&self, code: StoredCode) -> Result<(), HostError> {
        let code = stores::code_store::Code {
            digest: code.digest.as_bytes().to_vec(),
            client_id: code.client_id,
            subject: code.subject,
            expires_at: code.expires_at,
            grant: code.grant,
        };
        stores::code_store::put(code).await.map_err(failed)
    }

    async fn peek_code(&self, digest: &Digest, now: u64) -> Result<Option<StoredCode>, HostError> {
        let code = stores::code_store::peek(digest.as_bytes().to_vec(), now).await.map_err(failed)?;
        Ok(code.map(|code| StoredCode {
            digest: *digest,
            client_id: code.client_id,
            subject: code.subject,
            expires_at: code.expires_at,
            grant: code.grant,
        }))
    }

    async fn redeem_code(&self, digest: &Digest, now: u64) -> Result<Redemption, HostError> {
        use stores::code_store::Redemption as Wit;
        Ok(match stores::code_store::redeem(digest.as_bytes().to_vec(), now).await.map_err(failed)? {
            Wit::Redeemed => Redemption::Redeemed,
            Wit::Replayed(issued) => Redemption::Replayed(issued.map(|issued| IssuedTokens {
                jti: issued.jti,
                expires_at: issued.expires_at,
                family: issued.family,
            })),
            Wit::Unknown => Redemption::Unknown,
        })
    }

    async fn finalize_code(&self, digest: &Digest, issued: &IssuedTokens) -> Result<Finalization, HostError> {
        use stores::code_store::{Finalization as Wit, Issued, finalize};
        let issued =
            Issued { jti: issued.jti.clone(), expires_at: issued.expires_at, family: issued.family.clone() };
        Ok(match finalize(digest.as_bytes().to_vec(), issued).await.map_err(failed)? {
            Wit::Finalized => Finalization::Finalized,
            Wit::Replayed => Finalization::Replayed,
        })
    }
}

impl RefreshStore for Parts {
    async fn put_refresh_token(&self, token: StoredRefreshToken) -> Result<(), HostError> {
        stores::refresh_store::put(refresh_token_out(token)).await.map_err(failed)
    }

    async fn peek_refresh_token(
        &self,
        digest: &Digest,
        now: u64,
    ) -> Result<Option<FoundRefreshToken>, HostError> {
        let found = stores::refresh_store::peek(digest.as_bytes().to_vec(), now).await.map_err(failed)?;
        Ok(found.map(|stores::refresh_store::Found { token, rotated }| FoundRefreshToken {
            token: StoredRefreshToken {
                digest: *digest,
                family: token.family,
                client_id: token.client_id,
                subject: token.subject,
                expires_at: token.expires_at,
                grant: token.grant,
            },
            rotated,
        }))
    }

    async fn rotate_refresh_token(
        &self,
        digest: &Digest,
        successor: StoredRefreshToken,
        grace: u64,
        now: u64,
    ) -> Result<Rotation, HostError> {
        use stores::refresh_store::{Rotation as Wit, rotate};
        let digest = digest.as_bytes().to_vec();
        let rotation = rotate(digest, refresh_token_out(successor), grace, now).await.map_err(failed)?;
        Ok(match rotation {
            Wit::Rotated => Rotation::Rotated,
            Wit::Retried => Rotation::Retried,
            Wit::Reused(_) => Rotation::Reused,
            Wit::Revoked => Rotation::Revoked,
            Wit::Unknown => Rotation::Unknown,
        })
    }

    async fn extend_refresh_token(&self, digest: &Digest, expires_at: u64) -> Result<(), HostError> {
        stores::refresh_store::extend(digest.as_bytes().to_vec(), expires_at).await.map_err(failed)
    }

    async fn revoke_family(&self, family: &str, expires_at: u64) -> Result<(), HostError> {
        stores::refresh_store::revoke_family(family.to_owned(), expires_at).await.map_err(failed)
    }
}

fn refresh_token_out(token: StoredRefreshToken) -> stores::refresh_store::RefreshToken {
    stores::refresh_store::RefreshToken {
        digest: token.digest.as_bytes().to_vec(),
        family: token.family,
        client_id: token.client_id,
        subject: token.subject,
        expires_at: token.expires_at,
        grant: token.grant,
    }
}

impl ConsentGrantStore for Parts {
    async fn mint_consent_grant(
        &self,
        token: &Digest,
        binding: &Digest,
        expires_at: u64,
    ) -> Result<(), HostError> {
        let (token, binding) = (token.as_bytes().to_vec(), binding.as_bytes().to_vec());
        stores::consent_grant_store::mint(token, binding, expires_at).await.map_err(failed)
    }

    async fn consume_consent_grant(
        &self,
        token: &Digest,
        binding: &Digest,
        now: u64,
    ) -> Result<Consumption, HostError> {
        use stores::consent_grant_store::{Consumption as Wit, consume};
        let (token, binding) = (token.as_bytes().to_vec(), binding.as_bytes().to_vec());
        Ok(match consume(token, binding, now).await.map_err(failed)? {
            Wit::Consumed => Consumption::Consumed,
            Wit::Unknown => Consumption::Unknown,
            Wit::Expired => Consumption::Expired,
            Wit::BindingMismatch => Consumption::BindingMismatch,
            Wit::AlreadyConsumed => Consumption::AlreadyConsumed,
        })
    }
}
