//! Making a compact JWS whose private key is somewhere else.

use serde::Serialize;
use serde_json::json;

use super::{Algorithm, base64url};

/// The holder of private keys: a keystore component, a cloud's key service, a key in memory.
pub trait Signer {
    /// Why the holder could not sign.
    type Error;

    /// Signs `input` with the key named `kid` and gives the signature in its JWS form: for `ES256` and
    /// `Ed25519` the 64 octets R and S, for `PS256` and `RS256` as many octets as the modulus has.
    fn sign(&self, kid: &str, input: &[u8]) -> impl Future<Output = Result<Vec<u8>, Self::Error>>;
}

/// Why a token could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError<E> {
    /// The claims cannot be written as JSON.
    #[error("claims cannot be serialized")]
    Claims,
    /// The holder of the key gave a signature of another algorithm's size.
    #[error("signature has the wrong length")]
    WrongLength,
    /// The holder of the key could not sign.
    #[error("the signer failed")]
    Signer(E),
}

/// Signs `claims` as a JWT with the key `kid`, whose algorithm is `alg`, as a token of type `typ` (`at+jwt`, `JWT`, …).
pub async fn sign_jwt<S: Signer>(
    signer: &S,
    kid: &str,
    alg: Algorithm,
    typ: &str,
    claims: &impl Serialize,
) -> Result<String, SignError<S::Error>> {
    let payload = serde_json::to_vec(claims).map_err(|_| SignError::Claims)?;
    let input = SigningInput::new(alg, Some(kid), Some(typ), &payload);
    let signature = signer.sign(kid, input.as_bytes()).await.map_err(SignError::Signer)?;
    input.join(&signature).ok_or(SignError::WrongLength)
}

/// A token that lacks only its signature: "BASE64URL(UTF8(JWS Protected Header)) || '.' || BASE64URL(JWS Payload)"
/// (RFC 7515 §5.1).
#[derive(Clone, Debug)]
pub struct SigningInput {
    alg: Algorithm,
    text: String,
}

impl SigningInput {
    /// Joins a header of these parameters and `payload`.
    pub fn new(alg: Algorithm, kid: Option<&str>, typ: Option<&str>, payload: &[u8]) -> Self {
        let mut header = json!({ "alg": alg.name() });
        for (name, value) in [("kid", kid), ("typ", typ)] {
            if let (Some(value), Some(members)) = (value, header.as_object_mut()) {
                members.insert(name.to_owned(), value.into());
            }
        }
        let text = format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(payload));
        Self { alg, text }
    }

    /// What is to be signed.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Completes the token; `None` if `signature` cannot be one of the header's algorithm.
    pub fn join(self, signature: &[u8]) -> Option<String> {
        match self.alg.signature_len() {
            Some(len) if len != signature.len() => None,
            _ => Some(format!("{}.{}", self.text, base64url::encode(signature))),
        }
    }
}
