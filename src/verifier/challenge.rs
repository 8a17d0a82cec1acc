//! Refusals, precise inside and coarse outside (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1).

use crate::dpop::ProofError;
use crate::jose::{ClaimError, JwsError, SelectError};
use crate::scope::Scope;

use super::{Policy, Scheme};

/// Why a request is refused, for the log and for the tests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No `Authorization` header.
    #[error("no credentials")]
    NoCredentials,
    /// An `Authorization` header of a scheme the policy does not know.
    #[error("unsupported authentication scheme")]
    UnsupportedScheme,
    /// More than one `Authorization` header.
    #[error("more than one Authorization header")]
    RepeatedAuthorization,
    /// An `Authorization` header outside the grammar.
    #[error("malformed Authorization header")]
    MalformedAuthorization,
    /// The token is no JWS, or not one to believe.
    #[error("token: {0}")]
    Token(#[from] JwsError),
    /// A claim is not what it must be.
    #[error("claims: {0}")]
    Claim(#[from] ClaimError),
    /// The TLS terminator passes on something else than one certificate.
    #[error("malformed client certificate")]
    MalformedCertificate,
    /// The token is bound to a key, and nothing that proves possession of it came with it.
    #[error("sender-constrained token without its proof")]
    SenderConstrained,
    /// The token is bound to no DPoP key, and presented as if it were.
    #[error("token not bound to a DPoP key")]
    NotBound,
    /// The token is bound to another key than the one possession of was proven.
    #[error("token bound to another key")]
    OtherKey,
    /// The token is presented with the `DPoP` scheme and without a proof.
    #[error("no DPoP proof")]
    ProofMissing,
    /// The proof is none for this request.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The proof has been used before.
    #[error("DPoP proof replayed")]
    ProofReplayed,
    /// The proof does not carry a nonce of this server that is good.
    #[error("no nonce, or an unknown, expired or used one")]
    Nonce,
    /// The issuer has revoked the token.
    #[error("token revoked")]
    Revoked,
    /// The subject is no longer admitted.
    #[error("unknown subject")]
    UnknownSubject,
    /// The token is good, for less than this.
    #[error("insufficient scope")]
    InsufficientScope,
}

impl Reason {
    /// Whether a fresher copy of the issuer's keys could turn this refusal around.
    pub const fn needs_key(&self) -> bool {
        matches!(self, Self::Token(JwsError::Key(SelectError::UnknownKey)))
    }

    /// What the client is told. RFC 6750 §3.1: "If the request lacks any authentication information (e.g., the client
    /// was unaware that authentication is necessary or attempted using an unsupported authentication method), the
    /// resource server SHOULD NOT include an error code or other error information."
    const fn wire(&self) -> Option<AccessError> {
        match self {
            Self::NoCredentials | Self::UnsupportedScheme => None,
            // "uses more than one method for including an access token, or is otherwise malformed"
            Self::RepeatedAuthorization | Self::MalformedAuthorization | Self::MalformedCertificate => {
                Some(AccessError::InvalidRequest)
            }
            // "expired, revoked, malformed, or invalid for other reasons"; RFC 9449 §7.2: "such a protected resource MUST
            // reject a DPoP-bound access token received as a bearer token"; RFC 8705 §3: where the certificates
            // "do not match, the resource access attempt MUST be rejected with an error, per [RFC6750], using an HTTP 401
            // status code and the "invalid_token" error code"; RFC 9449 §7.1 has the same code where "the confirmation of the DPoP binding in
            // the access token failed".
            Self::Token(_)
            | Self::Claim(_)
            | Self::SenderConstrained
            | Self::NotBound
            | Self::OtherKey
            | Self::Revoked
            | Self::UnknownSubject => Some(AccessError::InvalidToken),
            // RFC 9449 §7.1: "used to indicate that the DPoP proof itself was deemed invalid based on the criteria of
            // Section 4.3". The first of them is that there is one, single and well-formed, so its absence is told so too.
            Self::ProofMissing | Self::Proof(_) | Self::ProofReplayed => Some(AccessError::InvalidDpopProof),
            // RFC 9449 §7.1: "to signal that a nonce is needed in the DPoP proof of a subsequent request(s)"; §9.
            Self::Nonce => Some(AccessError::UseDpopNonce),
            // "requires higher privileges than provided by the access token"
            Self::InsufficientScope => Some(AccessError::InsufficientScope),
        }
    }
}

/// An error code of a protected resource (RFC 6750 §3.1, RFC 9449 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// `invalid_request`: the request is malformed.
    InvalidRequest,
    /// `invalid_token`: the token does not open anything here.
    InvalidToken,
    /// `insufficient_scope`: the token opens less than this.
    InsufficientScope,
    /// `invalid_dpop_proof`: the proof is none for this request, or not new.
    InvalidDpopProof,
    /// `use_dpop_nonce`: the proof must carry the nonce of the `DPoP-Nonce` header.
    UseDpopNonce,
}

