//! Single-use consent, bound to the request the person saw.

use crate::authorization::AuthorizationRequest;
use crate::scope::Scope;
use crate::secret::Digest;

/// The request a consent grant stands for, as one digest: who agreed, to which client, answered where, to what, and
/// under which PKCE challenge. A grant given for one request approves no other.
///
/// The order of scope values carries no meaning (RFC 6749 §3.3) and is sorted away.
pub fn binding(request: &AuthorizationRequest, scope: &Scope, sub: &str) -> Digest {
    let mut tokens: Vec<&str> = scope.tokens().iter().map(String::as_str).collect();
    tokens.sort_unstable();
    let (challenge, method) = match &request.code_challenge {
        Some(challenge) => (challenge.as_str(), "S256"),
        None => ("", ""),
    };
    let parts = [
        "attesto consent",
        sub,
        &request.client.client_id,
        request.redirect_uri.as_str(),
        &tokens.join(" "),
        challenge,
        method,
    ];
    Digest::of_parts(parts.map(str::as_bytes))
}
