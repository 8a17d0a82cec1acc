//! Between `wasi:http` and the engine's messages.

use attesto::http::{Body, MAX_BODY, Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};

/// Takes a request in, reading no more of its body than the engine wants.
pub(crate) async fn request_in(request: spin_sdk::http::Request) -> Request {
    let (parts, mut incoming) = request.into_parts();
    let mut body = Vec::new();
    let body = loop {
        match incoming.frame().await {
            None => break Body::Complete(body),
            Some(Ok(frame)) => {
                let Some(data) = frame.data_ref() else { continue };
                if body.len().saturating_add(data.len()) > MAX_BODY {
                    break Body::TooLarge;
                }
                body.extend_from_slice(data);
            }
            // A body that broke off is not the body that was sent; as one that is too large, it is refused.
            Some(Err(_)) => break Body::TooLarge,
        }
    };
    Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
    }
}

/// Hands a response out.
pub(crate) fn response_out(response: Response) -> http::Response<Full<Bytes>> {
    let mut out = http::Response::new(Full::new(Bytes::from(response.body)));
    *out.status_mut() = response.status;
    *out.headers_mut() = response.headers;
    out
}