impl AccessError {
    /// The code, as `error` carries it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
        }
    }

    /// A sentence for developers, as `error_description` carries it. One for each code: a finer one would tell whoever
    /// probes tokens which check they have passed.
    pub const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request carries a malformed credential or more than one",
            Self::InvalidToken => "The access token is not valid for this resource",
            Self::InsufficientScope => "The access token lacks a scope that this resource requires",
            Self::InvalidDpopProof => "The DPoP proof is not valid for this request",
            Self::UseDpopNonce => "The DPoP proof must carry the nonce provided",
        }
    }

    /// "The resource server SHOULD respond with the HTTP 400 … 401 … 403 … status code" (RFC 6750 §3.1); 401 for proofs
    /// (RFC 9449 §7.1, §9).
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::InvalidToken | Self::InvalidDpopProof | Self::UseDpopNonce => 401,
            Self::InsufficientScope => 403,
        }
    }
}

/// The answer to a refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The HTTP status.
    pub status: u16,
    /// The error code; none where the request carried no credentials at all.
    pub error: Option<AccessError>,
    /// The value of `WWW-Authenticate`: one challenge, or a list of them.
    pub www_authenticate: String,
}

impl Challenge {
    /// The answer to a request that presented its token by `scheme`; `None` where that could not be told.
    pub(super) fn new(reason: &Reason, scheme: Option<Scheme>, required: &Scope, policy: &Policy) -> Self {
        let error = reason.wire();
        let told = |schemes: &[(Scheme, Option<AccessError>)]| {
            let challenge = |(scheme, error): &(_, _)| challenge(*scheme, *error, required, policy);
            schemes.iter().map(challenge).collect::<Vec<_>>().join(", ")
        };
        // "If the mechanism used to attempt authentication could be established unambiguously, then the corresponding
        // challenge SHOULD be used to deliver error information"; "Otherwise, both Bearer and DPoP challenges MAY be used"
        // (RFC 9449 §7.2). Who presents a bad Bearer token learns that there is another scheme.
        let www_authenticate = match (scheme, policy.dpop()) {
            (_, None) => told(&[(Scheme::Bearer, error)]),
            (None, Some(_)) => told(&[(Scheme::Bearer, error), (Scheme::Dpop, error)]),
            (Some(Scheme::Bearer), Some(_)) => match error {
                Some(AccessError::InvalidToken) => told(&[(Scheme::Bearer, error), (Scheme::Dpop, None)]),
                _ => told(&[(Scheme::Bearer, error)]),
            },
            (Some(Scheme::Dpop), Some(_)) => told(&[(Scheme::Dpop, error)]),
        };
        Self { status: error.map_or(401, AccessError::status), error, www_authenticate }
    }
}

/// One challenge (RFC 9110 §11.6.1).
fn challenge(scheme: Scheme, error: Option<AccessError>, required: &Scope, policy: &Policy) -> String {
    let scope = (error == Some(AccessError::InsufficientScope)).then(|| required.to_string());
    // "An algs parameter SHOULD be included to signal to the client the JWS algorithms that are acceptable for the DPoP
    // proof JWT" (RFC 9449 §7.1).
    let algs = policy.dpop().filter(|_| scheme == Scheme::Dpop).map(|proofs| {
        proofs.algorithms.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(" ")
    });
    let parameters = [
        ("realm", policy.realm()),
        ("error", error.map(AccessError::code)),
        ("error_description", error.map(AccessError::description)),
        ("scope", scope.as_deref()),
        ("resource_metadata", policy.resource_metadata()),
        ("algs", algs.as_deref()),
    ];
    // Each value is a constant, a `Scope` or a text the policy has checked: none needs an escape.
    let quoted = |(name, value): (&str, Option<&str>)| value.map(|value| format!(r#"{name}="{value}""#));
    let parameters = parameters.into_iter().filter_map(quoted).collect::<Vec<_>>().join(", ");
    format!("{} {parameters}", scheme.name()).trim_end().to_owned()
}
