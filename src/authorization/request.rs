//! The authorization request: parsing and validation (RFC 6749 §4.1.1, OIDC Core §3.1.2).

use crate::client::{Client, GrantType};
use crate::config::Config;
use crate::host::{Authorization, ClientStore, HostError};
use crate::jose::{Algorithm, JwkSet, UnverifiedJws, jws};
use crate::params::{Params, Repeated};
use crate::pkce::{ChallengeError, CodeChallenge};
use crate::redirect_uri::TrustedRedirectUri;
use crate::scope::Scope;

/// A client and a redirect URI that belong together. Only from here on may anything be sent to that URI.
#[derive(Debug)]
pub struct Settled {
    client: Client,
    redirect_uri: TrustedRedirectUri,
    redirect_uri_in_request: bool,
    /// The client's `state`, to be given back with any answer (RFC 6749 §4.1.2).
    pub state: Option<String>,
    params: Params,
}

/// Why client and redirect URI are not settled. "The authorization server […] MUST NOT automatically redirect the
/// user-agent to the invalid redirection URI" (RFC 6749 §4.1.2.1): the person sees a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// No `client_id`.
    MissingClientId,
    /// `client_id` or `redirect_uri` is there twice.
    Repeated,
    /// The client is unknown or revoked.
    UnknownClient,
    /// No `redirect_uri`, and not exactly one is registered (RFC 6749 §3.1.2.3).
    MissingRedirectUri,
    /// The `redirect_uri` is not registered for the client.
    UnregisteredRedirectUri,
    /// The registry did not answer.
    Host(HostError),
}

impl Settled {
    /// Settles client and redirect URI, before anything else is looked at.
    pub async fn settle(params: Params, store: &impl ClientStore) -> Result<Self, Unsettled> {
        let repeated = |Repeated| Unsettled::Repeated;
        let client_id = params.one("client_id").map_err(repeated)?.ok_or(Unsettled::MissingClientId)?;
        let requested = params.one("redirect_uri").map_err(repeated)?;
        let client =
            store.load_client(client_id).await.map_err(Unsettled::Host)?.ok_or(Unsettled::UnknownClient)?;
        let redirect_uri = match requested {
            Some(uri) => TrustedRedirectUri::find(uri, &client.redirect_uris)
                .ok_or(Unsettled::UnregisteredRedirectUri)?,
            None => TrustedRedirectUri::only(&client.redirect_uris).ok_or(Unsettled::MissingRedirectUri)?,
        };
        Ok(Self {
            redirect_uri_in_request: requested.is_some(),
            // A repeated `state` is an error of its own; no one value of it could be given back.
            state: params.one("state").ok().flatten().map(str::to_owned),
            client,
            redirect_uri,
            params,
        })
    }

