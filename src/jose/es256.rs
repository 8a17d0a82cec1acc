//! `ES256`: ECDSA using P-256 and SHA-256 (RFC 7518 §3.4), over EC keys (RFC 7518 §6.2).

use std::fmt;

use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::elliptic_curve::Generate as _;
use pkcs8::spki::SubjectPublicKeyInfoRef;
use pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding, PrivateKeyInfoRef};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::jwk::KeyError;
use super::key::InvalidSignature;

/// "The result of this … is a 64-octet sequence": R and S, 32 octets each, big endian (RFC 7518 §3.4).
pub const SIGNATURE_LEN: usize = 64;

/// Octets of a P-256 coordinate: the full size of a coordinate, leading zeros kept (RFC 7518 §6.2.1.2).
pub const COORDINATE_LEN: usize = 32;

/// A point on P-256.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(p256::ecdsa::VerifyingKey);

impl PublicKey {
    /// Takes the affine coordinates of a JWK, refusing a wrong length and a point that is not on the curve.
    pub fn from_coordinates(x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        if x.len() != COORDINATE_LEN || y.len() != COORDINATE_LEN {
            return Err(KeyError::WrongCoordinateLength);
        }
        // SEC 1 §2.3.3: 0x04 announces an uncompressed point.
        let point = [&[0x04], x, y].concat();
        p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).map(Self).map_err(|_| KeyError::NotOnCurve)
    }

    /// The affine coordinates x and y.
    pub fn coordinates(&self) -> (Vec<u8>, Vec<u8>) {
        let point = self.0.to_sec1_point(false);
        let coordinate =
            |octets: Option<&p256::FieldBytes>| octets.map(|octets| octets.to_vec()).unwrap_or_default();
        (coordinate(point.x()), coordinate(point.y()))
    }

    pub(super) fn from_spki(info: SubjectPublicKeyInfoRef<'_>) -> Result<Self, KeyError> {
        p256::ecdsa::VerifyingKey::try_from(info).map(Self).map_err(|_| KeyError::NotOnCurve)
    }

    /// Writes the key as SPKI PEM (`BEGIN PUBLIC KEY`, RFC 5480).
    pub(super) fn to_spki_pem(&self) -> Result<String, KeyError> {
        p256::PublicKey::from(self.0).to_public_key_pem(LineEnding::LF).map_err(|_| KeyError::Malformed)
    }

    /// Checks a JWS signature (R and S) over `input`.
    pub fn verify(&self, input: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        // "If it is not a 64-octet sequence, the validation has failed" (RFC 7518 §3.4); R and S outside [1, n-1] too.
        let signature = p256::ecdsa::Signature::from_slice(signature).map_err(|_| InvalidSignature)?;
        self.0.verify(input, &signature).map_err(|_| InvalidSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("es256::PublicKey").finish_non_exhaustive()
    }
}

/// A P-256 private key. Its scalar is zeroized on drop.
#[derive(Clone)]
pub struct SigningKey(p256::ecdsa::SigningKey);

impl SigningKey {
    /// Makes a new key from `rng`.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(p256::ecdsa::SigningKey::generate_from_rng(rng))
    }

    pub(super) fn from_pkcs8(info: PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        p256::ecdsa::SigningKey::try_from(info).map(Self).map_err(|_| KeyError::InvalidPrivateKey)
    }

    /// Takes the `d` of a JWK: "the octet string … MUST be ceiling(log-base-2(n)/8)" long (RFC 7518 §6.2.2.1).
    pub fn from_scalar(d: &[u8]) -> Result<Self, KeyError> {
        p256::ecdsa::SigningKey::from_slice(d).map(Self).map_err(|_| KeyError::InvalidPrivateKey)
    }

    /// The private scalar, the `d` of a JWK.
    pub(super) fn scalar(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_bytes().to_vec())
    }

    /// Writes the key as PKCS#8 PEM.
    pub(super) fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let key = p256::SecretKey::from(self.0.as_nonzero_scalar());
        key.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::InvalidPrivateKey)
    }

    /// The point that checks this key's signatures.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(*self.0.verifying_key())
    }

    /// Signs `input`; the nonce is derived from key and message (RFC 6979), so no randomness can go wrong.
    pub fn sign(&self, input: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.0.sign(input);
        signature.to_bytes().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("es256::SigningKey").finish_non_exhaustive()
    }
}
