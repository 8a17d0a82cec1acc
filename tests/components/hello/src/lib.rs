//! The main component of the host's tests: one route for each thing the host gives or withholds.

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: r#"
            package attesto-test:greeter@0.1.0;

            interface greet {
                greet: async func(name: string) -> result<string, string>;
                read-file: async func(path: string) -> result<string, string>;
            }

            world hello {
                import greet;
            }
        "#,
        world: "hello",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bindings::attesto_test::greeter::greet;
use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store};
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{HeaderMap, HeaderValue, IntoResponse, Request, StatusCode};
use spin_sdk::http_service;
use spin_sdk::key_value::Store;

static INSTANCE: OnceLock<u64> = OnceLock::new();
static REQUESTS: AtomicU32 = AtomicU32::new(0);
static AT_A_TIME: AtomicU32 = AtomicU32::new(0);

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let at_a_time = AT_A_TIME.fetch_add(1, Ordering::Relaxed) + 1;
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
    let instance = *INSTANCE.get_or_init(spin_sdk::wasip3::random::random::get_random_u64);
    let answer = answer(request).await;
    AT_A_TIME.fetch_sub(1, Ordering::Relaxed);
    let (status, text) = match answer {
        Ok(text) => (StatusCode::OK, text),
        Err(text) => (StatusCode::IM_A_TEAPOT, text),
    };
    let mut headers = HeaderMap::new();
    headers.insert("x-instance", HeaderValue::from(instance));
    headers.insert("x-number", HeaderValue::from(number));
    headers.insert("x-at-a-time", HeaderValue::from(at_a_time));
    (status, headers, text)
}

async fn answer(request: Request) -> Result<String, String> {
    let path = request.uri().path().to_owned();
    let query = query(request.uri().query().unwrap_or_default());
    let text = |name: &str| query.get(name).cloned().unwrap_or_default();
    let number = |name: &str| text(name).parse::<u64>().unwrap_or_default();
    match path.as_str() {
        "/hello" => greet::greet(text("name")).await,
        "/headers" => Ok(request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap_or("?")))
            .collect()),
        "/uri" => Ok(request.uri().to_string()),
        "/echo" => {
            let body = request.into_body().bytes().await.map_err(|error| format!("{error:?}"))?;
            Ok(String::from_utf8_lossy(&body).into_owned())
        }
        "/print" => {
            println!("{}", text("line"));
            Ok(String::new())
        }
        "/panic" => panic!("asked to"),
        "/loop" => loop {
            std::hint::black_box(());
        },
        "/slow" => {
            spin_sdk::time::sleep(Duration::from_millis(number("ms"))).await;
            Ok("slow".to_owned())
        }
        "/variable" => spin_sdk::variables::get(text("name")).await.map_err(|error| format!("{error:?}")),
        "/file" => std::fs::read_to_string(text("path")).map_err(|error| error.to_string()),
        "/write" => {
            std::fs::write(text("path"), "x").map(|()| String::new()).map_err(|error| error.to_string())
        }
        "/part-file" => greet::read_file(text("path")).await,
        "/environment" => Ok(std::env::vars().map(|(name, value)| format!("{name}={value}\n")).collect()),
        "/outbound" => outbound(&text("url")).await,
        "/connect" => {
            std::net::TcpStream::connect(text("to")).map(|_| String::new()).map_err(|error| error.to_string())
        }
        path => match path.strip_prefix("/wasi-kv/") {
            Some(call) => wasi(call, &text("store"), &text("key"), text("value")).await,
            None => match path.strip_prefix("/spin-kv/") {
                Some(call) => spin(call, &text("store"), &text("key"), text("value")).await,
                None => Err(format!("no route {path}")),
            },
        },
    }
}

async fn outbound(url: &str) -> Result<String, String> {
    let response = spin_sdk::http::get(url).await.map_err(|error| format!("{error:?}"))?;
    let status = response.status();
    let body = response.into_body().bytes().await.map_err(|error| format!("{error:?}"))?;
    Ok(format!("{} {}", status.as_u16(), String::from_utf8_lossy(&body)))
}

async fn wasi(call: &str, label: &str, key: &str, value: String) -> Result<String, String> {
    let failed = |error: store::Error| format!("{error:?}");
    let shown = |value: Option<Vec<u8>>| match value {
        Some(value) => String::from_utf8_lossy(&value).into_owned(),
        None => "(none)".to_owned(),
    };
    let bucket = store::open(label).map_err(failed)?;
    match call {
        "get" => bucket.get(key).map(shown).map_err(failed),
        "set" => bucket.set(key, value.as_bytes()).map(|()| String::new()).map_err(failed),
        "delete" => bucket.delete(key).map(|()| String::new()).map_err(failed),
        "exists" => bucket.exists(key).map(|exists| exists.to_string()).map_err(failed),
        "keys" => bucket.list_keys(None).map(|page| page.keys.join(",")).map_err(failed),
        "increment" => {
            let delta = value.parse().unwrap_or(1);
            atomics::increment(&bucket, key, delta).map(|sum| sum.to_string()).map_err(failed)
        }
        // What a naive "first one wins" looks like; the test wants it to lose.
        "get-then-set" => match bucket.get(key).map_err(failed)? {
            Some(_) => Ok("lost".to_owned()),
            None => bucket.set(key, b"taken").map(|()| "won".to_owned()).map_err(failed),
        },
        "swap" => {
            let cas = atomics::Cas::new(&bucket, key).map_err(failed)?;
            let seen = shown(cas.current().map_err(failed)?);
            if seen == "interfere" {
                bucket.set(key, b"changed under way").map_err(failed)?;
            }
            match atomics::swap(cas, value.as_bytes()) {
                Ok(()) => Ok("swapped".to_owned()),
                Err(atomics::CasError::CasFailed(cas)) => cas.current().map(shown).map_err(failed),
                Err(atomics::CasError::StoreError(error)) => Err(failed(error)),
            }
        }
        "batch" => {
            let entries = [("a".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec())];
            batch::set_many(&bucket, &entries).map_err(failed)?;
            batch::delete_many(&bucket, &["b".to_owned()]).map_err(failed)?;
            let found = batch::get_many(&bucket, &["a".to_owned(), "b".to_owned()]).map_err(failed)?;
            Ok(found.into_iter().map(|(key, value)| format!("{key}={};", shown(value))).collect())
        }
        _ => Err(format!("no call {call}")),
    }
}

async fn spin(call: &str, label: &str, key: &str, value: String) -> Result<String, String> {
    let failed = |error| format!("{error:?}");
    let store = Store::open(label).await.map_err(failed)?;
    match call {
        "get" => Ok(store
            .get(key)
            .await
            .map_err(failed)?
            .map_or("(none)".to_owned(), |value| String::from_utf8_lossy(&value).into_owned())),
        "set" => store.set(key, value.as_bytes()).await.map(|()| String::new()).map_err(failed),
        "delete" => store.delete(key).await.map(|()| String::new()).map_err(failed),
        "exists" => store.exists(key).await.map(|exists| exists.to_string()).map_err(failed),
        "keys" => store.get_keys().await.collect().await.map(|keys| keys.join(",")).map_err(failed),
        _ => Err(format!("no call {call}")),
    }
}

fn query(query: &str) -> HashMap<String, String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
