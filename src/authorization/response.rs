//! Authorization responses (RFC 6749 §4.1.2, §4.1.2.1; RFC 9207).

use ::http::StatusCode;

use super::request::{Refusal, Unsettled};
use crate::config::Config;
use crate::http::Response;
use crate::redirect_uri::TrustedRedirectUri;
use crate::secret::Secret;

/// The redirect that hands the code to the client.
pub(super) fn success(
    config: &Config,
    to: &TrustedRedirectUri,
    state: Option<&str>,
    code: &Secret<String>,
) -> Response {
    redirect(config, to, state, &[("code", code.expose())])
}

/// The redirect that tells the client why there is none.
pub(super) fn error(
    config: &Config,
    to: &TrustedRedirectUri,
    state: Option<&str>,
    refusal: Refusal,
) -> Response {
    let (code, description) = refusal.wire();
    redirect(config, to, state, &[("error", code), ("error_description", description)])
}

fn redirect(
    config: &Config,
    to: &TrustedRedirectUri,
    state: Option<&str>,
    params: &[(&str, &str)],
) -> Response {
    // "the `iss` parameter […] The authorization server MUST include in error responses as well" (RFC 9207 §2).
    let iss = config.authorization_response_iss.then_some(("iss", config.issuer.as_str()));
    let state = state.map(|state| ("state", state));
    let location = to.with_query(params.iter().copied().chain(state).chain(iss));
    Response::see_other(&location).unwrap_or_else(|| page(&Unsettled::UnregisteredRedirectUri))
}

/// The page for a request whose client or redirect URI is not to be trusted (RFC 6749 §4.1.2.1). It names nothing the
/// request said.
pub(super) fn page(reason: &Unsettled) -> Response {
    let (status, text) = match reason {
        Unsettled::MissingClientId => {
            (StatusCode::BAD_REQUEST, "The request does not say which app it is from.")
        }
        Unsettled::Repeated => (StatusCode::BAD_REQUEST, "The request includes a parameter more than once."),
        Unsettled::UnknownClient => (StatusCode::BAD_REQUEST, "The app that sent you here is not known."),
        Unsettled::MissingRedirectUri | Unsettled::UnregisteredRedirectUri => (
            StatusCode::BAD_REQUEST,
            "The app that sent you here asked for an answer at an address that is not registered.",
        ),
        Unsettled::Host(_) => return fault_page(),
    };
    Response::error_page(status, "This sign-in request is not valid", text)
}

/// The page for an internal fault before anything is settled.
pub(super) fn fault_page() -> Response {
    Response::error_page(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong",
        "The request could not be completed. Please try again in a moment.",
    )
}

/// The page for an answer that can no longer be honoured.
pub(super) fn stale_page() -> Response {
    Response::error_page(
        StatusCode::BAD_REQUEST,
        "This page is no longer valid",
        "Please go back to the app and start again.",
    )
}
