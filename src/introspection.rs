//! Token introspection (RFC 7662), and its signed responses (RFC 9701).

use ::http::{StatusCode, header};
use rand_core::CryptoRng;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::client_auth::ClientAuthError;
use crate::client_request::{RequestError, authenticated, refuse, required};
use crate::confirmation::Confirmation;
use crate::event::{Event, EventName};
use crate::host::{Host, HostError};
use crate::http::{Request, Response};
use crate::issued_token::{self, IssuedToken};
use crate::secret::Secret;
use crate::server::Context;
use crate::verifier::Verified;

/// The media type of a signed response (RFC 9701 §5), and its `typ`.
const SIGNED: &str = "token-introspection+jwt";

/// `POST` at the introspection endpoint.
pub async fn introspect(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    match introspected(cx, http).await {
        Ok(response) => response,
        Err(error) => refuse(cx, "introspection", &error),
    }
}

async fn introspected(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
) -> Result<Response, RequestError> {
    let (caller, token) = authenticated(cx, http, |caller, params| {
        // "To prevent token scanning attacks, the endpoint MUST also require some form of authorization to access this
        // endpoint" (§2.1): a public client has none to show.
        if caller.is_public() {
            return Err(ClientAuthError::Failed(false).into());
        }
        Ok(Secret::new(required(params, "token", "token is required")?.to_owned()))
    })
    .await?;
    let found = issued_token::find(cx, &token).await.map_err(fault("stores"))?;
    let members = match found {
        Some(found) if is_active(cx, &caller.client_id, &found).await? => {
            allowed(cx, &caller.client_id, active(cx, &found)).await?
        }
        // "the authorization server SHOULD NOT include any additional information about an inactive token, including
        // why the token is inactive" (§2.2).
        _ => inactive(),
    };
    let mut event = Event::new(EventName::TokenIntrospected, cx.now);
    event.client_id = Some(caller.client_id.clone());
    event.subject = members.get("sub").and_then(Value::as_str).map(str::to_owned);
    event.metadata.insert("active".to_owned(), members.get("active").cloned().unwrap_or_default());
    cx.events.push(event);
    if wants_signed(http) {
        return signed(cx, &caller, members).await;
    }
    Ok(Response::json(StatusCode::OK, &members).header(header::PRAGMA, "no-cache"))
}

/// The answer, where the operator's policy lets the caller have it: "the authorization server MUST determine whether or not
/// the protected resource is authorized to receive it" (RFC 9701 §5; RFC 7662 §4). It can take away and not give.
async fn allowed(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    caller: &str,
    members: Map<String, Value>,
) -> Result<Map<String, Value>, RequestError> {
    let allowed = cx.host.authorize_introspection(caller, &members).await.map_err(fault("rules"))?;
    Ok(if allowed { members } else { inactive() })
}

/// The response as a JWT: "`iss` […] `aud` […] `iat` […] `token_introspection`" (RFC 9701 §5).
async fn signed(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    caller: &Client,
    members: Map<String, Value>,
) -> Result<Response, RequestError> {
    let config = &cx.server.config;
    let registered = caller.introspection_signed_response_alg.as_deref();
    let alg = config.signing_alg(registered, config.response_signing_alg).ok_or_else(|| {
        RequestError::Fault(format!(
            "client `{}` is registered for introspection responses signed with an algorithm there is not",
            caller.client_id
        ))
    })?;
    let claims = [
        ("iss", config.issuer.as_str().into()),
        ("aud", caller.client_id.as_str().into()),
        ("iat", cx.now.into()),
        ("token_introspection", Value::Object(members)),
    ];
    let claims = claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let jwt = cx.sign(alg, SIGNED, &claims).await.map_err(RequestError::Fault)?;
    Ok(Response { body: jwt.into_bytes(), ..Response::empty(StatusCode::OK) }
        .header(header::CONTENT_TYPE, &format!("application/{SIGNED}"))
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::PRAGMA, "no-cache"))
}

/// Whether the caller prefers a signed response (RFC 9701 §4, RFC 9110 §12.5.1). A JSON response is the default, so a range
/// like `*/*` does not ask for it.
fn wants_signed(http: &Request) -> bool {
    let values = http.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut signed, mut json) = (0.0, 0.0);
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let quality = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("q").then(|| value.parse().unwrap_or(0.0))
        });
        let quality: f32 = quality.unwrap_or(1.0);
        let subtype = match media_type.split_once('/') {
            Some((main, subtype)) if main.eq_ignore_ascii_case("application") => subtype,
            _ => continue,
        };
        if subtype.eq_ignore_ascii_case(SIGNED) {
            signed = quality;
        } else if subtype.eq_ignore_ascii_case("json") {
            json = quality;
        }
    }
    signed > 0.0 && signed >= json
}

/// "MUST determine whether the token […] has been revoked" (§4), and whether those it was issued to and for are still
/// admitted.
async fn is_active(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    caller: &str,
    found: &IssuedToken,
) -> Result<bool, RequestError> {
    let host = cx.host;
    let lives = match found {
        // A token that is also for somebody this server does not issue for opens nothing here.
        IssuedToken::Access(token) if !token.audience.iter().all(|aud| cx.server.config.is_resource(aud)) => {
            false
        }
        IssuedToken::Access(token) => {
            !host.is_revoked(&token.token_id, cx.now).await.map_err(fault("stores"))?
        }
        // No protected resource is ever shown a refresh token; only its own client has a question about it.
        IssuedToken::Refresh { token, rotated, .. } => !rotated && token.client_id == caller,
    };
    if !lives || host.load_client(found.client_id()).await.map_err(fault("clients"))?.is_none() {
        return Ok(false);
    }
    let of_client = found.subject().strip_prefix(cx.server.config.client_sub_prefix());
    if of_client == Some(found.client_id()) {
        return Ok(true);
    }
    Ok(host.load_principal(found.subject()).await.map_err(fault("people"))?.is_some())
}

fn inactive() -> Map<String, Value> {
    [("active".to_owned(), false.into())].into_iter().collect()
}

/// The members of §2.2.
fn active<H, R>(cx: &Context<'_, H, R>, found: &IssuedToken) -> Map<String, Value> {
    let members = match found {
        IssuedToken::Access(token) => json!({
            "active": true,
            "iss": cx.server.config.issuer,
            "sub": token.subject,
            "aud": token.claims.get("aud"),
            "client_id": token.client_id,
            "scope": token.scope.to_string(),
            "token_type": token_type(token),
            "cnf": token.claims.get("cnf"),
            "iat": token.issued_at,
            "exp": token.expires_at,
            "jti": token.token_id,
        }),
        IssuedToken::Refresh { token, grant, .. } => json!({
            "active": true,
            "iss": cx.server.config.issuer,
            "sub": token.subject,
            "client_id": token.client_id,
            "scope": grant.scope,
            "cnf": grant.cnf.as_ref().map(Confirmation::to_value),
            "exp": token.expires_at,
        }),
    };
    let Value::Object(mut members) = members else { return inactive() };
    // "A JSON string containing a space-separated list of scopes" has at least one.
    members.retain(|name, value| !value.is_null() && (name != "scope" || value.as_str() != Some("")));
    members
}

/// "`DPoP`" for a token bound to such a key (RFC 9449 §6.2).
fn token_type(token: &Verified) -> &'static str {
    match token.claims.get("cnf").and_then(|cnf| cnf.get("jkt")) {
        Some(_) => "DPoP",
        None => "Bearer",
    }
}

fn fault(part: &'static str) -> impl Fn(HostError) -> RequestError {
    move |fault| RequestError::Fault(format!("{part}: {fault}"))
}
