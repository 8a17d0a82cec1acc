//! Which key a token is bound to (RFC 9449, RFC 8705).

use ::http::StatusCode;

use crate::client::Client;
use crate::client_request::Wire;
use crate::config::Config;
use crate::confirmation::Confirmation;
use crate::dpop::Proof;
use crate::mtls::ClientCertificate;

/// Why a token can not be bound as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderConstraintError {
    /// The client's tokens must be bound to a DPoP key, and there was no proof.
    ProofRequired,
    /// The client's tokens must be bound to a certificate, and there was none.
    CertificateRequired,
    /// Every token must be bound, and the request shows nothing to bind it to.
    ConstraintRequired,
    /// The client is registered for both constraints. A token bears one, and would be good without the other.
    Contradictory,
}

impl SenderConstraintError {
    /// What the client is told.
    pub const fn wire(self) -> Wire {
        const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            // RFC 9449 §5.2: "the authorization server MUST reject token requests from the client that do not contain
            // the DPoP header". RFC 6749 §5.2: "The request is missing a required parameter".
            Self::ProofRequired => (BAD_REQUEST, "invalid_request", "DPoP proof required"),
            // RFC 8705 §3.4: "the client's intention to use mutual-TLS client certificate-bound access tokens", for
            // which a bearer token is no substitute.
            Self::CertificateRequired => (BAD_REQUEST, "invalid_request", "client certificate required"),
            // RFC 9700 §2.2.1, FAPI 2.0 Security Profile §5.3.2.1 (5).
            Self::ConstraintRequired => {
                (BAD_REQUEST, "invalid_request", "a DPoP proof or a client certificate is required")
            }
            // RFC 6749 §5.2: "The authenticated client is not authorized to use this authorization grant type": as
            // registered, none can give it a token.
            Self::Contradictory => (
                BAD_REQUEST,
                "unauthorized_client",
                "the client is registered for two sender constraints, and a token has one",
            ),
        }
    }
}

/// What tokens of this client are bound to in this request. What the client requires is settled first, so that no other
/// constraint can stand in for it; then what the server requires of everyone; then whatever the request shows, the proof
/// before the certificate, since whoever sends one asks for it (RFC 9449 §5).
pub fn resolve(
    config: &Config,
    client: &Client,
    proof: Option<&Proof>,
    certificate: Option<&ClientCertificate>,
) -> Result<Option<Confirmation>, SenderConstraintError> {
    let proof = proof.map(|proof| Confirmation::Jkt(proof.jkt.clone()));
    let certificate =
        certificate.map(|certificate| Confirmation::CertificateThumbprint(certificate.thumbprint()));
    match (client.dpop_bound_access_tokens, client.tls_client_certificate_bound_access_tokens) {
        (true, false) => proof.map(Some).ok_or(SenderConstraintError::ProofRequired),
        (false, true) => certificate.map(Some).ok_or(SenderConstraintError::CertificateRequired),
        (true, true) if proof.is_none() => Err(SenderConstraintError::ProofRequired),
        (true, true) if certificate.is_none() => Err(SenderConstraintError::CertificateRequired),
        (true, true) => Err(SenderConstraintError::Contradictory),
        (false, false) => match proof.or(certificate) {
            None if config.require_sender_constraint => Err(SenderConstraintError::ConstraintRequired),
            confirmation => Ok(confirmation),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::ReplayClaim;

    const MINIMAL: &str = "issuer = \"https://auth.example\"\naudience = \"https://api.example\"\n\
                           scopes_supported = [\"openid\"]\n";

    fn config(line: &str) -> Config {
        Config::from_toml(&format!("{MINIMAL}{line}")).expect("valid")
    }

    fn shown_proof() -> Proof {
        Proof { jkt: "jkt".to_owned(), claim: ReplayClaim::new("test", "jkt", "jti", 0), nonce: None }
    }

    fn client(dpop: bool, mtls: bool) -> Client {
        Client {
            dpop_bound_access_tokens: dpop,
            tls_client_certificate_bound_access_tokens: mtls,
            ..Client::default()
        }
    }

    fn resolved(
        line: &str,
        client: &Client,
        proof: bool,
        certificate: bool,
    ) -> Result<Option<&'static str>, SenderConstraintError> {
        let shown_proof = shown_proof();
        let shown_certificate = crate::mtls::tests::certificate("client");
        let outcome = resolve(
            &config(line),
            client,
            proof.then_some(&shown_proof),
            certificate.then_some(&shown_certificate),
        );
        outcome.map(|confirmation| confirmation.map(|confirmation| confirmation.kind()))
    }

    #[test]
    fn a_client_that_requires_dpop_is_never_satisfied_by_a_certificate() {
        let client = client(true, false);
        assert_eq!(resolved("", &client, false, true), Err(SenderConstraintError::ProofRequired));
        assert_eq!(resolved("", &client, false, false), Err(SenderConstraintError::ProofRequired));
        assert_eq!(resolved("", &client, true, true), Ok(Some("dpop")));
    }

    #[test]
    fn a_client_that_requires_a_certificate_is_never_satisfied_by_a_proof() {
        let client = client(false, true);
        assert_eq!(resolved("", &client, true, false), Err(SenderConstraintError::CertificateRequired));
        assert_eq!(resolved("", &client, false, false), Err(SenderConstraintError::CertificateRequired));
        assert_eq!(resolved("", &client, true, true), Ok(Some("mtls")));
    }

    #[test]
    fn a_client_that_requires_both_is_told_what_is_missing_and_gets_no_token() {
        let client = client(true, true);
        assert_eq!(resolved("", &client, false, false), Err(SenderConstraintError::ProofRequired));
        assert_eq!(resolved("", &client, false, true), Err(SenderConstraintError::ProofRequired));
        assert_eq!(resolved("", &client, true, false), Err(SenderConstraintError::CertificateRequired));
        assert_eq!(resolved("", &client, true, true), Err(SenderConstraintError::Contradictory));
    }

    #[test]
    fn a_server_that_requires_a_constraint_takes_either_and_never_none() {
        let (line, client) = ("require_sender_constraint = true", client(false, false));
        assert_eq!(resolved(line, &client, false, false), Err(SenderConstraintError::ConstraintRequired));
        assert_eq!(resolved(line, &client, true, false), Ok(Some("dpop")));
        assert_eq!(resolved(line, &client, false, true), Ok(Some("mtls")));
    }

    #[test]
    fn what_nobody_requires_binds_where_it_is_shown_the_proof_first() {
        let client = client(false, false);
        assert_eq!(resolved("", &client, false, false), Ok(None));
        assert_eq!(resolved("", &client, false, true), Ok(Some("mtls")));
        assert_eq!(resolved("", &client, true, true), Ok(Some("dpop")));
    }

    #[test]
    fn the_error_names_what_is_missing() {
        let told = |error: SenderConstraintError| (error.wire().1, error.wire().2);
        assert_eq!(told(SenderConstraintError::ProofRequired), ("invalid_request", "DPoP proof required"));
        assert_eq!(
            told(SenderConstraintError::CertificateRequired),
            ("invalid_request", "client certificate required")
        );
        assert_eq!(
            told(SenderConstraintError::ConstraintRequired),
            ("invalid_request", "a DPoP proof or a client certificate is required")
        );
    }
}
