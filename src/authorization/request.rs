//! The authorization request: parsing and validation (RFC 6749 §4.1.1, OIDC Core §3.1.2).

use rand_core::CryptoRng;

use super::prompt::{Prompt, seconds};
use super::refusal::{Refusal, Unsettled};
use super::response_mode::ResponseMode;
use super::submission::Channel;
use crate::client::{Client, GrantType};
use crate::config::Config;
use crate::host::{Authorization, Host};
use crate::jose::{Algorithm, JwkSet, Thumbprint, UnverifiedJws, jws};
use crate::params::{Params, Repeated, encode};
use crate::pkce::{ChallengeError, CodeChallenge};
use crate::redirect_uri::TrustedRedirectUri;
use crate::resource::{self, ResourceError};
use crate::scope::Scope;
use crate::server::Context;

/// A client and a redirect URI that belong together, and how answers get there. Only from here on may anything be sent to
/// that URI.
#[derive(Debug)]
pub struct Settled {
    /// Who asks.
    pub client: Client,
    /// Where the answer goes.
    pub redirect_uri: TrustedRedirectUri,
    /// Whether the request named it.
    pub redirect_uri_in_request: bool,
    /// How the answer gets there. The default where the request asks for one that is unknown: then that is the answer.
    pub response_mode: ResponseMode,
    /// The client's `state`, to be given back as it came (RFC 6749 §4.1.2).
    pub state: Option<String>,
    /// How the request came here.
    pub(crate) channel: Channel,
    /// The request.
    pub(crate) params: Params,
}

impl Settled {
    /// Settles the redirect URI, before anything else is looked at.
    pub fn new(client: Client, params: Params, channel: Channel) -> Result<Self, Unsettled> {
        let requested = params.one("redirect_uri").map_err(|Repeated| Unsettled::Repeated)?;
        let redirect_uri = match requested {
            Some(uri) => TrustedRedirectUri::find(uri, &client.redirect_uris)
                .ok_or(Unsettled::UnregisteredRedirectUri)?,
            None => TrustedRedirectUri::only(&client.redirect_uris).ok_or(Unsettled::MissingRedirectUri)?,
        };
        Ok(Self {
            redirect_uri_in_request: requested.is_some(),
            response_mode: ResponseMode::requested(&params).unwrap_or(ResponseMode::DEFAULT),
            // A repeated `state` is an error of its own, as is one that is too long; neither could be given back.
            state: params.one("state").ok().flatten().filter(|state| fits(state)).map(str::to_owned),
            client,
            redirect_uri,
            channel,
            params,
        })
    }
}

/// Octets of `state` at most. Escaped in a signed answer, and that in a URL, they still fit a header.
const MAX_STATE: usize = 4096;

/// A valid authorization request of a trusted client and redirect URI.
#[derive(Debug)]
pub struct AuthorizationRequest {
    /// Who asks, and where the answer goes.
    pub settled: Settled,
    /// What is asked for.
    pub scope: Scope,
    /// The PKCE challenge, where there is one.
    pub code_challenge: Option<CodeChallenge>,
    /// For the ID token.
    pub nonce: Option<String>,
    /// What may and must be shown.
    pub prompt: Prompt,
    /// How old the authentication may be, seconds.
    pub max_age: Option<u64>,
    /// The subject of the `id_token_hint`: nobody else may be answered for.
    pub expected_sub: Option<String>,
    /// The thumbprint of the key the code is to be bound to (RFC 9449 §10).
    pub dpop_jkt: Option<String>,
    /// The resources the tokens are to be for (RFC 8707 §2.1); none is the default audience.
    pub resources: Vec<String>,
}

