//! Authorization responses (RFC 6749 §4.1.2, §4.1.2.1; RFC 9207; JARM).

use rand_core::CryptoRng;
use serde_json::{Map, Value};

use super::form_post;
use super::pages;
use super::refusal::Refusal;
use super::request::Settled;
use super::response_mode::Encoding;
use crate::client::Client;
use crate::host::Host;
use crate::http::Response;
use crate::secret::Secret;
use crate::server::Context;

/// How long a signed answer is good, seconds: "a maximum JWT lifetime of 10 minutes is RECOMMENDED" (JARM §2.1).
const SIGNED_LIFETIME: u64 = 300;

/// Hands the code to the client.
pub(super) async fn success(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    to: &Settled,
    code: &Secret<String>,
) -> Response {
    deliver(cx, to, &[("code", code.expose())]).await
}

/// Tells the client why there is none.
pub(super) async fn error(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    to: &Settled,
    refusal: &Refusal,
) -> Response {
    let (code, description) = refusal.wire();
    deliver(cx, to, &[("error", code), ("error_description", description)]).await
}

/// Sends an answer the way the request asked for.
async fn deliver(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    to: &Settled,
    answer: &[(&str, &str)],
) -> Response {
    let config = &cx.server.config;
    let mut params = answer.to_vec();
    params.extend(to.state.as_deref().map(|state| ("state", state)));
    let signed;
    if to.response_mode.signed {
        signed = match sign(cx, &to.client, &params).await {
            Ok(jwt) => jwt,
            // Nothing unsigned is sent to a client that relies on signatures.
            Err(cause) => {
                cx.host.log_fault(&cause);
                return pages::fault();
            }
        };
        params = vec![("response", signed.as_str())];
    } else if config.authorization_response_iss {
        // "the `iss` parameter […] The authorization server MUST include in error responses as well" (RFC 9207 §2). A
        // signed answer has the claim (§2.4).
        params.push(("iss", &config.issuer));
    }
    let redirect_uri = &to.redirect_uri;
    let response = match to.response_mode.encoding {
        Encoding::Query => Response::see_other(&redirect_uri.with_query(params)),
        Encoding::Fragment => Response::see_other(&redirect_uri.with_fragment(params)),
        Encoding::FormPost => form_post::page(redirect_uri, &params),
    };
    response.unwrap_or_else(pages::fault)
}

/// The answer as a JWT: its parameters, beside who says so, to whom, and until when (JARM §2.1).
async fn sign(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client: &Client,
    params: &[(&str, &str)],
) -> Result<String, String> {
    let config = &cx.server.config;
    let registered = client.authorization_signed_response_alg.as_deref();
    let alg = config.signing_alg(registered, config.response_signing_alg).ok_or_else(|| {
        format!(
            "client `{}` is registered for authorization responses signed with an algorithm there is not",
            client.client_id
        )
    })?;
    let mut claims: Map<String, Value> =
        params.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    claims.insert("iss".to_owned(), config.issuer.as_str().into());
    claims.insert("aud".to_owned(), client.client_id.as_str().into());
    claims.insert("exp".to_owned(), cx.now.saturating_add(SIGNED_LIFETIME).into());
    cx.sign(alg, "JWT", &claims).await
}
