//! The token endpoint (RFC 6749 §3.2).

mod authorization_code;
mod client_credentials;
mod error;
mod issue;
mod refresh_token;

use ::http::{StatusCode, header};
use rand_core::CryptoRng;
use serde::Serialize;
use serde_json::{Map, Value};

pub use error::{GrantRefusal, TokenError};

use crate::client::{Client, GrantType};
use crate::client_auth::{self, Authenticated};
use crate::client_request::{RequestError, claim_once, parameters, required};
use crate::config::Config;
use crate::confirmation::Confirmation;
use crate::dpop::{self, Proof};
use crate::event::{Event, EventName};
use crate::host::{Host, HostError};
use crate::http::{Request, Response};
use crate::jose::Algorithm;
use crate::params::Params;
use crate::replay::ReplayClaim;
use crate::sender_constraint::{self, SenderConstraintError};
use crate::server::Context;

/// A successful response (RFC 6749 §5.1).
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    /// OIDC Core §3.1.3.3.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

/// What a grant led to, for response and event.
struct Issued {
    response: TokenResponse,
    sub: String,
    jti: String,
    /// What happened to refresh tokens on the way.
    refresh: Option<EventName>,
}

/// A request of an authenticated client, as far as the grants have it in common.
struct TokenRequest<'r> {
    client: &'r Client,
    params: &'r Params,
    /// What the access token will be bound to.
    cnf: Option<Confirmation>,
    /// The DPoP proof that came with it.
    proof: Option<Proof>,
    /// The `jti` of the client's assertion.
    assertion: Option<ReplayClaim>,
}

impl TokenRequest<'_> {
    /// Claims what is good once, when nothing can refuse the request any more but the grant's own claim.
    async fn claim(&self, cx: &mut Context<'_, impl Host, impl CryptoRng>) -> Result<(), TokenError> {
        claim_once(cx, self.proof.as_ref(), self.assertion).await
    }
}

/// How far a request got, for its event.
#[derive(Default)]
struct Progress {
    client_id: Option<String>,
    grant_type: Option<GrantType>,
    cnf: Option<Confirmation>,
}

/// `POST` at the token endpoint.
pub async fn token(cx: &mut Context<'_, impl Host, impl CryptoRng>, http: &Request) -> Response {
    let mut progress = Progress::default();
    let outcome = issue(cx, http, &mut progress).await;
    let event = Event {
        client_id: progress.client_id,
        grant_type: progress.grant_type.map(GrantType::as_str),
        metadata: constraint_metadata(progress.cnf.as_ref()),
        ..Event::new(EventName::TokenIssued, cx.now)
    };
    match outcome {
        Ok(issued) => {
            let mut event =
                Event { subject: Some(issued.sub), scope: Some(issued.response.scope.clone()), ..event };
            if let Some(name) = issued.refresh {
                cx.events.push(Event { name, ..event.clone() });
            }
            event.metadata.insert("jti".to_owned(), issued.jti.into());
            cx.events.push(event);
            Response::json(StatusCode::OK, &issued.response).header(header::PRAGMA, "no-cache")
        }
        Err(error) => {
            if let Some(fault) = error.fault() {
                cx.host.log_fault(fault);
            }
            let code = error.wire().1;
            let mut event = Event { name: EventName::TokenDenied, ..event };
            event.metadata.insert("reason".to_owned(), code.into());
            event.result = Some(error.result());
            cx.events.push(event);
            error.response(&cx.server.config)
        }
    }
}

/// How the token is bound to a key (RFC 7800 §3.1), or would have been.
fn constraint_metadata(cnf: Option<&Confirmation>) -> Map<String, Value> {
    [
        ("token_type", cnf.map_or("Bearer", Confirmation::token_type).into()),
        ("sender_constraint", cnf.map_or("none", Confirmation::kind).into()),
        ("cnf", cnf.map_or(Value::Null, Confirmation::to_value)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// From the request to the grant, in the order of the checks.
async fn issue(
    cx: &mut Context<'_, impl Host, impl CryptoRng>,
    http: &Request,
    progress: &mut Progress,
) -> Result<Issued, TokenError> {
    let params = parameters(http)?;
    // The proof comes first: a nonce is asked for before an assertion's `jti` is spent (RFC 9449 §8), and a code that is
    // bound to a key needs a proof, whoever presents it.
    let proof = dpop::verify(cx, http, None).await?;
    progress.cnf = proof.as_ref().map(|proof| Confirmation::Jkt(proof.jkt.clone()));
    let grant_type = params.one("grant_type").ok().flatten().and_then(GrantType::parse);
    if proof.is_none()
        && grant_type == Some(GrantType::AuthorizationCode)
        && authorization_code::lacks_proof(cx, &params).await?
    {
        return Err(SenderConstraintError::ProofRequired.into());
    }
    let Authenticated { client, claim, certificate } =
        client_auth::authenticate(cx, http, &params).await.map_err(RequestError::ClientAuth)?;
    progress.client_id = Some(client.client_id.clone());
    let grant_type = required(&params, "grant_type", "grant_type is required")?;
    let grant_type = GrantType::parse(grant_type)
        .filter(|grant_type| cx.server.config.grant_types_supported.contains(grant_type))
        .ok_or(TokenError::UnsupportedGrantType)?;
    progress.grant_type = Some(grant_type);
    if !client.may_use(grant_type) {
        return Err(TokenError::UnauthorizedClient);
    }
    let cnf = sender_constraint::resolve(&cx.server.config, &client, proof.as_ref(), certificate.as_ref())?;
    progress.cnf.clone_from(&cnf);
    let request = TokenRequest { client: &client, params: &params, cnf, proof, assertion: claim };
    match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(cx, &request).await,
        GrantType::RefreshToken => refresh_token::refresh(cx, &request).await,
        GrantType::ClientCredentials => client_credentials::issue(cx, &request).await,
    }
}

/// The ID token's algorithm for this client; where it registered none, `RS256` (OIDC Registration §2), or under a profile,
/// which has no RS256 (FAPI 2.0 Security Profile §5.4.1), the one of responses.
fn id_token_alg(client: &Client, config: &Config) -> Result<Algorithm, TokenError> {
    let default = if config.profile.is_none() { Algorithm::Rs256 } else { config.response_signing_alg };
    config.signing_alg(client.id_token_signed_response_alg.as_deref(), default).ok_or_else(|| {
        TokenError::fault_of(format!(
            "client `{}` is registered for ID tokens signed with an algorithm there is not",
            client.client_id
        ))
    })
}

/// A part of the host failed.
fn part(name: &'static str) -> impl Fn(HostError) -> TokenError {
    move |fault| TokenError::fault_of(format!("{name}: {fault}"))
}
