//! JSON Object Signing and Encryption, the part OAuth needs: signed tokens and the keys that sign and check them.
//!
//! A token enters as an [`UnverifiedJws`], which shows only its `kid`, `alg` and `typ`, and the `jwk` a proof of possession
//! carries; the one way to its payload is [`UnverifiedJws::verify`], which consumes it. A token leaves through [`sign_jwt`],
//! whose private key lives behind the [`Signer`] trait.
//!
//! | module | standard |
//! |---|---|
//! | [`base64url`] | RFC 7515 §2, RFC 4648 §3.5 and §5 |
//! | [`Algorithm`], [`es256`], [`ps256`], [`rs256`] | RFC 7518 §3 |
//! | [`ed25519`] | RFC 8032, RFC 8037, RFC 9864 |
//! | [`jwk`] | RFC 7517, RFC 7518 §6, RFC 7638 |
//! | [`jws`], [`sign`] | RFC 7515 |
//! | [`jwt`] | RFC 7519 |
//!
//! To add an algorithm: a module like [`es256`], a variant of [`Algorithm`], and the arms the compiler then asks for.

mod algorithm;
pub mod base64url;
pub mod ed25519;
pub mod es256;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod jwt;
mod key;
pub mod ps256;
pub mod rs256;
pub mod rsa_key;
pub mod sign;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use jwk::{Jwk, JwkSet, KeyError, SelectError, Thumbprint};
pub use jws::{Header, JwsError, UnverifiedJws, VerifiedJws};
pub use jwt::{ClaimError, Claims, NumericDate};
pub use key::{InvalidSignature, SigningKey, VerifyingKey};
pub use sign::{SignError, Signer, SigningInput, sign_jwt};
