//! The UserInfo endpoint (OIDC Core §5.3): a protected resource of the server itself.

use std::sync::Arc;

use ::http::{StatusCode, header};
use rand_core::CryptoRng;
use serde_json::{Map, Value};

use crate::dpop::{self, DpopError};
use crate::event::{Event, EventName};
use crate::host::{Host, HostError};
use crate::http::{Request, Response};
use crate::jose::NumericDate;
use crate::mtls::{self, ClientCertificate};
use crate::server::Context;
use crate::verifier::{self, Access, Reason, Verified};

/// Why there is no UserInfo response.
enum UserInfoError {
    /// What a resource server answers (RFC 6750 §3).
    Refused(verifier::Refusal),
    /// An internal fault, for the log.
    Fault(String),
}

/// `GET` and `POST` at the UserInfo endpoint (OIDC Core §5.3.1 asks for both).
pub async fn userinfo(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    match claims(cx, http).await {
        Ok((token, claims)) => {
            let mut event = Event::new(EventName::AuthSucceeded, cx.now);
            event.subject = Some(token.subject.clone());
            event.client_id = Some(token.client_id.clone());
            event.scope = Some(token.scope.to_string());
            cx.events.push(event);
            Response::json(StatusCode::OK, &claims)
        }
        Err(UserInfoError::Refused(refusal)) => {
            let mut event = Event::new(EventName::AuthDenied, cx.now);
            event.result = Some(match refusal.challenge.error {
                Some(error) => format!("{}: {}", error.code(), refusal.reason),
                None => refusal.reason.to_string(),
            });
            cx.events.push(event);
            let status = StatusCode::from_u16(refusal.challenge.status).unwrap_or(StatusCode::UNAUTHORIZED);
            let body: Map<String, Value> = refusal
                .challenge
                .error
                .into_iter()
                .flat_map(|error| [("error", error.code()), ("error_description", error.description())])
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            Response::json(status, &body)
                .header(header::WWW_AUTHENTICATE, &refusal.challenge.www_authenticate)
        }
        Err(UserInfoError::Fault(fault)) => {
            cx.host.log_fault(&fault);
            let body = serde_json::json!({
                "error": "server_error",
                "error_description": "the server could not complete the request",
            });
            Response::json(StatusCode::INTERNAL_SERVER_ERROR, &body)
        }
    }
}

async fn claims(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
) -> Result<(Arc<Verified>, Map<String, Value>), UserInfoError> {
    let (server, host) = (cx.server, cx.host);
    // "The UserInfo Endpoint is an OAuth 2.0 Protected Resource"; the scope it takes is `openid` (OIDC Core §5.3).
    let (required, policy) = (&server.userinfo_scope, &server.own_policy);
    let access = access(cx, http)?;
    let refused = |reason| UserInfoError::Refused(access.refuse(reason, required, policy));
    // Nonces are for those who hold a good token, so that nobody else can fill their store.
    let proof = match &access.proof {
        Some(proof) => Some(dpop::admit(cx, proof).await.map_err(|error| refusal(error, refused))?),
        None => None,
    };
    let token = &access.token;
    if host.is_revoked(&token.token_id, cx.now).await.map_err(fault("stores"))? {
        return Err(refused(Reason::Revoked));
    }
    if host.load_client(&token.client_id).await.map_err(fault("clients"))?.is_none() {
        return Err(refused(Reason::Revoked));
    }
    if host.load_principal(&token.subject).await.map_err(fault("people"))?.is_none() {
        return Err(refused(Reason::UnknownSubject));
    }
    let mut claims = host.userinfo_claims(&token.subject, &token.scope).await.map_err(fault("people"))?;
    // "The `sub` (subject) Claim MUST always be returned in the UserInfo Response" (OIDC Core §5.3.2).
    let other = claims.insert("sub".to_owned(), token.subject.as_str().into());
    if other.is_some_and(|other| other != token.subject.as_str()) {
        return Err(UserInfoError::Fault("people: UserInfo claims carry another `sub`".to_owned()));
    }
    if let Some(proof) = &proof {
        dpop::accept_nonce(cx, proof).await.map_err(|error| refusal(error, refused))?;
        dpop::claim(cx, proof).await.map_err(|error| refusal(error, refused))?;
    }
    Ok((access.token, claims))
}

/// The token of the request, where it is one of ours and comes from whom it is bound to.
fn access<H, R>(cx: &Context<'_, H, R>, http: &Request) -> Result<Access, UserInfoError> {
    let server = cx.server;
    let (required, policy) = (&server.userinfo_scope, &server.own_policy);
    let authorization: Vec<&[u8]> =
        http.headers.get_all(header::AUTHORIZATION).iter().map(|v| v.as_bytes()).collect();
    let urls = dpop::target_urls(cx, http);
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let certificate = mtls::certificate(&http.headers, &cx.facts, &server.config).map_err(|_| {
        UserInfoError::Refused(verifier::refuse(Reason::MalformedCertificate, None, required, policy))
    })?;
    let thumbprint = certificate.as_ref().map(ClientCertificate::thumbprint);
    let request = verifier::Request {
        authorization: &authorization,
        dpop: &dpop::header_values(http),
        method: http.method.as_str(),
        urls: &urls,
        certificate: thumbprint.as_deref(),
    };
    let now = NumericDate::from_secs(cx.now);
    verifier::verify(&request, required, policy, server.keys.public(), now).map_err(UserInfoError::Refused)
}

/// What a resource server makes of a proof that is refused (RFC 9449 §7.1, §9).
fn refusal(error: DpopError, refused: impl Fn(Reason) -> UserInfoError) -> UserInfoError {
    match error {
        DpopError::Proof(error) => refused(Reason::Proof(error)),
        DpopError::NonceMissing | DpopError::NonceNotLive => refused(Reason::Nonce),
        DpopError::Replayed => refused(Reason::ProofReplayed),
        DpopError::Fault(fault) => UserInfoError::Fault(fault),
    }
}

fn fault(part: &'static str) -> impl Fn(HostError) -> UserInfoError {
    move |fault| UserInfoError::Fault(format!("{part}: {fault}"))
}
