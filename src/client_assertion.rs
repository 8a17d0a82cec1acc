//! `private_key_jwt`: client assertions (RFC 7523 §3, OIDC Core §9).

use rand_core::CryptoRng;

use crate::client::Client;
use crate::client_keys::ClientKeysError;
use crate::host::Host;
use crate::replay::ReplayClaim;
use crate::server::Context;

/// Why an assertion proves nothing. The client is not told which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// It is not signed as it must be.
    #[error(transparent)]
    Signature(#[from] ClientKeysError),
}

/// Whom an assertion claims to be from: its `sub`, to be believed only once [`verify`] has said so.
pub fn claimed_client_id(_assertion: &str) -> Option<String> {
    None
}

/// Verifies an assertion of this client. Its `jti` is still to be claimed.
pub async fn verify(
    _cx: &Context<'_, impl Host, impl CryptoRng>,
    _client: &Client,
    _assertion: &str,
) -> Result<ReplayClaim, AssertionError> {
    Err(ClientKeysError::NoKeys("none".to_owned()).into())
}
