//! ID tokens (OIDC Core §2).

use rand_core::CryptoRng;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha512};

use crate::authentication::Authentication;
use crate::host::Host;
use crate::jose::{Algorithm, base64url};
use crate::server::Context;

/// Claims that only the protocol sets.
const PROTOCOL_CLAIMS: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "sid",
];

/// What an ID token says.
#[derive(Debug)]
pub struct IdToken<'a> {
    /// The client it is for.
    pub client_id: &'a str,
    /// Whom it is about.
    pub sub: &'a str,
    /// How they had authenticated.
    pub authentication: &'a Authentication,
    /// OIDC Core §3.1.2.1 `nonce`.
    pub nonce: Option<&'a str>,
    /// The access token delivered with it.
    pub access_token: &'a str,
    /// Further claims.
    pub claims: Map<String, Value>,
}

impl IdToken<'_> {
    /// The signed token. The error is for the log.
    pub async fn sign(
        self,
        cx: &Context<'_, impl Host, impl CryptoRng>,
        alg: Algorithm,
    ) -> Result<String, String> {
        let config = &cx.server.config;
        // Registration is the operator's or was refused with what the metadata offers; either way the client is not to
        // blame for a key that is not there.
        if cx.server.keys.kid(alg).is_none() {
            return Err(format!(
                "client `{}` is registered for ID tokens signed with {alg}, and the keystore has no active key for it",
                self.client_id
            ));
        }
        let mut claims = self.claims;
        if let Some(name) = PROTOCOL_CLAIMS.iter().find(|name| claims.contains_key(**name)) {
            return Err(format!("people: an ID token must not be given the claim `{name}`"));
        }
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        set("iss", config.issuer.as_str().into());
        set("sub", self.sub.into());
        set("aud", self.client_id.into());
        set("iat", cx.now.into());
        set("exp", cx.now.saturating_add(config.id_token_ttl).into());
        set("at_hash", at_hash(alg, self.access_token).into());
        // "If present in the Authentication Request, Authorization Servers MUST include a nonce Claim in the ID Token".
        if let Some(nonce) = self.nonce {
            set("nonce", nonce.into());
        }
        if let Some(sid) = &self.authentication.sid {
            set("sid", sid.as_str().into());
        }
        self.authentication.add_to(&mut claims);
        cx.sign(alg, "JWT", &claims).await
    }
}

/// "the base64url encoding of the left-most half of the hash of the octets of the ASCII representation of the
/// `access_token` value, where the hash algorithm used is the hash algorithm used in the `alg` Header Parameter"
/// (OIDC Core §3.1.3.6).
fn at_hash(alg: Algorithm, access_token: &str) -> String {
    match alg {
        Algorithm::Es256 | Algorithm::Ps256 | Algorithm::Rs256 => left_half::<Sha256>(access_token),
        // Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
        Algorithm::Ed25519 | Algorithm::EdDsa => left_half::<Sha512>(access_token),
    }
}

fn left_half<D: Digest>(text: &str) -> String {
    let hash = D::digest(text.as_bytes());
    let (left, _) = hash.split_at(hash.len() / 2);
    base64url::encode(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_access_token_hash_of_oidc_core_appendix_a_3_is_met() {
        let at = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(Algorithm::Rs256, at), "77QmUPtjPfzWtF2AnpK9RQ");
    }

    /// The second value is Python's `hashlib.sha512(at).digest()[:32]`.
    #[test]
    fn the_access_token_hash_is_of_the_algorithm_s_own_hash_function() {
        let at = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        for alg in Algorithm::ALL {
            let expected = match alg {
                Algorithm::Es256 | Algorithm::Ps256 | Algorithm::Rs256 => "77QmUPtjPfzWtF2AnpK9RQ",
                Algorithm::Ed25519 | Algorithm::EdDsa => "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM",
            };
            assert_eq!(at_hash(*alg, at), expected, "{alg}");
        }
    }
}
