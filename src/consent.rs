//! Single-use consent, bound to the request the person saw.

use crate::authorization::AuthorizationRequest;
use crate::scope::Scope;
use crate::secret::Digest;

/// The request a consent grant stands for, as one digest: who agreed, to which client, answered where, to what at which
/// resources, and for whoever holds which PKCE verifier and DPoP key. A grant given for one request approves no other.
///
/// The order of scope values carries no meaning (RFC 6749 §3.3) and is sorted away, and so is that of resources.
pub fn binding(request: &AuthorizationRequest, scope: &Scope, sub: &str) -> Digest {
    let sorted = |values: &[String]| {
        let mut values: Vec<&str> = values.iter().map(String::as_str).collect();
        values.sort_unstable();
        // Neither a scope value nor a URI has a space in it.
        values.join(" ")
    };
    let (challenge, method) = match &request.code_challenge {
        Some(challenge) => (challenge.as_str(), "S256"),
        None => ("", ""),
    };
    let parts = [
        "attesto consent",
        sub,
        &request.settled.client.client_id,
        request.settled.redirect_uri.as_str(),
        &sorted(scope.tokens()),
        challenge,
        method,
        &sorted(&request.resources),
        request.dpop_jkt.as_deref().unwrap_or_default(),
    ];
    Digest::of_parts(parts.map(str::as_bytes))
}
