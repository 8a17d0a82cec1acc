//! The algorithms authorities sign certificates with: ECDSA on P-256, Ed25519, and RSA of 2048 bits or more.

use p256::ecdsa::signature::Verifier as _;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use sha2::{Sha256, Sha384, Sha512};

use crate::jose::{ed25519, rsa_key};

/// What is accepted. SHA-1 and other curves are not among them.
pub(super) static ACCEPTED: &[&dyn SignatureVerificationAlgorithm] =
    &[&ECDSA_SHA256, &ED25519, &RSA_SHA256, &RSA_SHA384, &RSA_SHA512, &PSS_SHA256, &PSS_SHA384, &PSS_SHA512];

/// One algorithm, with the kind of key it is for.
#[derive(Debug)]
struct Scheme {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    check: Check,
}

/// Checks a signature.
type Check = fn(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()>;

impl SignatureVerificationAlgorithm for Scheme {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        (self.check)(public_key, message, signature).ok_or(InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// ecdsa-with-SHA256 (RFC 5758 §3.2).
static ECDSA_SHA256: Scheme = Scheme {
    key: alg_id::ECDSA_P256,
    signature: alg_id::ECDSA_SHA256,
    check: |key, message, signature| {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
        let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
        key.verify(message, &signature).ok()
    },
};

/// id-Ed25519 (RFC 8410 §3).
static ED25519: Scheme = Scheme {
    key: alg_id::ED25519,
    signature: alg_id::ED25519,
    check: |key, message, signature| {
        ed25519::PublicKey::from_octets(key).ok()?.verify(message, signature).ok()
    },
};

/// sha256WithRSAEncryption (RFC 4055 §5).
static RSA_SHA256: Scheme = Scheme {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PKCS1_SHA256,
    check: |key, message, signature| {
        rsa(key, signature)?.inner().pkcs1v15_verify::<Sha256>(message, signature).ok()
    },
};

/// sha384WithRSAEncryption.
static RSA_SHA384: Scheme = Scheme {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PKCS1_SHA384,
    check: |key, message, signature| {
        rsa(key, signature)?.inner().pkcs1v15_verify::<Sha384>(message, signature).ok()
    },
};

/// sha512WithRSAEncryption.
static RSA_SHA512: Scheme = Scheme {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PKCS1_SHA512,
    check: |key, message, signature| {
        rsa(key, signature)?.inner().pkcs1v15_verify::<Sha512>(message, signature).ok()
    },
};

/// id-RSASSA-PSS with SHA-256 in all its places and a salt as long (RFC 4055 §3).
static PSS_SHA256: Scheme = Scheme {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PSS_SHA256,
    check: |key, message, signature| {
        rsa(key, signature)?.inner().pss_verify::<Sha256>(message, signature).ok()
    },
};

/// The same with SHA-384.
static PSS_SHA384: Scheme = Scheme {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PSS_SHA384,
    check: |key, message, signature| {
        rsa(key, signature)?.inner().pss_verify::<Sha384>(message, signature).ok()
    },
};

/// The same with SHA-512.
static PSS_SHA512: Scheme = Scheme {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PSS_SHA512,
    check: |key, message, signature| {
        rsa(key, signature)?.inner().pss_verify::<Sha512>(message, signature).ok()
    },
};

/// The key, of acceptable size and exponent, where the signature has its length (RFC 8017 §8.1.2, §8.2.2).
fn rsa(key: &[u8], signature: &[u8]) -> Option<rsa_key::PublicKey> {
    rsa_key::PublicKey::from_pkcs1_der(key).ok().filter(|key| key.modulus_len() == signature.len())
}
