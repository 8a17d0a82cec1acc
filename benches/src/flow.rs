//! What is measured: three flows, each against a server in whose hands everything is that they need.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::client::{Connection, text};
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
}

impl Flow {
    pub(crate) const ALL: [Self; 3] = [Self::ClientCredentials, Self::RefreshToken, Self::Code];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::Code => "code flow",
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
}

impl<'a> Worker<'a> {
    /// Connects; where the flow has a person in it, that person signs in and agrees now.
    pub(crate) async fn new(flow: Flow, server: &'a Server) -> Result<Self> {
        let connection = Connection::open(server.port).await?;
        let mut worker =
            Self { flow, server, connection, person: Person::default(), refresh_token: String::new() };
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
                let request = self.code_request();
                let answer = self.connection.get(&request, &self.person.cookies()).await?;
                self.person.keep(&answer);
                let location = answer.location().unwrap_or_default();
                let code = code(location).with_context(|| format!("no code but {}", answer.shown()))?;
                self.redeem(&code).await
            }
        }
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
        let fields = [
            ("grant_type", "authorization_code"),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
            ("code", code),
        ];
        self.token(&fields).await
    }

    async fn token(&mut self, fields: &[(&str, &str)]) -> Result<Value> {
        self.connection.token(&self.server.token, &self.server.authorization, fields).await
    }
}

/// The code in the answer at the client's redirect URI.
fn code(location: &str) -> Option<String> {
    let query = location.strip_prefix(REDIRECT_URI)?.strip_prefix('?')?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "code")
        .map(|(_, code)| code.into_owned())
}
