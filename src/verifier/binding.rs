//! Whether whoever presents a token holds the key it is bound to (RFC 9449 §7, RFC 8705 §3).

use crate::confirmation::Confirmation;
use crate::dpop::{ProofTarget, VerifiedProof, proof};
use crate::jose::NumericDate;

use super::{Policy, Reason, Request, Scheme, Verified};

/// Checks that `token`, whose text is `text`, comes from whom it is bound to. Gives the proof of a DPoP key.
pub(super) fn check(
    token: &Verified,
    scheme: Scheme,
    text: &str,
    request: &Request<'_>,
    policy: &Policy,
    now: NumericDate,
) -> Result<Option<VerifiedProof>, Reason> {
    match (scheme, &token.confirmation) {
        (Scheme::Bearer, None) => Ok(None),
        // "such a protected resource MUST reject a DPoP-bound access token received as a bearer token" (RFC 9449 §7.2),
        // also where a proof comes with it.
        (Scheme::Bearer, Some(Confirmation::Jkt(_))) => Err(Reason::SenderConstrained),
        // "The protected resource MUST obtain […] the client certificate used for mutual TLS and MUST verify that the
        // certificate matches the certificate associated with the access token" (RFC 8705 §3).
        (Scheme::Bearer, Some(Confirmation::CertificateThumbprint(bound))) => match request.certificate {
            None => Err(Reason::SenderConstrained),
            Some(shown) if shown == bound => Ok(None),
            Some(_) => Err(Reason::OtherKey),
        },
        // "check that the public key of the DPoP proof matches the public key to which the access token is bound"
        // (RFC 9449 §7.1)
        (Scheme::Dpop, Some(Confirmation::Jkt(bound))) => {
            let proof = proof_of(text, request, policy, now)?;
            if proof.jkt == *bound { Ok(Some(proof)) } else { Err(Reason::OtherKey) }
        }
        (Scheme::Dpop, None | Some(Confirmation::CertificateThumbprint(_))) => Err(Reason::NotBound),
    }
}

/// "a resource server MUST check that a DPoP proof was also received in the DPoP header field of the HTTP request, check the
/// DPoP proof according to the rules in Section 4.3" (RFC 9449 §7.1).
fn proof_of(
    access_token: &str,
    request: &Request<'_>,
    policy: &Policy,
    now: NumericDate,
) -> Result<VerifiedProof, Reason> {
    let proofs = policy.dpop().ok_or(Reason::UnsupportedScheme)?;
    let proof = proof::the_one(request.dpop)?.ok_or(Reason::ProofMissing)?;
    let target = ProofTarget { method: request.method, urls: request.urls, access_token: Some(access_token) };
    Ok(proof::verify(proof, &target, proofs, now)?)
}
