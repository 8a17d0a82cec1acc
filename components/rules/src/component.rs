//! The part's exports.

use std::cell::RefCell;

use bindings::exports::attesto::rules::event_sink::{Event, EventName, Guest as EventSink};
use bindings::exports::attesto::rules::scope_policy::{
    Decision, Error, Guest as ScopePolicy, RefreshTokenRequest, ScopeRequest,
};
use serde_json::{Map, Value};

use crate::scope_policy::{authorize, issues_refresh_token};

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit/rules", "wit"],
        world: "attesto-part:rules/rules",
        generate_all,
    });

    export!(Rules);

    pub(super) struct Rules;
}

thread_local! {
    static SCOPES_SUPPORTED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl ScopePolicy for bindings::Rules {
    async fn configure(scopes_supported: Vec<String>) -> Result<(), String> {
        SCOPES_SUPPORTED.set(scopes_supported);
        Ok(())
    }

    async fn authorize_scope(request: ScopeRequest) -> Result<Decision, Error> {
        let granted = SCOPES_SUPPORTED.with_borrow(|supported| {
            authorize(supported, request.client_scope.as_deref(), &request.requested)
        });
        Ok(granted.map_or(Decision::Refused, Decision::Granted))
    }

    async fn issue_refresh_token(request: RefreshTokenRequest) -> Result<bool, Error> {
        Ok(issues_refresh_token(&request.scope))
    }
}

impl EventSink for bindings::Rules {
    /// One line of JSON on standard output, which Spin keeps as the component's log.
    async fn emit(event: Event) {
        let mut line = Map::new();
        line.insert("event".to_owned(), name(event.name).into());
        line.insert("time".to_owned(), event.time.into());
        for (member, value) in [
            ("subject", event.subject),
            ("client_id", event.client_id),
            ("scope", event.scope),
            ("grant_type", event.grant_type),
            ("result", event.result),
        ] {
            if let Some(value) = value {
                line.insert(member.to_owned(), value.into());
            }
        }
        if let Ok(metadata @ Value::Object(_)) = serde_json::from_str::<Value>(&event.metadata) {
            line.insert("metadata".to_owned(), metadata);
        }
        println!("{}", Value::Object(line));
    }
}

/// The reference's names, which are also what audit pipelines look for.
fn name(name: EventName) -> &'static str {
    match name {
        EventName::CodeIssued => "code_issued",
        EventName::AuthorizationDenied => "authorization_denied",
        EventName::AuthorizationFailed => "authorization_failed",
        EventName::TokenIssued => "token_issued",
        EventName::TokenDenied => "token_denied",
        EventName::CodeReplayDetected => "code_replay_detected",
        EventName::RefreshIssued => "refresh_issued",
        EventName::RefreshRotated => "refresh_rotated",
        EventName::RefreshReuseDetected => "refresh_reuse_detected",
        EventName::TokenRevoked => "token_revoked",
        EventName::TokenIntrospected => "token_introspected",
        EventName::AuthSucceeded => "auth_succeeded",
        EventName::AuthDenied => "auth_denied",
    }
}
