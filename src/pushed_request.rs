//! What a `request_uri` of this server stands for (RFC 9126).

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::host::{Host, HostError, StoredPushedRequest};
use crate::params::Params;
use crate::secret::Secret;
use crate::server::Context;

/// A validated authorization request, kept until it is completed. A store keeps its encoding and need not understand it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedRequest {
    /// Its parameters, encoded; without credentials, and those of a signed request object alone where there was one
    /// (RFC 9101 §6.3).
    pub parameters: String,
    /// When it was made, seconds since the Unix epoch.
    pub pushed_at: u64,
    /// Whether the parameters are those of a verified request object.
    #[serde(default)]
    pub signed: bool,
    /// The thumbprint of the key whose proof came with the push (RFC 9449 §10.1), or that `dpop_jkt` named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
}

impl PushedRequest {
    /// "urn:ietf:params:oauth:request_uri:" (RFC 9126 §2.2); what follows is a reference nobody guesses.
    pub const URN: &'static str = "urn:ietf:params:oauth:request_uri:";

    /// The parameters. What this server has encoded it can decode; anything else is no request.
    pub fn params(&self) -> Option<Params> {
        Params::parse(self.parameters.as_bytes()).ok()
    }
}

/// A `request_uri`, and the stored request it refers to.
#[derive(Debug)]
pub struct Reference {
    request_uri: Secret<String>,
    /// The client the request is of: "The request URI MUST be bound to the client that posted the authorization request"
    /// (RFC 9126 §2.2).
    pub client_id: String,
    /// The request.
    pub request: PushedRequest,
}

impl Reference {
    /// Keeps a request of this client for `ttl` seconds, behind a new `request_uri`: "it MUST contain some part generated
    /// using a cryptographically strong pseudorandom algorithm" (RFC 9126 §2.2).
    pub async fn keep(
        cx: &mut Context<'_, impl Host, impl CryptoRng>,
        client: &Client,
        request: PushedRequest,
        ttl: u64,
    ) -> Result<Self, HostError> {
        let random = Secret::random(cx.rng);
        let request_uri = Secret::new(format!("{}{}", PushedRequest::URN, random.expose()));
        let encoded = serde_json::to_vec(&request)
            .map_err(|error| HostError(format!("a pushed request does not serialize: {error}")))?;
        let stored = StoredPushedRequest {
            digest: request_uri.digest(),
            client_id: client.client_id.clone(),
            expires_at: cx.now.saturating_add(ttl),
            request: encoded,
        };
        cx.host.put_pushed_request(stored).await?;
        Ok(Self { request_uri, client_id: client.client_id.clone(), request })
    }

    /// Finds what a `request_uri` of this server refers to, without consuming it: the person may have to sign in, and comes
    /// back. `None` where it is unknown, expired or taken.
    pub async fn find(
        cx: &Context<'_, impl Host, impl CryptoRng>,
        request_uri: &str,
    ) -> Result<Option<Self>, HostError> {
        let request_uri = Secret::new(request_uri.to_owned());
        let Some(stored) = cx.host.fetch_pushed_request(&request_uri.digest(), cx.now).await? else {
            return Ok(None);
        };
        let request = serde_json::from_slice(&stored.request)
            .map_err(|error| HostError(format!("a pushed request is not readable: {error}")))?;
        Ok(Some(Self { request_uri, client_id: stored.client_id, request }))
    }

    /// Takes the request, once; `false` where it has expired or another has taken it.
    pub async fn take(&self, cx: &Context<'_, impl Host, impl CryptoRng>) -> Result<bool, HostError> {
        cx.host.take_pushed_request(&self.request_uri.digest(), cx.now).await
    }

    /// The `request_uri`.
    pub fn request_uri(&self) -> &str {
        self.request_uri.expose()
    }
}
