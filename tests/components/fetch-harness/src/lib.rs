//! The contract of `attesto:outbound`: a request's lines are the URL, `max-bytes`, `timeout-ms` and the internal hosts.

use bindings::attesto::outbound::fetcher::{Limits, Settings, configure, fetch_document};
use bindings::attesto::outbound::types::Error;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: ["../../../wit/outbound", "wit"],
        world: "attesto-test:fetch-harness/fetch-harness",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    match answer(request).await {
        Ok(text) | Err(text) => text,
    }
}

async fn answer(request: Request) -> Result<String, String> {
    let body = request.into_body().bytes().await.map_err(|error| format!("{error:?}"))?;
    let text = String::from_utf8(body.to_vec()).map_err(|error| error.to_string())?;
    let mut lines = text.lines().map(str::to_owned);
    let url = lines.next().unwrap_or_default();
    let mut number = || lines.next().and_then(|line| line.parse().ok()).unwrap_or_default();
    let limits = Limits { max_bytes: number(), timeout_ms: number() };
    configure(Settings { internal_hosts: lines.collect() }).await?;
    match fetch_document(url, limits).await {
        Ok(document) => Ok(format!(
            "{} {:?} {}",
            document.content_type.unwrap_or_default(),
            document.max_age,
            String::from_utf8_lossy(&document.body)
        )),
        Err(Error::Refused(reason)) => Err(format!("refused: {reason}")),
        Err(Error::Failed(reason)) => Err(format!("failed: {reason}")),
    }
}
