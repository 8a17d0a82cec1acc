//! The authorization server as a `wasi:http` service: HTTP becomes the engine's request, the engine asks the parts, and
//! its response becomes HTTP. There are no decisions here.

mod bindings;
mod host;
mod http;
mod outbound;
mod settings;

use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

use host::Parts;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let now = now();
    let response = match settings::server(now).await {
        Ok(server) => {
            let request = http::request_in(request).await;
            let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
            server.respond(&Parts, &request, now, &mut rng).await
        }
        Err(settings::Unusable) => attesto::http::Response::empty(::http::StatusCode::INTERNAL_SERVER_ERROR),
    };
    http::response_out(response)
}

/// Seconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "here the time enters, as an argument of the engine")]
fn now() -> u64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // A clock before 1970 makes everything expired or not yet valid, which is the safe side.
    since_epoch.map_or(0, |duration| duration.as_secs())
}
