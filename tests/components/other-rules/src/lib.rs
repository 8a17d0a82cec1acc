//! Rules of another house: nobody gets `email`, `profile` is refused, one resource is allowed, one caller learns nothing
//! of any token, events have another look, and over one kind of them it thinks for an hour.

use bindings::exports::attesto::rules::{event_sink, introspection_policy, scope_policy, types};

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/rules", "wit"],
        world: "attesto-test:other-rules/other-rules",
        generate_all,
    });

    export!(Rules);

    pub(super) struct Rules;
}

/// What any client may ask tokens for, where settings and registration allow it as well.
const RESOURCE: &str = "https://orders.example";

/// Whose every token is inactive.
const BLIND_CALLER: &str = "blind";

/// In nanoseconds.
const HOUR: u64 = 3_600_000_000_000;

impl scope_policy::Guest for bindings::Rules {
    async fn configure(_: scope_policy::Settings) -> Result<(), String> {
        Ok(())
    }

    async fn allowed_resources(_: String) -> Result<Option<Vec<String>>, types::Error> {
        Ok(Some(vec![RESOURCE.to_owned()]))
    }

    async fn authorize_scope(
        request: scope_policy::ScopeRequest,
    ) -> Result<scope_policy::Decision, types::Error> {
        if request.requested.iter().any(|token| token == "profile") {
            return Ok(scope_policy::Decision::Refused);
        }
        let granted = request.requested.into_iter().filter(|token| token != "email").collect();
        Ok(scope_policy::Decision::Granted(granted))
    }

    async fn issue_refresh_token(_: scope_policy::RefreshTokenRequest) -> Result<bool, types::Error> {
        Ok(true)
    }
}

impl introspection_policy::Guest for bindings::Rules {
    async fn authorize_introspection(caller: String, response: String) -> Result<bool, types::Error> {
        println!("other-rules was asked whether `{caller}` may have {response}");
        Ok(caller != BLIND_CALLER)
    }
}

impl event_sink::Guest for bindings::Rules {
    async fn emit(event: event_sink::Event) {
        if matches!(event.name, event_sink::EventName::TokenDenied) {
            wasip3::clocks::monotonic_clock::wait_for(HOUR).await;
        }
        println!("other-rules saw {:?}", event.name);
    }
}
