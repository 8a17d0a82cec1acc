//! The engine's host, as the parts provide it.

mod clients;
mod keystore;
mod people;
mod rules;

use attesto::host::{
    CodeStore, ConsentGrantStore, Consumption, Finalization, FoundCode, FoundRefreshToken, HostError,
    IssuedTokens, Redemption, RefreshStore, Rotation, StoredCode, StoredRefreshToken,
};
use attesto::secret::Digest;

use crate::bindings::attesto::stores;

/// The composed parts. They keep their own state; here is none.
#[derive(Debug)]
pub(crate) struct Parts;

/// A part's `unavailable`, whichever part it is of.
pub(crate) struct HostErrorOf(HostError);

pub(crate) fn failed(error: impl Into<HostErrorOf>) -> HostError {
    error.into().0
}

impl From<stores::types::Error> for HostErrorOf {
    fn from(stores::types::Error::Unavailable(cause): stores::types::Error) -> Self {
        Self(HostError(cause))
    }
}

impl CodeStore for Parts {
    async fn put_code(&self, code: StoredCode) -> Result<(), HostError> {
        let code = stores::code_store::Code {
            digest: code.digest.as_bytes().to_vec(),
            client_id: code.client_id,
            subject: code.subject,
            expires_at: code.expires_at,
            grant: code.grant,
        };
        stores::code_store::put(code).await.map_err(failed)
    }

    async fn peek_code(&self, digest: &Digest, now: u64) -> Result<Option<FoundCode>, HostError> {
        let found = stores::code_store::peek(digest.as_bytes().to_vec(), now).await.map_err(failed)?;
        Ok(found.map(|stores::code_store::Found { code, redeemed }| FoundCode {
            code: StoredCode {
                digest: *digest,
                client_id: code.client_id,
                subject: code.subject,
                expires_at: code.expires_at,
                grant: code.grant,
            },
            redeemed,
        }))
    }

    async fn redeem_code(&self, digest: &Digest, now: u64) -> Result<Redemption, HostError> {
        use stores::code_store::Redemption as Wit;
        Ok(match stores::code_store::redeem(digest.as_bytes().to_vec(), now).await.map_err(failed)? {
            Wit::Redeemed => Redemption::Redeemed,
            Wit::Replayed(issued) => Redemption::Replayed(issued.map(|issued| IssuedTokens {
                jti: issued.jti,
                jti_expires_at: issued.jti_expires_at,
                family: issued.family,
                expires_at: issued.expires_at,
            })),
            Wit::Unknown => Redemption::Unknown,
        })
    }

    async fn finalize_code(&self, digest: &Digest, issued: &IssuedTokens) -> Result<Finalization, HostError> {
        use stores::code_store::{Finalization as Wit, Issued, finalize};
        let issued = Issued {
            jti: issued.jti.clone(),
            jti_expires_at: issued.jti_expires_at,
            family: issued.family.clone(),
            expires_at: issued.expires_at,
        };
        Ok(match finalize(digest.as_bytes().to_vec(), issued).await.map_err(failed)? {
            Wit::Finalized => Finalization::Finalized,
            Wit::Replayed => Finalization::Replayed,
        })
    }
}

impl RefreshStore for Parts {
    async fn put_refresh_token(&self, token: StoredRefreshToken) -> Result<(), HostError> {
        stores::refresh_store::put(refresh_token_out(token)).await.map_err(failed)
    }

    async fn peek_refresh_token(
        &self,
        digest: &Digest,
        now: u64,
    ) -> Result<Option<FoundRefreshToken>, HostError> {
        let found = stores::refresh_store::peek(digest.as_bytes().to_vec(), now).await.map_err(failed)?;
        Ok(found.map(|stores::refresh_store::Found { token, rotated }| FoundRefreshToken {
            token: StoredRefreshToken {
                digest: *digest,
                family: token.family,
                client_id: token.client_id,
                subject: token.subject,
                expires_at: token.expires_at,
                grant: token.grant,
            },
            rotated,
        }))
    }

    async fn rotate_refresh_token(
        &self,
        digest: &Digest,
        successor: StoredRefreshToken,
        grace: u64,
        now: u64,
    ) -> Result<Rotation, HostError> {
        use stores::refresh_store::{Rotation as Wit, rotate};
        let digest = digest.as_bytes().to_vec();
        let rotation = rotate(digest, refresh_token_out(successor), grace, now).await.map_err(failed)?;
        Ok(match rotation {
            Wit::Rotated => Rotation::Rotated,
            Wit::Retried => Rotation::Retried,
            Wit::Reused(_) => Rotation::Reused,
            Wit::Revoked => Rotation::Revoked,
            Wit::Unknown => Rotation::Unknown,
        })
    }

    async fn extend_refresh_token(&self, digest: &Digest, expires_at: u64) -> Result<(), HostError> {
        stores::refresh_store::extend(digest.as_bytes().to_vec(), expires_at).await.map_err(failed)
    }

    async fn revoke_family(&self, family: &str, expires_at: u64) -> Result<(), HostError> {
        stores::refresh_store::revoke_family(family.to_owned(), expires_at).await.map_err(failed)
    }
}

fn refresh_token_out(token: StoredRefreshToken) -> stores::refresh_store::RefreshToken {
    stores::refresh_store::RefreshToken {
        digest: token.digest.as_bytes().to_vec(),
        family: token.family,
        client_id: token.client_id,
        subject: token.subject,
        expires_at: token.expires_at,
        grant: token.grant,
    }
}

impl ConsentGrantStore for Parts {
    async fn mint_consent_grant(
        &self,
        token: &Digest,
        binding: &Digest,
        expires_at: u64,
    ) -> Result<(), HostError> {
        let (token, binding) = (token.as_bytes().to_vec(), binding.as_bytes().to_vec());
        stores::consent_grant_store::mint(token, binding, expires_at).await.map_err(failed)
    }

    async fn consume_consent_grant(
        &self,
        token: &Digest,
        binding: &Digest,
        now: u64,
    ) -> Result<Consumption, HostError> {
        use stores::consent_grant_store::{Consumption as Wit, consume};
        let (token, binding) = (token.as_bytes().to_vec(), binding.as_bytes().to_vec());
        Ok(match consume(token, binding, now).await.map_err(failed)? {
            Wit::Consumed => Consumption::Consumed,
            Wit::Unknown => Consumption::Unknown,
            Wit::Expired => Consumption::Expired,
            Wit::BindingMismatch => Consumption::BindingMismatch,
            Wit::AlreadyConsumed => Consumption::AlreadyConsumed,
        })
    }
}
