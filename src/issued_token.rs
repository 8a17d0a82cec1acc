//! A token this server issued, found again: what revocation (RFC 7009) and introspection (RFC 7662) start from.

use rand_core::CryptoRng;

use crate::host::{Host, HostError, StoredRefreshToken};
use crate::jose::NumericDate;
use crate::refresh_token::RefreshGrant;
use crate::secret::Secret;
use crate::server::Context;
use crate::verifier::{self, Verified};

/// A token that is genuine and has not expired. Whether it is revoked is another question.
#[derive(Debug)]
pub(crate) enum IssuedToken {
    /// An access token (RFC 9068).
    Access(Box<Verified>),
    /// A refresh token of a family that lives.
    Refresh {
        /// As it is stored.
        token: StoredRefreshToken,
        /// Another took its place.
        rotated: bool,
        /// What it stands for.
        grant: Box<RefreshGrant>,
    },
}

impl IssuedToken {
    /// The client it was issued to.
    pub(crate) fn client_id(&self) -> &str {
        match self {
            Self::Access(token) => &token.client_id,
            Self::Refresh { token, .. } => &token.client_id,
        }
    }

    /// Whom it is about.
    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::Access(token) => &token.subject,
            Self::Refresh { token, .. } => &token.subject,
        }
    }

    /// The value of `token_type_hint` that fits (RFC 7009 §2.1).
    pub(crate) fn type_hint(&self) -> &'static str {
        match self {
            Self::Access(_) => "access_token",
            Self::Refresh { .. } => "refresh_token",
        }
    }
}

/// Finds the token. "If the server is unable to locate the token using the given hint, it MUST extend its search across
/// all of its supported token types" (RFC 7009 §2.1, RFC 7662 §2.1). The two types can not be mistaken for each other –
/// a JWT has dots, a refresh token has none – so `token_type_hint` has nothing to add and is not looked at.
pub(crate) async fn find(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    token: &Secret<String>,
) -> Result<Option<IssuedToken>, HostError> {
    if token.expose().contains('.') {
        let server = cx.server;
        let now = NumericDate::from_secs(cx.now);
        let policy = &server.issued_policy;
        let verified = verifier::verify_token(token.expose(), policy, server.keys.public(), now).ok();
        return Ok(verified.map(|verified| IssuedToken::Access(Box::new(verified))));
    }
    let Some(found) = cx.host.peek_refresh_token(&token.digest(), cx.now).await? else { return Ok(None) };
    let grant = serde_json::from_slice(&found.token.grant)
        .map_err(|error| HostError(format!("a refresh token's grant is not readable: {error}")))?;
    Ok(Some(IssuedToken::Refresh { token: found.token, rotated: found.rotated, grant: Box::new(grant) }))
}
