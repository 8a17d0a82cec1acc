//! Rules of another house: nobody gets `email`, `profile` is refused, events have another look, and over one kind of them it thinks for an hour.

use bindings::exports::attesto::rules::{event_sink, scope_policy, types};

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

/// In nanoseconds.
const HOUR: u64 = 3_600_000_000_000;

impl scope_policy::Guest for bindings::Rules {
    async fn configure(_: scope_policy::Settings) -> Result<(), String> {
        Ok(())
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

impl event_sink::Guest for bindings::Rules {
    async fn emit(event: event_sink::Event) {
        if matches!(event.name, event_sink::EventName::TokenDenied) {
            wasip3::clocks::monotonic_clock::wait_for(HOUR).await;
        }
        println!("other-rules saw {:?}", event.name);
    }
}