    /// Where answers go.
    pub fn redirect_uri(&self) -> &TrustedRedirectUri {
        &self.redirect_uri
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// Why a request of a trusted pair is refused. The client learns of it by redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A parameter is there twice.
    Repeated,
    /// No `response_type`.
    MissingResponseType,
    /// A `response_type` other than `code`.
    UnsupportedResponseType,
    /// A `response_mode` other than `query`.
    UnsupportedResponseMode,
    /// The client is not registered for the authorization code grant.
    UnauthorizedClient,
    /// `request` (OIDC Core §6.1).
    RequestNotSupported,
    /// `request_uri` (OIDC Core §6.2).
    RequestUriNotSupported,
    /// `registration` (OIDC Core §7.2.1).
    RegistrationNotSupported,
    /// `scope` breaks its grammar.
    MalformedScope,
    /// An OpenID request without `redirect_uri` (OIDC Core §3.1.2.1).
    MissingRedirectUri,
    /// No usable `code_challenge`.
    CodeChallenge(ChallengeError),
    /// An OpenID request without `nonce`, which the operator requires.
    MissingNonce,
    /// `prompt` has an unknown value, or `none` beside another (OIDC Core §3.1.2.1).
    Prompt,
    /// `max_age` is not a number of seconds.
    MaxAge,
    /// `id_token_hint` is no ID token of this server for this client.
    IdTokenHint,
    /// A `resource` this server issues no tokens for (RFC 8707 §2).
    InvalidTarget,
    /// The scope policy refused.
    InvalidScope,
    /// Nobody is signed in, and `prompt=none`.
    LoginRequired,
    /// Consent is needed, and `prompt=none`.
    ConsentRequired,
    /// The person said no.
    AccessDenied,
    /// An internal fault.
    ServerError,
}

impl Refusal {
    /// The `error` code and a fixed `error_description`.
    pub fn wire(self) -> (&'static str, &'static str) {
        match self {
            // RFC 6749 §4.1.2.1: "The request is missing a required parameter, includes an invalid parameter value,
            // includes a parameter more than once, or is otherwise malformed."
            Self::Repeated => ("invalid_request", "a parameter is included more than once"),
            Self::MissingResponseType => ("invalid_request", "response_type is required"),
            Self::UnsupportedResponseMode => ("invalid_request", "response_mode is not supported"),
            Self::MissingRedirectUri => ("invalid_request", "redirect_uri is required"),
            Self::MissingNonce => ("invalid_request", "nonce is required"),
            Self::Prompt => ("invalid_request", "prompt is malformed"),
            Self::MaxAge => ("invalid_request", "max_age is malformed"),
            Self::IdTokenHint => {
                ("invalid_request", "id_token_hint is not an ID token of this server for this client")
            }
            // RFC 7636 §4.4.1.
            Self::CodeChallenge(ChallengeError::Malformed) => ("invalid_request", "code challenge required"),
            Self::CodeChallenge(ChallengeError::Method) => {
                ("invalid_request", "transform algorithm not supported: code_challenge_method must be S256")
            }
            // RFC 6749 §4.1.2.1.
            Self::UnauthorizedClient => {
                ("unauthorized_client", "the client may not use the authorization code grant")
            }
            Self::UnsupportedResponseType => ("unsupported_response_type", "response_type must be code"),
            Self::MalformedScope | Self::InvalidScope => {
                ("invalid_scope", "the scope is invalid or not permitted")
            }
            Self::AccessDenied => ("access_denied", "the resource owner denied the request"),
            Self::ServerError => ("server_error", "the server could not complete the request"),
            // OIDC Core §3.1.2.6.
            Self::LoginRequired => ("login_required", "the resource owner must sign in"),
            Self::ConsentRequired => ("consent_required", "the resource owner must consent"),
            Self::RequestNotSupported => ("request_not_supported", "request is not supported"),
            Self::RequestUriNotSupported => ("request_uri_not_supported", "request_uri is not supported"),
            Self::RegistrationNotSupported => ("registration_not_supported", "registration is not supported"),
            // RFC 8707 §2.
            Self::InvalidTarget => ("invalid_target", "the resource is unknown or not permitted"),
        }
    }
}

/// OIDC Core §3.1.2.1 `prompt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// `none`: "The Authorization Server MUST NOT display any authentication or consent user interface pages."
    pub none: bool,
    /// `login`, or `select_account`, which here means the same: the sign-in page.
    pub login: bool,
    /// `consent`.
    pub consent: bool,
}

impl Prompt {
    fn parse(text: &str) -> Option<Self> {
        let mut prompt = Self::default();
        for value in text.split(' ') {
            match value {
                "none" => prompt.none = true,
                "login" | "select_account" => prompt.login = true,
                "consent" => prompt.consent = true,
                _ => return None,
            }
        }
        // "If this parameter contains none with any other value, an error is returned."
        let others = prompt.login || prompt.consent;
        (!(prompt.none && others)).then_some(prompt)
    }
}

/// A valid authorization request of a trusted client and redirect URI.
#[derive(Debug)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client: Client,
    /// Where the answer goes.
    pub redirect_uri: TrustedRedirectUri,
    /// Whether the request named it.
    pub redirect_uri_in_request: bool,
    /// To be given back as it came.
    pub state: Option<String>,
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
    params: Params,
}

