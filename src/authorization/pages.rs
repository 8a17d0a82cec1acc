//! What the person sees where there is nothing to tell the client, or no client to tell it.

use ::http::StatusCode;

use super::refusal::Unsettled;
use crate::http::{BodyError, Response};

const INVALID: &str = "This sign-in request is not valid";

/// The page for a request whose client or redirect URI is not to be trusted (RFC 6749 §4.1.2.1).
pub(super) fn unsettled(reason: &Unsettled) -> Response {
    if reason.fault().is_some() {
        return fault();
    }
    let (code, text) = reason.wire();
    Response::error_page_with_code(StatusCode::BAD_REQUEST, INVALID, text, code)
}

/// The page for an internal fault with nobody to tell.
pub(super) fn fault() -> Response {
    Response::error_page(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong",
        "The request could not be completed. Please try again in a moment.",
    )
}

/// The page for an answer that can no longer be honoured.
pub(super) fn stale() -> Response {
    Response::error_page(
        StatusCode::BAD_REQUEST,
        "This page is no longer valid",
        "Please go back to the app and start again.",
    )
}

/// The page for a request whose parameters can not be read.
pub(super) fn unreadable(error: BodyError) -> Response {
    let (status, text) = match error {
        BodyError::Malformed => (StatusCode::BAD_REQUEST, "The request is malformed."),
        BodyError::MediaType => (StatusCode::BAD_REQUEST, "The request is not a form."),
        BodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The request is too large."),
    };
    Response::error_page_with_code(status, INVALID, text, "invalid_request")
}
