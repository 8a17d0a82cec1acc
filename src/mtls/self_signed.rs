//! `self_signed_tls_client_auth`: the certificate itself, or its key, is what the client registered (RFC 8705 §2.2).

use base64ct::{Base64, Encoding};
use serde_json::Value;

use super::{CertificateError, ClientCertificate, not_the_clients};
use crate::jose::jwk::{MAX_KEYS, MAX_SET_LEN};
use crate::jose::{Jwk, KeyError, json};

impl ClientCertificate {
    /// Whether the certificate is one of these keys' (RFC 8705 §2.2): a JWK Set as JSON text.
    ///
    /// A JWK with `x5c` registers the one certificate that stands first in it; one without registers its key, in
    /// whichever certificate. Neither the signature nor the validity of a self-signed certificate is looked at: "In
    /// contrast to the PKI method, the client's certificate chain is not validated by the server in this case". What
    /// ends its use is a change of the registration.
    pub fn is_among(&self, jwks: &str) -> Result<(), CertificateError> {
        match self.registered_in(jwks) {
            Ok(true) => Ok(()),
            Ok(false) => Err(not_the_clients("neither it nor its key is registered")),
            Err(problem) => Err(not_the_clients(format!("the registered JWK Set: {problem}"))),
        }
    }

    fn registered_in(&self, jwks: &str) -> Result<bool, KeyError> {
        if jwks.len() > MAX_SET_LEN {
            return Err(KeyError::SetTooLarge);
        }
        let set = json::object(jwks.as_bytes()).map_err(|_| KeyError::Malformed)?;
        let keys = set.get("keys").ok_or(KeyError::Missing("keys"))?.as_array().ok_or(KeyError::Malformed)?;
        if keys.len() > MAX_KEYS {
            return Err(KeyError::SetTooLarge);
        }
        let mut found = false;
        for key in keys {
            let mut members = key.as_object().ok_or(KeyError::Malformed)?.clone();
            // It names an algorithm of JOSE, and TLS negotiates its own.
            members.remove("alg");
            match Jwk::from_members(&members) {
                // "the key in the first certificate MUST match the public key represented by other members of the JWK"
                // (RFC 7517 §4.7), so the key is compared where there are certificates too.
                Ok(jwk) if jwk.key() == self.key() => found |= self.is_certificate_of(members.get("x5c")),
                // A set that shows a private key is worth nothing (RFC 7517 §9.2).
                Err(KeyError::PrivateKey) => return Err(KeyError::PrivateKey),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(found)
    }

    /// Whether `x5c`, where there is one, begins with this certificate: "Each string in the array is a base64-encoded
    /// (Section 4 of RFC4648 – not base64url-encoded) DER PKIX certificate value" (RFC 7517 §4.7).
    fn is_certificate_of(&self, x5c: Option<&Value>) -> bool {
        match x5c {
            None => true,
            Some(x5c) => {
                let first = x5c.as_array().and_then(|certificates| certificates.first()?.as_str());
                first == Some(Base64::encode_string(self.der()).as_str())
            }
        }
    }
}
