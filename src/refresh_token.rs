//! Refresh tokens (RFC 6749 §1.5, §6), which come in families: all that descend from one authorization.
//!
//! A client that loses the answer to a rotation must be able to ask again and get the *same* successor, or its next
//! request would look like theft. So a successor is derived, from the token presented and a salt the family shares:
//! whoever holds the one and is answered by a server that holds the other gets the same, however often and however
//! concurrently; the salt alone, which is all a store knows beside digests, opens nothing.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::authentication::Authentication;
use crate::confirmation::Confirmation;
use crate::secret::Secret;

/// The grant behind a refresh token, the same for its whole family. A store keeps its encoding and need not understand
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshGrant {
    /// Whom the tokens are about.
    pub sub: String,
    /// The scope that was granted. A refresh "MUST NOT include any scope not originally granted" (RFC 6749 §6).
    pub scope: String,
    /// The resources that were granted (RFC 8707 §2.2); none is the default audience.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// The key the tokens of a public client are bound to (RFC 9449 §5, RFC 8705 §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// How the resource owner had authenticated.
    #[serde(flatten)]
    pub authentication: Authentication,
    /// When the family ends, however often its tokens are used: seconds since the Unix epoch.
    pub family_expires_at: u64,
    /// What successors are derived with, beside the token presented.
    pub salt: String,
}

/// 128 random bits: the name of a family, or its salt.
pub(crate) fn random_id(rng: &mut impl CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    Base64UrlUnpadded::encode_string(&bytes)
}

impl RefreshGrant {
    /// The one successor of `presented`: HMAC-SHA256 under the presented token, whose 256 bits of entropy it inherits.
    pub fn successor(&self, presented: &Secret<String>) -> Secret<String> {
        const PURPOSE: &[u8] = b"attesto refresh token successor\0";
        // HMAC takes keys of any length (RFC 2104 §2); the error is of other MACs.
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(presented.expose().as_bytes()) else {
            return Secret::new(String::new());
        };
        let tag = mac.chain_update(PURPOSE).chain_update(self.salt.as_bytes()).finalize().into_bytes();
        Secret::new(Base64UrlUnpadded::encode_string(&tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(salt: &str) -> RefreshGrant {
        RefreshGrant {
            sub: "usr_1".into(),
            scope: "openid offline_access".into(),
            resources: vec![],
            cnf: None,
            authentication: Authentication { auth_time: 1, acr: None, amr: vec![], sid: None },
            family_expires_at: 2,
            salt: salt.into(),
        }
    }

    fn successor(salt: &str, presented: &str) -> String {
        grant(salt).successor(&Secret::new(presented.to_owned())).expose().clone()
    }

    #[test]
    fn a_token_has_one_successor_which_neither_salt_nor_token_alone_gives() {
        let one = successor("salt", "token");
        assert_eq!(one, successor("salt", "token"));
        assert_eq!(one.len(), 43);
        assert_ne!(one, successor("salt", "other"));
        assert_ne!(one, successor("pepper", "token"));
        assert_ne!(one, successor("salt", &one));
    }

    #[test]
    fn a_grant_survives_its_encoding() {
        let encoded = serde_json::to_vec(&grant("s")).expect("JSON");
        assert_eq!(serde_json::from_slice::<RefreshGrant>(&encoded).expect("a grant"), grant("s"));
    }
}