impl AuthorizationRequest {
    /// Checks all that a client may be told of.
    pub async fn validate(
        cx: &Context<'_, impl Host, impl CryptoRng>,
        settled: Settled,
    ) -> Result<Self, Box<(Settled, Refusal)>> {
        match Checked::check(cx, &settled).await {
            Ok(checked) => Ok(Self {
                settled,
                scope: checked.scope,
                code_challenge: checked.code_challenge,
                nonce: checked.nonce,
                prompt: checked.prompt,
                max_age: checked.max_age,
                expected_sub: checked.expected_sub,
                dpop_jkt: checked.dpop_jkt,
                resources: checked.resources,
            }),
            Err(refusal) => Err(Box::new((settled, refusal))),
        }
    }

    /// What OpenID Connect demands of a request for this scope.
    pub fn check_openid(&self, scope: &Scope, config: &Config) -> Result<(), Refusal> {
        check_openid(scope, self.settled.redirect_uri_in_request, self.nonce.is_some(), config)
    }

    /// What the person's pages are told of it, if `scope` is to be granted.
    pub fn for_interaction(&self, scope: Scope) -> Authorization {
        let Settled { client, redirect_uri, params, .. } = &self.settled;
        let text = |name| params.one(name).ok().flatten();
        Authorization {
            parameters: self.parameters(),
            client_id: client.client_id.clone(),
            client_name: client.client_name.clone(),
            redirect_uri: redirect_uri.as_str().to_owned(),
            scope,
            resources: self.resources.clone(),
            login_hint: text("login_hint").map(str::to_owned),
            ui_locales: text("ui_locales")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        }
    }

    /// What brings the person back to this request: all of it, or the reference to what is stored.
    pub fn parameters(&self) -> String {
        match self.settled.channel.reference() {
            Some(reference) => encode([
                ("client_id", self.settled.client.client_id.as_str()),
                ("request_uri", reference.request_uri()),
            ]),
            None => self.settled.params.encode(),
        }
    }
}

/// Whether a `state` can be given back in any response mode. RFC 6749 sets no bound; a client that wants to keep more keeps it
/// where it is, and sends what it is found by.
fn fits(state: &str) -> bool {
    state.len() <= MAX_STATE
}

/// OIDC Core §3.1.2.1: `redirect_uri` is REQUIRED; `nonce` is where the operator says so.
fn check_openid(scope: &Scope, redirect_uri: bool, nonce: bool, config: &Config) -> Result<(), Refusal> {
    match scope.contains("openid") {
        true if !redirect_uri => Err(Refusal::MissingRedirectUri),
        true if !nonce && config.require_nonce => Err(Refusal::MissingNonce),
        _ => Ok(()),
    }
}

/// The subject of an "ID Token previously issued by the Authorization Server being passed as a hint" (OIDC Core §3.1.2.1).
/// It may have expired; it must be ours, and for this client.
fn hinted_subject(hint: &str, client_id: &str, config: &Config, keys: &JwkSet) -> Option<String> {
    let policy = jws::Policy { algorithms: Algorithm::ALL, typ: Some("JWT") };
    let claims = UnverifiedJws::parse(hint).ok()?.verify(keys, &policy).ok()?.into_claims().ok()?;
    claims.check_iss(&config.issuer).ok()?;
    claims.check_aud(&[client_id.to_owned()]).ok()?;
    claims.required_string("sub").ok().map(str::to_owned)
}

struct Checked {
    expected_sub: Option<String>,
    scope: Scope,
    code_challenge: Option<CodeChallenge>,
    nonce: Option<String>,
    prompt: Prompt,
    max_age: Option<u64>,
    dpop_jkt: Option<String>,
    resources: Vec<String>,
}

