//! `Ed25519`, also called `EdDSA`: EdDSA over Curve25519 (RFC 8032 §5.1, RFC 9864 §2.2), over OKP keys (RFC 8037 §2).

use std::fmt;

use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::KeypairBytes;
use pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding, PrivateKeyInfoRef};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::jwk::KeyError;
use super::key::InvalidSignature;

/// Octets of a signature: R and S, 32 each (RFC 8032 §5.1.6).
pub const SIGNATURE_LEN: usize = 64;

/// Octets of a public key and of a private one (RFC 8032 §5.1.5).
pub const KEY_LEN: usize = 32;

/// A point on edwards25519 in its one canonical encoding, and not of small order.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

impl PublicKey {
    /// Takes the `x` of a JWK: "the public key encoded using the base64url encoding" (RFC 8037 §2).
    pub fn from_octets(x: &[u8]) -> Result<Self, KeyError> {
        let x: &[u8; KEY_LEN] = x.try_into().map_err(|_| KeyError::WrongCoordinateLength)?;
        // "If the resulting value is >= p, decoding fails" (RFC 8032 §5.1.3); the crate would reduce it.
        if !is_canonical(x) {
            return Err(KeyError::NotOnCurve);
        }
        let point = ed25519_dalek::VerifyingKey::from_bytes(x).map_err(|_| KeyError::NotOnCurve)?;
        // Under a point of small order, one signature fits many messages. The other encodings that §5.1.3 refuses,
        // x = 0 with its sign bit set, are of small order too.
        if point.is_weak() {
            return Err(KeyError::SmallOrder);
        }
        Ok(Self(point))
    }

    /// The encoded point, the `x` of a JWK.
    pub fn octets(&self) -> &[u8; KEY_LEN] {
        self.0.as_bytes()
    }

    /// Writes the key as SPKI PEM (`BEGIN PUBLIC KEY`, RFC 8410 §4).
    pub(super) fn to_spki_pem(&self) -> Result<String, KeyError> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|_| KeyError::Malformed)
    }

    /// Checks a JWS signature over `input`.
    ///
    /// Strictly: S not below the group's order is refused (RFC 8032 §5.1.7), or anyone could make a second signature out
    /// of a first; so is an R of small order.
    pub fn verify(&self, input: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| InvalidSignature)?;
        self.0.verify_strict(input, &signature).map_err(|_| InvalidSignature)
    }
}

/// Whether the y-coordinate, 255 bits in little endian, is below p = 2^255 - 19.
fn is_canonical(encoded: &[u8; KEY_LEN]) -> bool {
    let [lowest, middle @ .., highest] = encoded;
    highest & 0x7f != 0x7f || middle.iter().any(|octet| *octet != 0xff) || *lowest < 0xed
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ed25519::PublicKey").finish_non_exhaustive()
    }
}

/// An Ed25519 private key. It is zeroized on drop.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Makes a new key from `rng`: "32 octets of cryptographically secure random data" (RFC 8032 §5.1.5).
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = Zeroizing::new([0; KEY_LEN]);
        rng.fill_bytes(seed.as_mut());
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// Takes the `d` of a JWK: "the private key encoded using the base64url encoding" (RFC 8037 §2).
    pub fn from_octets(d: &[u8]) -> Result<Self, KeyError> {
        let seed: &[u8; KEY_LEN] = d.try_into().map_err(|_| KeyError::InvalidPrivateKey)?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    pub(super) fn from_pkcs8(info: PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        // With a public half in it, that has to belong to the private one (RFC 5958 §2).
        ed25519_dalek::SigningKey::try_from(info).map(Self).map_err(|_| KeyError::InvalidPrivateKey)
    }

    /// The private octets, the `d` of a JWK.
    pub(super) fn octets(&self) -> &[u8; KEY_LEN] {
        self.0.as_bytes()
    }

    /// Writes the key as PKCS#8 PEM, in the first version of that format (RFC 8410 §7), which everything reads.
    pub(super) fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let key = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        key.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::InvalidPrivateKey)
    }

    /// The point that checks this key's signatures.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `input`; the scheme is deterministic (RFC 8032 §5.1.6).
    pub fn sign(&self, input: &[u8]) -> Vec<u8> {
        self.0.sign(input).to_bytes().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ed25519::SigningKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p - 1 and p, in little endian.
    #[test]
    fn a_coordinate_of_p_or_more_is_not_canonical() {
        let mut y = [0xff; KEY_LEN];
        y[31] = 0x7f;
        for (lowest, canonical) in [(0xec, true), (0xed, false), (0xff, false)] {
            y[0] = lowest;
            assert_eq!(is_canonical(&y), canonical);
            let mut signed = y;
            signed[31] = 0xff;
            assert_eq!(is_canonical(&signed), canonical);
        }
        y[15] = 0xfe;
        assert!(is_canonical(&y));
    }

    /// The eight points whose order divides 8, and encodings of them that are not canonical.
    #[test]
    fn points_of_small_order_are_refused() {
        const POINTS: [(&str, KeyError); 11] = [
            ("0000000000000000000000000000000000000000000000000000000000000000", KeyError::SmallOrder),
            ("0000000000000000000000000000000000000000000000000000000000000080", KeyError::SmallOrder),
            ("0100000000000000000000000000000000000000000000000000000000000000", KeyError::SmallOrder),
            ("0100000000000000000000000000000000000000000000000000000000000080", KeyError::SmallOrder),
            ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", KeyError::SmallOrder),
            ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", KeyError::SmallOrder),
            ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", KeyError::SmallOrder),
            ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", KeyError::SmallOrder),
            ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", KeyError::SmallOrder),
            ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", KeyError::NotOnCurve),
            ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", KeyError::NotOnCurve),
        ];
        for (hex, reason) in POINTS {
            let octets: Vec<u8> =
                (0..KEY_LEN).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
            assert_eq!(PublicKey::from_octets(&octets), Err(reason), "{hex}");
        }
    }
}
