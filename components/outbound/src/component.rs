//! The part's exports.

use std::cell::RefCell;
use std::pin::pin;

use bindings::exports::attesto::outbound::fetcher::{Document, Error, Guest, Limits, Settings};
use futures_util::future::{Either, select};
use http::header::{ACCEPT, USER_AGENT};
use http_body_util::BodyExt;
use spin_sdk::http::{EmptyBody, send};
use spin_sdk::wasip3::clocks::monotonic_clock;
use spin_sdk::wasip3::http::types::ErrorCode;
use url::Url;

use crate::answer::{Unfit, head};
use crate::guard;

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: ["../../wit/outbound", "wit"],
        world: "attesto-part:outbound/outbound",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });

    export!(Outbound);

    pub(super) struct Outbound;
}

thread_local! {
    static INTERNAL_HOSTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl Guest for bindings::Outbound {
    async fn configure(settings: Settings) -> Result<(), String> {
        INTERNAL_HOSTS.set(settings.internal_hosts);
        Ok(())
    }

    async fn fetch_document(url: String, limits: Limits) -> Result<Document, Error> {
        let url = INTERNAL_HOSTS.with_borrow(|hosts| guard::admit(&url, hosts));
        let url = url.map_err(|refusal| Error::Refused(refusal.to_string()))?;
        let timeout = monotonic_clock::wait_for(limits.timeout_ms.saturating_mul(1_000_000));
        match select(pin!(fetch(&url, limits.max_bytes)), pin!(timeout)).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => {
                Err(Error::Failed(format!("it took more than {} milliseconds", limits.timeout_ms)))
            }
        }
    }
}

async fn fetch(url: &Url, max_bytes: u64) -> Result<Document, Error> {
    let request = http::Request::get(url.as_str())
        .header(ACCEPT, "application/json, application/jwk-set+json")
        .header(USER_AGENT, concat!("attesto/", env!("CARGO_PKG_VERSION")))
        .body(EmptyBody::new())
        .map_err(|error| Error::Refused(error.to_string()))?;
    let (response, mut content) = send(request).await.map_err(unsent)?.into_parts();
    let head = head(response.status, &response.headers, max_bytes).map_err(unfit)?;
    let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    while let Some(frame) = content.frame().await {
        let frame = frame.map_err(|error| Error::Failed(format!("its content broke off: {error:?}")))?;
        let Some(data) = frame.data_ref() else { continue };
        if data.len() > max_bytes.saturating_sub(body.len()) {
            return Err(unfit(Unfit::TooLarge));
        }
        body.extend_from_slice(data);
    }
    Ok(Document { body, content_type: Some(head.content_type), max_age: head.max_age })
}

fn unfit(unfit: Unfit) -> Error {
    Error::Failed(unfit.to_string())
}

/// Why nothing came back.
fn unsent(error: ErrorCode) -> Error {
    match error {
        ErrorCode::HttpRequestDenied => {
            Error::Refused("the manifest's `allowed_outbound_hosts` does not allow it".to_owned())
        }
        ErrorCode::DestinationIpProhibited => {
            Error::Refused("its name is one of an address of special use".to_owned())
        }
        error => Error::Failed(format!("{error:?}")),
    }
}
