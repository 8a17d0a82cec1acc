//! The server's signing keys, as far as the engine knows them: names and public halves.

use crate::jose::{Algorithm, Jwk, JwkSet};

/// The active keys, in order of preference.
#[derive(Clone, Debug)]
pub struct ServerKeys {
    signing: Vec<(String, Algorithm)>,
    public: JwkSet,
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
    /// A JWK has no `alg`.
    #[error("the signing key `{0}` has no `alg`")]
    NoAlgorithm(String),
    /// Two keys share a `kid`.
    #[error("two signing keys are named `{0}`")]
    SameKid(String),
    /// No key signs with an algorithm that is needed.
    #[error("no signing key for {0}, which {1}")]
    Missing(Algorithm, &'static str),
}

impl ServerKeys {
    /// The keys with these public JWKs (JSON objects with `kid` and `alg`).
    pub fn from_public_jwks<'a>(jwks: impl IntoIterator<Item = &'a str>) -> Result<Self, KeysError> {
        let mut signing: Vec<(String, Algorithm)> = Vec::new();
        let mut public = Vec::new();
        for text in jwks {
            let jwk = Jwk::from_json(text.as_bytes())
                .map_err(|error| KeysError::Unusable(signing.len().to_string(), error.to_string()))?;
            let kid = jwk.kid().ok_or(KeysError::NoKid)?.to_owned();
            let alg = jwk.algorithm().ok_or_else(|| KeysError::NoAlgorithm(kid.clone()))?;
            if signing.iter().any(|(other, _)| *other == kid) {
                return Err(KeysError::SameKid(kid));
            }
            signing.push((kid, alg));
            public.push(jwk);
        }
        Ok(Self { signing, public: JwkSet::new(public) })
    }

    /// The `kid` of the key that signs with this algorithm.
    pub fn kid(&self, alg: Algorithm) -> Option<&str> {
        self.signing.iter().find(|(_, own)| own.agrees_with(alg)).map(|(kid, _)| kid.as_str())
    }

    /// The algorithms there are keys for, without repetition.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        Algorithm::ALL.iter().copied().filter(|alg| self.kid(*alg).is_some()).collect()
    }

    /// The public keys: the server's JWK Set, and what its own tokens are verified with.
    pub fn public(&self) -> &JwkSet {
        &self.public
    }
}
