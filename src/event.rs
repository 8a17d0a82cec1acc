//! What the operator is told: one event for each decision worth an audit line.

/// The name of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventName {
    /// An authorization code was issued (RFC 6749 §4.1.2).
    CodeIssued,
    /// The resource owner refused (RFC 6749 §4.1.2.1 `access_denied`).
    AuthorizationDenied,
    /// An authorization request was rejected: by a page, by redirect, or when it was pushed.
    AuthorizationFailed,
    /// An access token was issued (RFC 6749 §5.1).
    TokenIssued,
    /// A token request was rejected (RFC 6749 §5.2).
    TokenDenied,
    /// A redeemed code was presented again (RFC 6749 §4.1.2).
    CodeReplayDetected,
    /// The first refresh token of a family was issued (RFC 6749 §5.1).
    RefreshIssued,
    /// A refresh token was exchanged for its successor, or asked for it again in time (RFC 6749 §6).
    RefreshRotated,
    /// A refresh token that had been rotated was presented again; its family is revoked (RFC 9700 §4.14.2).
    RefreshReuseDetected,
    /// An issued token was revoked (RFC 7009).
    TokenRevoked,
    /// A token was introspected (RFC 7662).
    TokenIntrospected,
    /// An access token authenticated a protected resource request (RFC 6750 §2.1).
    AuthSucceeded,
    /// A protected resource request was rejected (RFC 6750 §3.1).
    AuthDenied,
}

/// One event. A member is `None` where its value is not known; nothing is made up, and no credential is ever part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub name: EventName,
    /// When, in seconds since the Unix epoch.
    pub time: u64,
    /// The `sub` concerned.
    pub subject: Option<String>,
    /// The client concerned: the authenticated one, or at the authorization endpoint the one that is named and exists. There is
    /// none where the client's authentication is what failed.
    pub client_id: Option<String>,
    /// The scope granted, or asked for on a failure.
    pub scope: Option<String>,
    /// `grant_type` of the request.
    pub grant_type: Option<&'static str>,
    /// On a failure: the error code and, after `: `, the reason the client is not told.
    pub result: Option<String>,
    /// Further members.
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

impl Event {
    /// An event of which nothing but name and time is known.
    pub fn new(name: EventName, time: u64) -> Self {
        Self {
            name,
            time,
            subject: None,
            client_id: None,
            scope: None,
            grant_type: None,
            result: None,
            metadata: serde_json::Map::new(),
        }
    }
}
