//! `RS256`: RSASSA-PKCS1-v1_5 using SHA-256 (RFC 7518 §3.3, RFC 8017 §8.2).

use rand_core::CryptoRng;
use sha2::Sha256;

use super::key::InvalidSignature;
use super::rsa_key::{PrivateKey, PublicKey};

/// An RSA key that signs with `RS256`.
pub use super::rsa_key::PrivateKey as SigningKey;

/// Checks a JWS signature over `input`.
pub fn verify(key: &PublicKey, input: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
    // "If the length of the signature S is not k octets, output 'invalid signature' and stop" (RFC 8017 §8.2.2).
    if signature.len() != key.modulus_len() {
        return Err(InvalidSignature);
    }
    key.inner().pkcs1v15_verify::<Sha256>(input, signature).map_err(|_| InvalidSignature)
}

/// Signs `input`. The scheme is deterministic; `rng` only blinds the private operation against timing.
pub fn sign<R: CryptoRng + ?Sized>(key: &PrivateKey, rng: &mut R, input: &[u8]) -> Option<Vec<u8>> {
    key.inner().pkcs1v15_sign_with_rng::<Sha256, _>(rng, input).ok()
}
