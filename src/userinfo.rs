//! The UserInfo endpoint (OIDC Core §5.3): a protected resource of the server itself.

use ::http::{StatusCode, header};
use rand_core::CryptoRng;
use serde_json::{Map, Value};

use crate::event::{Event, EventName};
use crate::host::{Host, HostError};
use crate::http::{Request, Response};
use crate::jose::NumericDate;
use crate::server::Context;
use crate::verifier::{self, Reason, Verified};

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
            event.subject = Some(token.subject);
            event.client_id = Some(token.client_id);
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
    cx: &Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
) -> Result<(Verified, Map<String, Value>), UserInfoError> {
    let server = cx.server;
    let authorization: Vec<&[u8]> =
        http.headers.get_all(header::AUTHORIZATION).iter().map(|v| v.as_bytes()).collect();
    let url = server.config.canonical_url.of(&cx.facts, &http.path);
    let request =
        verifier::Request { authorization: &authorization, method: http.method.as_str(), url: &url };
    // "The UserInfo Endpoint is an OAuth 2.0 Protected Resource"; the scope it takes is `openid` (OIDC Core §5.3).
    let required = &server.userinfo_scope;
    let refused = |reason| UserInfoError::Refused(verifier::refuse(reason, required, &server.own_policy));
    let now = NumericDate::from_secs(cx.now);
    let token = verifier::verify(&request, required, &server.own_policy, server.keys.public(), now)
        .map_err(UserInfoError::Refused)?;
    if cx.host.is_revoked(&token.token_id, cx.now).await.map_err(fault("stores"))? {
        return Err(refused(Reason::Revoked));
    }
    if cx.host.load_client(&token.client_id).await.map_err(fault("clients"))?.is_none() {
        return Err(refused(Reason::Revoked));
    }
    if cx.host.load_principal(&token.subject).await.map_err(fault("people"))?.is_none() {
        return Err(refused(Reason::UnknownSubject));
    }
    let mut claims = cx.host.userinfo_claims(&token.subject, &token.scope).await.map_err(fault("people"))?;
    // "The `sub` (subject) Claim MUST always be returned in the UserInfo Response" (OIDC Core §5.3.2).
    match claims.insert("sub".to_owned(), token.subject.as_str().into()) {
        Some(other) if other != token.subject.as_str() => {
            Err(UserInfoError::Fault("people: UserInfo claims carry another `sub`".to_owned()))
        }
        _ => Ok((token, claims)),
    }
}

fn fault(part: &'static str) -> impl Fn(HostError) -> UserInfoError {
    move |fault| UserInfoError::Fault(format!("{part}: {fault}"))
}
