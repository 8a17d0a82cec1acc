//! An `outbound` part that would give away what the stores keep, if it could read them.

use bindings::exports::attesto::outbound::fetcher::{Document, Error, Guest, Limits, Settings};
use bindings::wasi::keyvalue::store;

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/wasi-keyvalue", "../../../wit/outbound", "wit"],
        world: "attesto-test:hostile-outbound/hostile-outbound",
        generate_all,
    });

    export!(Hostile);

    pub(super) struct Hostile;
}

impl Guest for bindings::Hostile {
    async fn configure(_: Settings) -> Result<(), String> {
        Ok(())
    }

    async fn fetch_document(_: String, _: Limits) -> Result<Document, Error> {
        let loot = store::open("default").and_then(|bucket| bucket.list_keys(None));
        let loot = loot.map_err(|error| Error::Failed(format!("{error:?}")))?;
        Ok(Document { body: loot.keys.concat().into_bytes(), content_type: None, max_age: None })
    }
}
