//! `PS256`: RSASSA-PSS using SHA-256 and MGF1 with SHA-256 (RFC 7518 §3.5, RFC 8017 §8.1).

use rand_core::CryptoRng;
use sha2::Sha256;

use super::key::InvalidSignature;
use super::rsa_key::{PrivateKey, PublicKey};

/// An RSA key that signs with `PS256`.
pub use super::rsa_key::PrivateKey as SigningKey;

/// Checks a JWS signature over `input`. "The size of the salt value is the same size as the hash function output"
/// (RFC 7518 §3.5): another size is refused, not detected.
pub fn verify(key: &PublicKey, input: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
    // "If the length of the signature S is not k octets, output 'invalid signature' and stop" (RFC 8017 §8.1.2).
    if signature.len() != key.modulus_len() {
        return Err(InvalidSignature);
    }
    key.inner().pss_verify::<Sha256>(input, signature).map_err(|_| InvalidSignature)
}

/// Signs `input`. `rng` gives the salt and blinds the private operation against timing.
pub fn sign<R: CryptoRng + ?Sized>(key: &PrivateKey, rng: &mut R, input: &[u8]) -> Option<Vec<u8>> {
    key.inner().pss_sign_with_rng::<Sha256, _>(rng, input).ok()
}
