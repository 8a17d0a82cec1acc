//! What is measured: four flows, each against a server in whose hands everything is that they need.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use http::{HeaderName, StatusCode};
use serde_json::Value;

use crate::client::{Answer, Connection, text};
use crate::key_holder::{self, KeyHolder};
use crate::person::Person;
use crate::server::{REDIRECT_URI, SCOPE, Server};

/// RFC 7636 Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flow {
    ClientCredentials,
    RefreshToken,
    Code,
    Fapi,
}

impl Flow {
    pub(crate) const ALL: [Self; 4] = [Self::ClientCredentials, Self::RefreshToken, Self::Code, Self::Fapi];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::Code => "code flow",
            Self::Fapi => "FAPI code flow",
        }
    }

    /// What one measured operation is.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::ClientCredentials => "one token request: client secret checked, an access token signed",
            Self::RefreshToken => {
                "one token request: client secret checked, the refresh token rotated, an access token and an ID token signed"
            }
            Self::Code => {
                "two requests: the authorization request of a person who is signed in and has agreed before, \
                 answered with a code; and its redemption, with PKCE and the client secret, for an access token and an ID token"
            }
            Self::Fapi => {
                "three requests: the same with the request pushed ahead, a private_key_jwt assertion instead of the secret, \
                 and DPoP: four ES256 signatures to check and two to make"
            }
        }
    }
}

/// One client that repeats a flow over a connection of its own.
pub(crate) struct Worker<'a> {
    flow: Flow,
    server: &'a Server,
    connection: Connection,
    person: Person,
    refresh_token: String,
    keys: KeyHolder,
}

impl<'a> Worker<'a> {
    /// Connects; where the flow has a person in it, that person signs in and agrees now.
    pub(crate) async fn new(flow: Flow, server: &'a Server) -> Result<Self> {
        static WORKERS: AtomicU64 = AtomicU64::new(0);
        let connection = Connection::open(server.port).await?;
        let keys = KeyHolder::new(server.origin(), WORKERS.fetch_add(1, Ordering::Relaxed))?;
        let (person, refresh_token) = (Person::default(), String::new());
        let mut worker = Self { flow, server, connection, person, refresh_token, keys };
        match flow {
            Flow::ClientCredentials => {}
            Flow::RefreshToken => {
                let scope = format!("openid offline_access {SCOPE}");
                // OpenID Connect Core §11 wants the prompt wherever offline access is asked for.
                let request = server.authorization_request(&scope, CHALLENGE, &[("prompt", "consent")]);
                let tokens = worker.sign_in(&request).await?;
                text(&tokens, "refresh_token")?.clone_into(&mut worker.refresh_token);
            }
            Flow::Code => {
                worker.sign_in(&worker.code_request()).await?;
            }
            Flow::Fapi => {
                let request = worker.push().await?;
                let origin = server.origin();
                let location = worker.person.authorize(&mut worker.connection, &origin, &request).await?;
                let code = code(&location).with_context(|| format!("no code in {location}"))?;
                worker.redeem_with_key(&code).await?;
            }
        }
        Ok(worker)
    }

    /// The server closes what idles too long: connects anew.
    pub(crate) async fn reconnect(&mut self) -> Result<()> {
        self.connection = Connection::open(self.server.port).await?;
        Ok(())
    }

    /// Does it once, and returns the token response.
    pub(crate) async fn once(&mut self) -> Result<Value> {
        match self.flow {
            Flow::ClientCredentials => {
                self.token(&[("grant_type", "client_credentials"), ("scope", SCOPE)]).await
            }
            Flow::RefreshToken => {
                let token = std::mem::take(&mut self.refresh_token);
                let tokens =
                    self.token(&[("grant_type", "refresh_token"), ("refresh_token", &token)]).await?;
                text(&tokens, "refresh_token")?.clone_into(&mut self.refresh_token);
                if self.refresh_token == token {
                    bail!("the refresh token was not rotated");
                }
                Ok(tokens)
            }
            Flow::Code => {
                let code = self.authorize(&self.code_request()).await?;
                self.redeem(&code).await
            }
            Flow::Fapi => {
                let request = self.push().await?;
                let code = self.authorize(&request).await?;
                let tokens = self.redeem_with_key(&code).await?;
                if tokens.get("token_type").and_then(Value::as_str) != Some("DPoP") {
                    bail!("the token is not bound to the key");
                }
                Ok(tokens)
            }
        }
    }

    /// The code for a request of a person who is signed in and has agreed before.
    async fn authorize(&mut self, request: &str) -> Result<String> {
        let answer = self.connection.get(request, &self.person.cookies()).await?;
        self.person.keep(&answer);
        let location = answer.location().unwrap_or_default();
        code(location).with_context(|| format!("no code but {}", answer.shown()))
    }

    /// Pushes the authorization request (RFC 9126 §2.1); answers with where the person is to be sent.
    async fn push(&mut self) -> Result<String> {
        let scope = format!("openid {SCOPE}");
        let parameters = self.server.authorization_parameters(key_holder::CLIENT_ID, &scope, CHALLENGE);
        let answer = self.post_with_key(&self.server.par.clone(), &parameters).await?;
        if answer.status != StatusCode::CREATED {
            bail!("a pushed request was answered with {}", answer.shown());
        }
        let pushed: Value = serde_json::from_slice(&answer.body)?;
        Ok(self.server.pushed_request(key_holder::CLIENT_ID, text(&pushed, "request_uri")?))
    }

    async fn redeem_with_key(&mut self, code: &str) -> Result<Value> {
        let answer = self.post_with_key(&self.server.token.clone(), &redemption(code)).await?;
        if answer.status != StatusCode::OK {
            bail!("a token request was answered with {}", answer.shown());
        }
        Ok(serde_json::from_slice(&answer.body)?)
    }

    async fn post_with_key(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let credentials = self.keys.credentials()?;
        let proof = self.keys.proof(path)?;
        let credentials = credentials.iter().map(|(name, value)| (*name, value.as_str()));
        let fields: Vec<_> = fields.iter().copied().chain(credentials).collect();
        self.connection.post(path, &[(HeaderName::from_static("dpop"), &proof)], &fields).await
    }

    fn code_request(&self) -> String {
        self.server.authorization_request(&format!("openid {SCOPE}"), CHALLENGE, &[])
    }

    async fn sign_in(&mut self, request: &str) -> Result<Value> {
        let location = self.person.authorize(&mut self.connection, &self.server.origin(), request).await?;
        let code = code(&location).with_context(|| format!("no code in {location}"))?;
        self.redeem(&code).await
    }

    async fn redeem(&mut self, code: &str) -> Result<Value> {
        self.token(&redemption(code)).await
    }

    async fn token(&mut self, fields: &[(&str, &str)]) -> Result<Value> {
        self.connection.token(&self.server.token, &self.server.authorization, fields).await
    }
}

/// The fields that redeem a code.
fn redemption(code: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
        ("code", code),
    ]
}

/// The code in the answer at the client's redirect URI.
fn code(location: &str) -> Option<String> {
    let query = location.strip_prefix(REDIRECT_URI)?.strip_prefix('?')?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "code")
        .map(|(_, code)| code.into_owned())
}
