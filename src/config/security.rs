//! The settings of sender constraints, client assertions, pushed and signed requests.

use crate::jose::Algorithm;
use crate::mtls::TrustAnchors;

/// A profile that sets every switch at once, and refuses settings that contradict it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// FAPI 2.0 Security Profile (Final).
    Fapi2Security,
    /// FAPI 2.0 Message Signing (Final): the former, with signed requests, responses and introspection.
    Fapi2MessageSigning,
}

/// DPoP (RFC 9449).
#[derive(Clone, Debug)]
pub struct DpopConfig {
    /// Whether proofs are looked at.
    pub enabled: bool,
    /// Whether a proof must carry a nonce of this server, and of which kind (§8).
    pub nonces: DpopNonces,
    /// How long a nonce is good, seconds.
    pub nonce_ttl: u64,
    /// How old a proof may be, seconds (§11.1).
    pub proof_ttl: u64,
    /// The algorithms of proofs (§4.3, §5.1 `dpop_signing_alg_values_supported`).
    pub algorithms: Vec<Algorithm>,
}

/// Nonces of DPoP proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DpopNonces {
    /// None are asked for; one that is sent is not looked at.
    NotRequired,
    /// Each is good for a while: a time under a tag of the keystore, and no storage.
    Stateless,
    /// Each is good once, and kept until it is used.
    SingleUse,
}

/// Mutual TLS (RFC 8705).
#[derive(Clone, Debug)]
pub struct MtlsConfig {
    /// Which header a trusted proxy passes the client's certificate in.
    pub certificate_header: CertificateHeader,
    /// The authorities that vouch for `tls_client_auth` certificates.
    pub trust_anchors: TrustAnchors,
    /// The terminator has validated the chain of every certificate it passes on, and passes on no other.
    pub listener_verifies: bool,
    /// The origin at which certificates are asked for, where it is not the issuer's: the one of `mtls_endpoint_aliases`
    /// (§5).
    pub origin: Option<String>,
}

/// How a TLS terminator passes a client certificate on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateHeader {
    /// `x-forwarded-client-cert`, as Envoy writes it.
    XForwardedClientCert,
    /// `Client-Cert` and `Client-Cert-Chain` (RFC 9440).
    ClientCert,
}

/// Client assertions (RFC 7523, OIDC Core §9).
#[derive(Clone, Debug)]
pub struct ClientAssertionConfig {
    /// The algorithms of assertions: `token_endpoint_auth_signing_alg_values_supported`.
    pub algorithms: Vec<Algorithm>,
    /// The longest an assertion may live, seconds from now to its `exp`.
    pub max_lifetime: u64,
    /// Whether `aud` may also be the URL of the token endpoint, and a list. FAPI 2.0 wants the issuer alone, as a string.
    pub accepts_token_endpoint_audience: bool,
}

/// Pushed authorization requests (RFC 9126).
#[derive(Clone, Debug)]
pub struct PushedRequestConfig {
    /// Whether there is an endpoint for them.
    pub enabled: bool,
    /// How long a `request_uri` is good, seconds.
    pub ttl: u64,
    /// Whether public clients may push.
    pub public_clients: bool,
    /// Whether every authorization request must be a pushed one (§5).
    pub required: bool,
}

/// Request objects (RFC 9101).
#[derive(Clone, Debug)]
pub struct RequestObjectConfig {
    /// What is asked of a request object; `None`: there are none.
    pub policy: Option<RequestObjectPolicy>,
    /// Whether every authorization request must be a signed one (§10.5).
    pub required: bool,
    /// The algorithms of request objects: `request_object_signing_alg_values_supported`.
    pub algorithms: Vec<Algorithm>,
}

/// What is asked of a request object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestObjectPolicy {
    /// OIDC Core §6.1 and RFC 9101: the claims of time are honoured where they are there.
    Generic,
    /// FAPI 2.0 Message Signing §5.3.1: `nbf` and `exp` are there, at most 60 minutes apart and from now.
    FapiMessageSigning,
}
