//! What a `request_uri` of this server stands for (RFC 9126).

use serde::{Deserialize, Serialize};

use crate::params::Params;

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