impl AuthorizationRequest {
    /// Checks all that a client may be told of.
    pub fn validate(
        settled: Settled,
        config: &Config,
        keys: &JwkSet,
    ) -> Result<Self, Box<(Settled, Refusal)>> {
        match Checked::check(&settled, config, keys) {
            Ok(checked) => Ok(Self {
                client: settled.client,
                redirect_uri: settled.redirect_uri,
                redirect_uri_in_request: settled.redirect_uri_in_request,
                state: settled.state,
                scope: checked.scope,
                code_challenge: checked.code_challenge,
                nonce: checked.nonce,
                prompt: checked.prompt,
                max_age: checked.max_age,
                expected_sub: checked.expected_sub,
                params: settled.params,
            }),
            Err(refusal) => Err(Box::new((settled, refusal))),
        }
    }

    /// What OpenID Connect demands of a request for this scope.
    pub fn check_openid(&self, scope: &Scope, config: &Config) -> Result<(), Refusal> {
        check_openid(scope, self.redirect_uri_in_request, self.nonce.is_some(), config)
    }

    /// What the person's pages are told of it, if `scope` is to be granted.
    pub fn for_interaction(&self, scope: Scope) -> Authorization {
        let text = |name| self.params.one(name).ok().flatten();
        Authorization {
            parameters: self.params.encode(),
            client_id: self.client.client_id.clone(),
            client_name: self.client.client_name.clone(),
            redirect_uri: self.redirect_uri.as_str().to_owned(),
            scope,
            login_hint: text("login_hint").map(str::to_owned),
            ui_locales: text("ui_locales")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        }
    }
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
}

impl Checked {
    fn check(settled: &Settled, config: &Config, keys: &JwkSet) -> Result<Self, Refusal> {
        let params = &settled.params;
        params.refuse_repeated().map_err(|Repeated| Refusal::Repeated)?;
        let one = |name| params.one(name).map_err(|Repeated| Refusal::Repeated);

        for (name, refusal) in [
            ("request", Refusal::RequestNotSupported),
            ("request_uri", Refusal::RequestUriNotSupported),
            ("registration", Refusal::RegistrationNotSupported),
        ] {
            if params.has(name) {
                return Err(refusal);
            }
        }
        match one("response_type")? {
            Some("code") => {}
            Some(_) => return Err(Refusal::UnsupportedResponseType),
            None => return Err(Refusal::MissingResponseType),
        }
        if !matches!(one("response_mode")?, None | Some("query")) {
            return Err(Refusal::UnsupportedResponseMode);
        }
        if !settled.client.may_use(GrantType::AuthorizationCode) {
            return Err(Refusal::UnauthorizedClient);
        }
        let scope = Scope::parse(one("scope")?.unwrap_or_default()).map_err(|_| Refusal::MalformedScope)?;
        let code_challenge = match (one("code_challenge")?, one("code_challenge_method")?) {
            (Some(challenge), method) => {
                Some(CodeChallenge::from_request(challenge, method).map_err(Refusal::CodeChallenge)?)
            }
            (None, None) if !config.requires_pkce(&settled.client) => None,
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
        if params.all("resource").any(|resource| resource != config.audience) {
            return Err(Refusal::InvalidTarget);
        }
        let expected_sub = match one("id_token_hint")? {
            Some(hint) => Some(
                hinted_subject(hint, &settled.client.client_id, config, keys).ok_or(Refusal::IdTokenHint)?,
            ),
            None => None,
        };
        Ok(Self { expected_sub, scope, code_challenge, nonce, prompt, max_age })
    }
}

/// A number of seconds, digits only.
pub(super) fn seconds(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_none_stands_alone() {
        assert_eq!(Prompt::parse("none"), Some(Prompt { none: true, ..Prompt::default() }));
        assert_eq!(Prompt::parse("login consent"), Some(Prompt { login: true, consent: true, none: false }));
        for bad in ["none login", "login none", "create", "", "login  consent", "NONE"] {
            assert_eq!(Prompt::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn max_age_is_digits_only() {
        assert_eq!(seconds("0"), Some(0));
        for bad in ["-1", "+1", "1.0", "1e3", " 1", "99999999999999999999"] {
            assert_eq!(seconds(bad), None, "{bad:?}");
        }
    }
}
