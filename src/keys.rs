//! The server's signing keys, as far as the engine knows them: names and public halves.

use crate::jose::{Algorithm, Jwk, JwkSet};

/// The keys there are: those that sign, in order of preference, and the public halves of all.
#[derive(Clone, Debug)]
pub struct ServerKeys {
    signing: Vec<(String, Algorithm)>,
    /// The algorithm of every key, whether it signs or not.
    published: Vec<Algorithm>,
    public: JwkSet,
}

/// A key, as the keystore shows it.
#[derive(Clone, Copy, Debug)]
pub struct ServerKey<'a> {
    /// The public JWK, a JSON object with `kid`.
    pub public_jwk: &'a str,
    /// The JWS algorithm the key is for.
    pub alg: &'a str,
    /// Whether it signs. The others are published: successors ahead of their use, and predecessors until the last token
    /// they signed has expired.
    pub is_active: bool,
}

/// The keys of the keystore can not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// A public JWK is not one this server can use.
    #[error("the public JWK of key `{0}` is not usable: {1}")]
    Unusable(String, String),
    /// A JWK has no `kid`.
    #[error("a signing key has no `kid`")]
    NoKid,
    /// The algorithm is unknown, or not one for this kind of key.
    #[error("the key `{0}` is not for `{1}`")]
    WrongAlgorithm(String, String),
    /// Two keys share a `kid`.
    #[error("two signing keys are named `{0}`")]
    SameKid(String),
    /// No key signs with an algorithm that is needed.
    #[error("no active key for {0}, which {1}")]
    Missing(Algorithm, &'static str),
}

impl ServerKeys {
    /// The keys, in order of preference.
    pub fn new<'a>(keys: impl IntoIterator<Item = ServerKey<'a>>) -> Result<Self, KeysError> {
        let (mut signing, mut published) = (Vec::new(), Vec::new());
        let mut public: Vec<Jwk> = Vec::new();
        for ServerKey { public_jwk, alg, is_active } in keys {
            let jwk = Jwk::from_json(public_jwk.as_bytes())
                .map_err(|error| KeysError::Unusable(public.len().to_string(), error.to_string()))?;
            let kid = jwk.kid().ok_or(KeysError::NoKid)?.to_owned();
            let wrong = || KeysError::WrongAlgorithm(kid.clone(), alg.to_owned());
            let alg = alg.parse().ok().filter(|alg| jwk.admits(*alg)).ok_or_else(wrong)?;
            if public.iter().any(|other| other.kid() == jwk.kid()) {
                return Err(KeysError::SameKid(kid));
            }
            if is_active {
                signing.push((kid, alg));
            }
            published.push(alg);
            public.push(jwk);
        }
        Ok(Self { signing, published, public: JwkSet::new(public) })
    }

    /// The `kid` of the key that signs with this algorithm, by either name of Ed25519.
    pub fn kid(&self, alg: Algorithm) -> Option<&str> {
        self.signing.iter().find(|(_, own)| own.agrees_with(alg)).map(|(kid, _)| kid.as_str())
    }

    /// The algorithms there are active keys for, by all their names.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        Algorithm::ALL.iter().copied().filter(|alg| self.kid(*alg).is_some()).collect()
    }

    /// The algorithms there are keys for, by all their names: what a token of the server's own may be signed with. One it
    /// signed before its key was retired is among them until that key goes.
    pub fn published_algorithms(&self) -> Vec<Algorithm> {
        let is_published = |alg: &Algorithm| self.published.iter().any(|own| own.agrees_with(*alg));
        Algorithm::ALL.iter().copied().filter(is_published).collect()
    }

    /// The public keys: the server's JWK Set, and what its own tokens are verified with. Retired ones are among them.
    pub fn public(&self) -> &JwkSet {
        &self.public
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of RFC 7517 A.1 and RFC 8037 A.2.
    const EC: &str = r#"{"kty":"EC","crv":"P-256","kid":"ec","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
    const OKP: &str =
        r#"{"kty":"OKP","crv":"Ed25519","kid":"okp","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn key<'a>(public_jwk: &'a str, alg: &'a str, is_active: bool) -> ServerKey<'a> {
        ServerKey { public_jwk, alg, is_active }
    }

    #[test]
    fn a_key_that_is_not_active_is_published_and_does_not_sign() {
        let keys = ServerKeys::new([key(EC, "ES256", false), key(OKP, "Ed25519", true)]).unwrap();
        assert_eq!(keys.public().keys().len(), 2);
        assert_eq!(keys.kid(Algorithm::Es256), None);
        assert_eq!(keys.algorithms(), [Algorithm::Ed25519, Algorithm::EdDsa]);
        assert_eq!(keys.published_algorithms(), [Algorithm::Es256, Algorithm::Ed25519, Algorithm::EdDsa]);
    }

    #[test]
    fn an_ed25519_key_signs_under_both_names() {
        for name in ["Ed25519", "EdDSA"] {
            let keys = ServerKeys::new([key(OKP, name, true)]).unwrap();
            assert_eq!(keys.kid(Algorithm::Ed25519), Some("okp"));
            assert_eq!(keys.kid(Algorithm::EdDsa), Some("okp"));
        }
    }

    #[test]
    fn what_the_keystore_says_must_hold_together() {
        let refused = |keys: &[ServerKey<'_>]| ServerKeys::new(keys.iter().copied()).unwrap_err();
        for alg in ["RS256", "none", ""] {
            let error = KeysError::WrongAlgorithm("ec".into(), alg.into());
            assert_eq!(refused(&[key(EC, alg, true)]), error);
        }
        let twice = [key(EC, "ES256", true), key(EC, "ES256", false)];
        assert_eq!(refused(&twice), KeysError::SameKid("ec".into()));
        let nameless = EC.replace(r#""kid":"ec","#, "");
        assert_eq!(refused(&[key(&nameless, "ES256", true)]), KeysError::NoKid);
        assert!(matches!(refused(&[key("{}", "ES256", true)]), KeysError::Unusable(..)));
        let private = EC.replace(r#""kid""#, r#""d":"AQAB","kid""#);
        assert!(matches!(refused(&[key(&private, "ES256", true)]), KeysError::Unusable(..)));
    }
}