impl Checked {
    async fn check(cx: &Context<'_, impl Host, impl CryptoRng>, settled: &Settled) -> Result<Self, Refusal> {
        let config = &cx.server.config;
        let Settled { client, channel, params, .. } = settled;
        params.refuse_repeated().map_err(|Repeated| Refusal::Repeated)?;
        let one = |name| params.one(name).map_err(|Repeated| Refusal::Repeated);

        check_channel(config, client, channel)?;
        if one("state")?.is_some_and(|state| !fits(state)) {
            return Err(Refusal::State);
        }
        // "shall require the `redirect_uri` parameter in pushed authorization requests" (FAPI 2.0 Security Profile §5.3.2.2).
        if config.profile.is_some() && !settled.redirect_uri_in_request {
            return Err(Refusal::MissingRedirectUri);
        }
        if params.has("request_uri") {
            return Err(Refusal::RequestUriNotSupported);
        }
        if params.has("registration") {
            return Err(Refusal::RegistrationNotSupported);
        }
        match one("response_type")? {
            Some("code") => {}
            Some(_) => return Err(Refusal::UnsupportedResponseType),
            None => return Err(Refusal::MissingResponseType),
        }
        ResponseMode::requested(params).ok_or(Refusal::UnsupportedResponseMode)?;
        if !client.may_use(GrantType::AuthorizationCode) {
            return Err(Refusal::UnauthorizedClient);
        }
        let scope = Scope::parse(one("scope")?.unwrap_or_default()).map_err(|_| Refusal::MalformedScope)?;
        let code_challenge = match (one("code_challenge")?, one("code_challenge_method")?) {
            (Some(challenge), method) => {
                Some(CodeChallenge::from_request(challenge, method).map_err(Refusal::CodeChallenge)?)
            }
            (None, None) if !config.requires_pkce(client) => None,
            (None, _) => return Err(Refusal::CodeChallenge(ChallengeError::Malformed)),
        };
        let nonce = one("nonce")?.map(str::to_owned);
        check_openid(&scope, settled.redirect_uri_in_request, nonce.is_some(), config)?;
        let prompt = match one("prompt")? {
            Some(text) => Prompt::parse(text).ok_or(Refusal::Prompt)?,
            None => Prompt::default(),
        };
        let max_age = match one("max_age")? {
            Some(text) => Some(seconds(text).ok_or(Refusal::MaxAge)?),
            None => None,
        };
        let dpop_jkt = dpop_jkt(config, channel, one("dpop_jkt")?)?;
        let expected_sub = match one("id_token_hint")? {
            Some(hint) => Some(
                hinted_subject(hint, &client.client_id, config, cx.server.keys.public())
                    .ok_or(Refusal::IdTokenHint)?,
            ),
            None => None,
        };
        let resources = resource::requested(cx, client, params).await.map_err(|error| match error {
            ResourceError::InvalidTarget => Refusal::InvalidTarget,
            ResourceError::Host(fault) => Refusal::ServerError(format!("rules: {fault}")),
        })?;
        Ok(Self { expected_sub, scope, code_challenge, nonce, prompt, max_age, dpop_jkt, resources })
    }
}

/// Which way the request had to come (RFC 9126 §5 and §6, RFC 9101 §10.5).
fn check_channel(config: &Config, client: &Client, channel: &Channel) -> Result<(), Refusal> {
    if config.requires_pushed_request(client) && !channel.is_pushed() {
        return Err(Refusal::PushRequired);
    }
    if config.requires_signed_request(client) && !channel.is_signed() {
        return Err(Refusal::SignatureRequired);
    }
    Ok(())
}

/// The key the code is to be bound to: the one that `dpop_jkt` names, or whose proof came with the push (RFC 9449 §10, §10.1).
/// The two are the same, or the request would not have been stored.
fn dpop_jkt(config: &Config, channel: &Channel, parameter: Option<&str>) -> Result<Option<String>, Refusal> {
    if !config.dpop.enabled {
        return Ok(None);
    }
    let named = match parameter {
        Some(text) => Some(text.parse::<Thumbprint>().map_err(|_| Refusal::DpopJkt)?.to_string()),
        None => None,
    };
    let proven = channel.reference().and_then(|reference| reference.request.dpop_jkt.clone());
    Ok(proven.or(named))
}
