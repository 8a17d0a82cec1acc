//! The operator's policy, and where events go.

use std::pin::pin;

use attesto::event::{Event, EventName};
use attesto::host::{EventSink, HostError, IntrospectionPolicy, ScopePolicy, ScopeRequest};
use attesto::scope::Scope;
use futures_util::future::{Either, select};
use serde_json::{Map, Value};
use spin_sdk::wasip3::clocks::monotonic_clock;

use super::{HostErrorOf, Parts, failed};
use crate::bindings::attesto::rules;

/// How long a response waits for the event sink to take note of one event, in nanoseconds.
const EVENT_TIME: u64 = 250_000_000;

impl From<rules::types::Error> for HostErrorOf {
    fn from(rules::types::Error::Unavailable(cause): rules::types::Error) -> Self {
        Self(HostError(cause))
    }
}

impl ScopePolicy for Parts {
    async fn authorize_scope(&self, request: ScopeRequest<'_>) -> Result<Option<Scope>, HostError> {
        use rules::scope_policy::{self as wit, Decision};
        let request = wit::ScopeRequest {
            client_id: request.client.client_id.clone(),
            client_scope: request.client.scope.as_ref().map(|scope| scope.tokens().to_vec()),
            grant_type: request.grant_type.to_owned(),
            subject: request.sub.map(str::to_owned),
            requested: request.requested.tokens().to_vec(),
        };
        match wit::authorize_scope(request).await.map_err(failed)? {
            Decision::Granted(tokens) => match Scope::from_tokens(tokens) {
                Ok(scope) => Ok(Some(scope)),
                Err(_) => Err(HostError("the scope policy granted a malformed scope".to_owned())),
            },
            Decision::Refused => Ok(None),
        }
    }

    async fn allowed_resources(&self, client_id: &str) -> Result<Option<Vec<String>>, HostError> {
        rules::scope_policy::allowed_resources(client_id.to_owned()).await.map_err(failed)
    }

    async fn issue_refresh_token(
        &self,
        client_id: &str,
        sub: &str,
        scope: &Scope,
    ) -> Result<bool, HostError> {
        let request = rules::scope_policy::RefreshTokenRequest {
            client_id: client_id.to_owned(),
            subject: sub.to_owned(),
            scope: scope.tokens().to_vec(),
        };
        rules::scope_policy::issue_refresh_token(request).await.map_err(failed)
    }
}

impl IntrospectionPolicy for Parts {
    async fn authorize_introspection(
        &self,
        caller: &str,
        response: &Map<String, Value>,
    ) -> Result<bool, HostError> {
        use rules::introspection_policy::authorize_introspection;
        let response = Value::Object(response.clone()).to_string();
        authorize_introspection(caller.to_owned(), response).await.map_err(failed)
    }
}

impl EventSink for Parts {
    async fn emit(&self, event: Event) {
        use rules::event_sink::{self as wit, EventName as Wit};
        let name = event.name;
        let taken_note = wit::emit(wit::Event {
            name: match event.name {
                EventName::CodeIssued => Wit::CodeIssued,
                EventName::AuthorizationDenied => Wit::AuthorizationDenied,
                EventName::AuthorizationFailed => Wit::AuthorizationFailed,
                EventName::TokenIssued => Wit::TokenIssued,
                EventName::TokenDenied => Wit::TokenDenied,
                EventName::CodeReplayDetected => Wit::CodeReplayDetected,
                EventName::RefreshIssued => Wit::RefreshIssued,
                EventName::RefreshRotated => Wit::RefreshRotated,
                EventName::RefreshReuseDetected => Wit::RefreshReuseDetected,
                EventName::TokenRevoked => Wit::TokenRevoked,
                EventName::TokenIntrospected => Wit::TokenIntrospected,
                EventName::AuthSucceeded => Wit::AuthSucceeded,
                EventName::AuthDenied => Wit::AuthDenied,
            },
            time: event.time,
            subject: event.subject,
            client_id: event.client_id,
            scope: event.scope,
            grant_type: event.grant_type.map(str::to_owned),
            result: event.result,
            metadata: Value::Object(event.metadata).to_string(),
        });
        // The response waits for the note, and for no more than this.
        let enough = monotonic_clock::wait_for(EVENT_TIME);
        if let Either::Right(_) = select(pin!(taken_note), pin!(enough)).await {
            eprintln!("attesto: rules: the event sink took too long over {name:?}; its response goes out");
        }
    }

    fn log_fault(&self, fault: &str) {
        eprintln!("attesto: {fault}");
    }
}
