//! Resource indicators (RFC 8707).

use rand_core::CryptoRng;

use crate::client::Client;
use crate::config::Config;
use crate::host::{Host, HostError};
use crate::params::Params;
use crate::server::Context;

/// Why the resources asked for are not granted: `invalid_target` (§2), or a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceError {
    /// A `resource` is no absolute URI without a fragment, or not one this client may ask for.
    InvalidTarget,
    /// The policy did not answer.
    Host(HostError),
}

/// The resources of an authorization request, or of a token request without one before it: each a URI this server issues
/// tokens for, which this client may ask for. Empty where none was asked for: then the default audience is meant.
pub async fn requested(
    _cx: &Context<'_, impl Host, impl CryptoRng>,
    _client: &Client,
    _params: &Params,
) -> Result<Vec<String>, ResourceError> {
    Ok(Vec::new())
}

/// The resources of a token request whose grant is for `granted`: some of those, never others (§2.2); all of them where
/// none is named.
pub fn narrowed(
    _granted: &[String],
    _params: &Params,
    _config: &Config,
) -> Result<Vec<String>, ResourceError> {
    Ok(Vec::new())
}
