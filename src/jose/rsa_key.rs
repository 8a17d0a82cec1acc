//! RSA keys (RFC 7518 §6.3), the material of `RS256` and `PS256`.

use std::fmt;

use pkcs8::spki::SubjectPublicKeyInfoRef;
use pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding, PrivateKeyInfoRef};
use rand_core::CryptoRng;
use rsa::BoxedUint;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use zeroize::Zeroizing;

use super::jwk::KeyError;

/// "A key of size 2048 bits or larger MUST be used" (RFC 7518 §3.3).
pub const MIN_BITS: u32 = 2048;

/// Above this, checking one signature costs more than a stranger's token is worth.
pub const MAX_BITS: u32 = 8192;

/// FIPS 186-5 §5.1 wants 2^16 < e; smaller exponents are where RSA's padding accidents happened.
const MIN_EXPONENT: u64 = 65_537;

/// The exponent sets the cost of a check, so an attacker's key must not choose it freely.
const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// An RSA public key of acceptable size and exponent.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(rsa::PublicKey);

impl PublicKey {
    /// Takes the big-endian `n` and `e` of a JWK.
    ///
    /// Base64urlUInt "MUST utilize the minimum number of octets needed to represent the value" (RFC 7518 §2), so a
    /// leading zero is refused.
    pub fn from_components(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        if [n, e].iter().any(|number| number.first().is_none_or(|first| *first == 0)) {
            return Err(KeyError::NotMinimalInteger);
        }
        // Before any arithmetic on a stranger's number.
        if n.len() > MAX_BITS as usize / 8 {
            return Err(KeyError::ModulusTooLarge);
        }
        if e.len() > size_of::<u64>() {
            return Err(KeyError::UnacceptableExponent);
        }
        let exponent = e.iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
        if !(MIN_EXPONENT..=MAX_EXPONENT).contains(&exponent) || exponent % 2 == 0 {
            return Err(KeyError::UnacceptableExponent);
        }
        let n = BoxedUint::from_be_slice_vartime(n);
        rsa::PublicKey::new(n, BoxedUint::from(exponent))
            .map_err(KeyError::from)
            .and_then(Self::of_acceptable_size)
    }

    fn of_acceptable_size(key: rsa::PublicKey) -> Result<Self, KeyError> {
        match key.n().bit_width_vartime() {
            ..MIN_BITS => Err(KeyError::ModulusTooSmall),
            MIN_BITS..=MAX_BITS => Ok(Self(key)),
            _ => Err(KeyError::ModulusTooLarge),
        }
    }

    pub(super) fn from_spki(info: SubjectPublicKeyInfoRef<'_>) -> Result<Self, KeyError> {
        let key = rsa::PublicKey::try_from(info).map_err(|_| KeyError::InvalidModulus)?;
        Self::from_components(&key.n_bytes(), &key.e_bytes())
    }

    /// Reads an `RSAPublicKey` (RFC 8017 A.1.1) in DER.
    pub(crate) fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = rsa::pkcs1::RsaPublicKeyRef::try_from(der).map_err(|_| KeyError::Malformed)?;
        Self::from_components(key.modulus.as_bytes(), key.public_exponent.as_bytes())
    }

    /// Writes the key as SPKI PEM (`BEGIN PUBLIC KEY`, RFC 8017 A.1).
    pub(super) fn to_spki_pem(&self) -> Result<String, KeyError> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|_| KeyError::Malformed)
    }

    /// The modulus, big endian without leading zeros.
    pub fn n(&self) -> Vec<u8> {
        self.0.n_bytes().into_vec()
    }

    /// The public exponent, big endian without leading zeros.
    pub fn e(&self) -> Vec<u8> {
        self.0.e_bytes().into_vec()
    }

    /// Octets of the modulus, which is also the length of every signature.
    pub fn modulus_len(&self) -> usize {
        self.0.size()
    }

    pub(crate) fn inner(&self) -> &rsa::PublicKey {
        &self.0
    }
}

