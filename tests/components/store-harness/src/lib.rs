//! The contract of `attesto:stores`, one function a path: JSON in, JSON out. `x-instance` tells the instances apart.

use std::sync::OnceLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use bindings::attesto::stores::types::Error;
use bindings::attesto::stores::{
    code_store, consent_grant_store, document_cache, maintenance, nonce_store, par_store, refresh_store,
    replay_store, revoked_token_store,
};
use serde_json::{Value, json};
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{HeaderMap, HeaderValue, IntoResponse, Request, StatusCode};
use spin_sdk::http_service;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: ["../../../wit/stores", "wit"],
        world: "attesto-test:store-harness/store-harness",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

static INSTANCE: OnceLock<u64> = OnceLock::new();

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let instance = *INSTANCE.get_or_init(spin_sdk::wasip3::random::random::get_random_u64);
    let mut headers = HeaderMap::new();
    headers.insert("x-instance", HeaderValue::from(instance));
    match answer(request).await {
        Ok(value) => (StatusCode::OK, headers, value.to_string()),
        Err(cause) => (StatusCode::INTERNAL_SERVER_ERROR, headers, cause),
    }
}

async fn answer(request: Request) -> Result<Value, String> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().bytes().await.map_err(|error| format!("{error:?}"))?;
    let arguments: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    code_store::configure("default".to_owned()).await?;
    call(&path, &arguments).await.map_err(|Error::Unavailable(cause)| cause)
}

fn text(arguments: &Value, name: &str) -> String {
    arguments[name].as_str().unwrap_or_default().to_owned()
}

fn octets(arguments: &Value, name: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(&text(arguments, name)).unwrap_or_default()
}

fn number(arguments: &Value, name: &str) -> u64 {
    arguments[name].as_u64().unwrap_or_default()
}

fn issued(issued: Option<code_store::Issued>) -> Value {
    issued.map_or(Value::Null, |issued| {
        json!({
            "jti": issued.jti,
            "jti_expires_at": issued.jti_expires_at,
            "family": issued.family,
            "expires_at": issued.expires_at,
        })
    })
}

fn refresh_token(arguments: &Value) -> refresh_store::RefreshToken {
    refresh_store::RefreshToken {
        digest: octets(arguments, "digest"),
        family: text(arguments, "family"),
        client_id: text(arguments, "client_id"),
        subject: text(arguments, "subject"),
        expires_at: number(arguments, "expires_at"),
        grant: octets(arguments, "grant"),
    }
}

