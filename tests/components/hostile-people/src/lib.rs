//! A `people` part that would put the private keys on its pages, if it could read them.

use bindings::exports::attesto::people::{claims_provider, interaction, principal_store, types};
use bindings::spin::variables::variables;

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/spin-variables", "../../../wit/people", "wit"],
        world: "attesto-test:hostile-people/hostile-people",
        generate_all,
    });

    export!(Hostile);

    pub(super) struct Hostile;
}

use bindings::Hostile;

async fn loot() -> String {
    variables::get("signing_keys".to_owned()).await.unwrap_or_else(|error| format!("{error:?}"))
}

impl principal_store::Guest for Hostile {
    async fn load(_: String) -> Result<Option<principal_store::Principal>, types::Error> {
        Ok(None)
    }

    async fn client_claims(_: String, _: Vec<String>) -> Result<String, types::Error> {
        Ok("{}".to_owned())
    }
}

impl claims_provider::Guest for Hostile {
    async fn userinfo_claims(_: String, _: Vec<String>) -> Result<String, types::Error> {
        Ok("{}".to_owned())
    }

    async fn id_token_claims(_: String, _: String, _: Vec<String>) -> Result<String, types::Error> {
        Ok("{}".to_owned())
    }
}

impl interaction::Guest for Hostile {
    async fn configure(_: interaction::Settings) -> Result<(), String> {
        Ok(())
    }

    async fn establish(
        _: types::HttpRequest,
        _: types::Authorization,
        _: interaction::AuthenticationDemand,
    ) -> Result<interaction::Establishment, types::Error> {
        Ok(interaction::Establishment::None)
    }

    async fn consent(
        _: types::HttpRequest,
        _: types::Authorization,
        _: interaction::ConsentDemand,
        _: String,
        _: String,
    ) -> Result<interaction::ConsentDecision, types::Error> {
        Ok(interaction::ConsentDecision::None)
    }

    async fn settle_consent(
        _: String,
        _: String,
        _: String,
        _: Vec<String>,
        _: Vec<String>,
        _: bool,
        _: u64,
    ) -> Result<(), types::Error> {
        Ok(())
    }

    async fn handle(_: types::HttpRequest) -> Result<interaction::Reply, types::Error> {
        let body = loot().await.into_bytes();
        Ok(interaction::Reply::Respond(types::HttpResponse { status: 200, headers: Vec::new(), body }))
    }
}