impl From<rsa::Error> for KeyError {
    fn from(error: rsa::Error) -> Self {
        match error {
            rsa::Error::ModulusTooSmall => Self::ModulusTooSmall,
            rsa::Error::ModulusTooLarge => Self::ModulusTooLarge,
            rsa::Error::InvalidExponent
            | rsa::Error::PublicExponentTooSmall
            | rsa::Error::PublicExponentTooLarge => Self::UnacceptableExponent,
            _ => Self::InvalidModulus,
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("rsa_key::PublicKey")
            .field("bits", &self.0.n().bit_width_vartime())
            .finish_non_exhaustive()
    }
}

/// The private integers of an RSA JWK (RFC 7518 §6.3.2), big endian.
pub struct PrivateComponents {
    /// The private exponent.
    pub d: Zeroizing<Vec<u8>>,
    /// The prime factors `p` and `q`; without them they are recovered from `n`, `e` and `d`.
    pub primes: Option<[Zeroizing<Vec<u8>>; 2]>,
}

impl fmt::Debug for PrivateComponents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("rsa_key::PrivateComponents").finish_non_exhaustive()
    }
}

/// An RSA private key. Its numbers are zeroized on drop.
#[derive(Clone)]
pub struct PrivateKey(rsa::PrivateKey);

impl PrivateKey {
    /// Makes a new key of `bits` with the public exponent 65537. This takes seconds.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R, bits: u32) -> Result<Self, KeyError> {
        if bits < MIN_BITS {
            return Err(KeyError::ModulusTooSmall);
        }
        if bits > MAX_BITS {
            return Err(KeyError::ModulusTooLarge);
        }
        Self::checked(rsa::PrivateKey::new(rng, bits as usize)?)
    }

    pub(super) fn from_pkcs8(info: PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        rsa::PrivateKey::try_from(info).map_err(|_| KeyError::InvalidPrivateKey).and_then(Self::checked)
    }

    /// Joins a public key and the private components of its JWK, checking that they belong together.
    pub fn from_components(public: &PublicKey, private: &PrivateComponents) -> Result<Self, KeyError> {
        // All secret numbers take the public modulus' precision, so their own sizes show nowhere.
        let bits = public.0.n().bits_precision();
        let secret =
            |octets: &[u8]| BoxedUint::from_be_slice(octets, bits).map_err(|_| KeyError::InvalidPrivateKey);
        let primes = match &private.primes {
            Some([p, q]) => vec![secret(p)?, secret(q)?],
            None => Vec::new(),
        };
        let n = public.0.n().as_ref().clone();
        rsa::PrivateKey::from_components(n, public.0.e().clone(), secret(&private.d)?, primes)
            .map_err(|_| KeyError::InvalidPrivateKey)
            .and_then(Self::checked)
    }

    fn checked(key: rsa::PrivateKey) -> Result<Self, KeyError> {
        let public = key.as_public_key();
        PublicKey::from_components(&public.n_bytes(), &public.e_bytes())?;
        Ok(Self(key))
    }

    /// The private integers under the names they have in a JWK (RFC 7518 §6.3.2): `d`, and the primes from which a
    /// reader computes the rest. "If the producer includes any of the other private key parameters, then all of the
    /// others MUST be present".
    pub(super) fn components(&self) -> Vec<(&'static str, Zeroizing<Vec<u8>>)> {
        let octets = |number: &BoxedUint| Zeroizing::new(number.to_be_bytes_trimmed_vartime().into_vec());
        let mut members = vec![("d", octets(self.0.d()))];
        let of_primes = (self.0.p(), self.0.q(), self.0.dp(), self.0.dq(), self.0.qinv());
        if let (Some(p), Some(q), Some(dp), Some(dq), Some(qi)) = of_primes {
            members.extend([
                ("p", octets(p.modulus())),
                ("q", octets(q.modulus())),
                ("dp", octets(dp)),
                ("dq", octets(dq)),
                ("qi", octets(&qi.retrieve())),
            ]);
        }
        members
    }

    /// Writes the key as PKCS#8 PEM.
    pub(super) fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        self.0.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::InvalidPrivateKey)
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.to_public_key())
    }

    pub(super) fn inner(&self) -> &rsa::PrivateKey {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("rsa_key::PrivateKey").finish_non_exhaustive()
    }
}