async fn call(path: &str, arguments: &Value) -> Result<Value, Error> {
    let digest = octets(arguments, "digest");
    let now = number(arguments, "now");
    Ok(match path {
        "/code-store/put" => {
            let code = code_store::Code {
                digest,
                client_id: text(arguments, "client_id"),
                subject: text(arguments, "subject"),
                expires_at: number(arguments, "expires_at"),
                grant: octets(arguments, "grant"),
            };
            code_store::put(code).await?;
            json!("ok")
        }
        "/code-store/peek" => code_store::peek(digest, now).await?.map_or(Value::Null, |found| {
            json!({
                "client_id": found.code.client_id,
                "subject": found.code.subject,
                "expires_at": found.code.expires_at,
                "grant": Base64UrlUnpadded::encode_string(&found.code.grant),
                "redeemed": found.redeemed,
            })
        }),
        "/code-store/redeem" => match code_store::redeem(digest, now).await? {
            code_store::Redemption::Redeemed => json!("redeemed"),
            code_store::Redemption::Replayed(what) => json!({ "replayed": issued(what) }),
            code_store::Redemption::Unknown => json!("unknown"),
        },
        "/code-store/finalize" => {
            let issued = code_store::Issued {
                jti: text(arguments, "jti"),
                jti_expires_at: number(arguments, "jti_expires_at"),
                family: arguments["family"].as_str().map(str::to_owned),
                expires_at: number(arguments, "expires_at"),
            };
            match code_store::finalize(digest, issued).await? {
                code_store::Finalization::Finalized => json!("finalized"),
                code_store::Finalization::Replayed => json!("replayed"),
            }
        }
        "/revoked-token-store/revoke" => {
            let expires_at = number(arguments, "expires_at");
            revoked_token_store::revoke(text(arguments, "jti"), expires_at, now).await?;
            json!("ok")
        }
        "/revoked-token-store/is-revoked" => {
            json!(revoked_token_store::is_revoked(text(arguments, "jti"), now).await?)
        }
        "/revoked-token-store/revoked-since" => {
            let revoked = revoked_token_store::revoked_since(number(arguments, "since"), now).await?;
            let tokens = revoked.tokens.into_iter().map(|token| json!([token.jti, token.expires_at]));
            json!({ "tokens": tokens.collect::<Value>(), "next": revoked.next })
        }
        "/replay-store/claim" => {
            match replay_store::claim(digest, number(arguments, "expires_at"), now).await? {
                replay_store::Claimed::Fresh => json!("fresh"),
                replay_store::Claimed::Replayed => json!("replayed"),
            }
        }
        "/nonce-store/issue" => {
            nonce_store::issue(digest, number(arguments, "expires_at")).await?;
            json!("ok")
        }
        "/nonce-store/check" => json!(nonce_store::check(digest, now).await?),
        "/nonce-store/accept" => json!(nonce_store::accept(digest, now).await?),
        "/par-store/put" => {
            let request = par_store::PushedRequest {
                digest,
                client_id: text(arguments, "client_id"),
                expires_at: number(arguments, "expires_at"),
                request: octets(arguments, "request"),
            };
            par_store::put(request).await?;
            json!("ok")
        }
        "/par-store/fetch" => par_store::fetch(digest, now).await?.map_or(Value::Null, |request| {
            json!({
                "client_id": request.client_id,
                "expires_at": request.expires_at,
                "request": Base64UrlUnpadded::encode_string(&request.request),
            })
        }),
        "/par-store/take" => json!(par_store::take(digest, now).await?),
        "/document-cache/get" => {
            let document = document_cache::get(text(arguments, "url"), now).await?;
            document.map_or(Value::Null, |document| {
                json!({
                    "body": Base64UrlUnpadded::encode_string(&document.body),
                    "fetched_at": document.fetched_at,
                    "expires_at": document.expires_at,
                })
            })
        }
        "/document-cache/put" => {
            let document = document_cache::Document {
                body: octets(arguments, "body"),
                fetched_at: number(arguments, "fetched_at"),
                expires_at: number(arguments, "expires_at"),
            };
            document_cache::put(text(arguments, "url"), document).await?;
            json!("ok")
        }
        "/document-cache/delete" => {
            document_cache::delete(text(arguments, "url")).await?;
            json!("ok")
        }
        "/consent-grant-store/mint" => {
            let expires_at = number(arguments, "expires_at");
            consent_grant_store::mint(digest, octets(arguments, "binding"), expires_at).await?;
            json!("ok")
        }
        "/consent-grant-store/consume" => {
            use consent_grant_store::Consumption;
            match consent_grant_store::consume(digest, octets(arguments, "binding"), now).await? {
                Consumption::Consumed => json!("consumed"),
                Consumption::Unknown => json!("unknown"),
                Consumption::Expired => json!("expired"),
                Consumption::BindingMismatch => json!("binding-mismatch"),
                Consumption::AlreadyConsumed => json!("already-consumed"),
            }
        }
        "/refresh-store/put" => {
            refresh_store::put(refresh_token(arguments)).await?;
            json!("ok")
        }
        "/refresh-store/peek" => refresh_store::peek(digest, now).await?.map_or(Value::Null, |found| {
            json!({
                "family": found.token.family,
                "client_id": found.token.client_id,
                "subject": found.token.subject,
                "expires_at": found.token.expires_at,
                "grant": Base64UrlUnpadded::encode_string(&found.token.grant),
                "rotated": found.rotated,
            })
        }),
        "/refresh-store/rotate" => {
            use refresh_store::Rotation;
            let successor = refresh_token(&arguments["successor"]);
            match refresh_store::rotate(digest, successor, number(arguments, "grace"), now).await? {
                Rotation::Rotated => json!("rotated"),
                Rotation::Retried => json!("retried"),
                Rotation::Reused(family) => json!({ "reused": family }),
                Rotation::Revoked => json!("revoked"),
                Rotation::Unknown => json!("unknown"),
            }
        }
        "/refresh-store/extend" => {
            refresh_store::extend(digest, number(arguments, "expires_at")).await?;
            json!("ok")
        }
        "/refresh-store/revoke-family" => {
            let expires_at = number(arguments, "expires_at");
            refresh_store::revoke_family(text(arguments, "family"), expires_at).await?;
            json!("ok")
        }
        "/maintenance/sweep" => {
            let swept = maintenance::sweep(now, number(arguments, "limit")).await?;
            swept.into_iter().map(|swept| json!([swept.kind, swept.count])).collect()
        }
        other => return Err(Error::Unavailable(format!("no function {other}"))),
    })
}
