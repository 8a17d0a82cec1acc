//! The part's exports.

use std::cell::RefCell;

use attesto::scope::Scope;
use attesto::scope_catalog::{Catalog, Separator};
use bindings::exports::attesto::rules::event_sink::{Event, EventName, Guest as EventSink};
use bindings::exports::attesto::rules::introspection_policy::Guest as IntrospectionPolicy;
use bindings::exports::attesto::rules::scope_policy::{
    Decision, Error, Guest as ScopePolicy, RefreshTokenRequest, ScopeRequest, Settings,
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
    static CATALOG: RefCell<Option<Catalog>> = const { RefCell::new(None) };
}

impl ScopePolicy for bindings::Rules {
    async fn configure(settings: Settings) -> Result<(), String> {
        let separator = match settings.scope_separator.as_deref() {
            None => None,
            Some(text) => Some(Separator::parse(text).ok_or("the scope separator is not `.` or `:`")?),
        };
        let catalog =
            Catalog::new(settings.scopes_supported, separator).map_err(|error| error.to_string())?;
        CATALOG.set(Some(catalog));
        Ok(())
    }

    /// All that settings and registration allow.
    async fn allowed_resources(_client_id: String) -> Result<Option<Vec<String>>, Error> {
        Ok(None)
    }

    async fn authorize_scope(request: ScopeRequest) -> Result<Decision, Error> {
        let scope = |tokens: Vec<String>| {
            Scope::from_tokens(tokens).map_err(|error| Error::Unavailable(format!("a scope is {error}")))
        };
        let requested = scope(request.requested)?;
        let client_scope = request.client_scope.map(scope).transpose()?;
        CATALOG.with_borrow(|catalog| {
            let catalog = catalog
                .as_ref()
                .ok_or_else(|| Error::Unavailable("`configure` has not been called".to_owned()))?;
            Ok(match authorize(catalog, client_scope.as_ref(), &requested) {
                Some(granted) => Decision::Granted(granted.tokens().to_vec()),
                None => Decision::Refused,
            })
        })
    }

    async fn issue_refresh_token(request: RefreshTokenRequest) -> Result<bool, Error> {
        Ok(issues_refresh_token(&request.scope))
    }
}

impl IntrospectionPolicy for bindings::Rules {
    /// Whoever authenticates may ask about any token it holds.
    async fn authorize_introspection(_caller: String, _response: String) -> Result<bool, Error> {
        Ok(true)
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
