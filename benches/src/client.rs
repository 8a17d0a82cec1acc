//! One keep-alive connection to a server, and what it takes to speak OAuth over it.

use anyhow::{Context, Result, bail};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A connection that is kept open.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A form's fields.
pub(crate) type Fields<'a> = [(&'a str, &'a str)];

impl Connection {
    /// Connects to the loopback address.
    pub(crate) async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Ends with the sender; what goes wrong on the way is what `send` says.
        tokio::spawn(connection);
        Ok(Self { sender, authority: format!("localhost:{port}") })
    }

    /// `GET`, with cookies.
    pub(crate) async fn get(&mut self, path: &str, cookies: &str) -> Result<Answer> {
        self.send(Method::GET, path, &[(COOKIE, cookies)], Bytes::new()).await
    }

    /// `POST` of a form, with one header.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        headers: &[(http::HeaderName, &str)],
        fields: &Fields<'_>,
    ) -> Result<Answer> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut all = vec![(CONTENT_TYPE, "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.send(Method::POST, path, &all, body.into()).await
    }

    /// A token request of the client whose `Authorization` header this is.
    pub(crate) async fn token(
        &mut self,
        path: &str,
        authorization: &str,
        fields: &Fields<'_>,
    ) -> Result<Value> {
        let answer = self.post(path, &[(AUTHORIZATION, authorization)], fields).await?;
        if answer.status != StatusCode::OK {
            bail!("a token request was answered with {}", answer.shown());
        }
        Ok(serde_json::from_slice(&answer.body)?)
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(http::HeaderName, &str)],
        body: Bytes,
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.authority);
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, *value);
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::new(body))?).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

impl Answer {
    /// Where a redirect leads.
    pub(crate) fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION)?.to_str().ok()
    }

    /// The cookies it sets, as `name=value`.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        fields.filter_map(|field| field.split(';').next()?.split_once('='))
    }

    /// For the message when it is not the answer that was wanted.
    pub(crate) fn shown(&self) -> String {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(400).collect();
        format!("{} {body}", self.status)
    }
}

/// A member of a JSON object that must be a string.
pub(crate) fn text<'a>(object: &'a Value, member: &str) -> Result<&'a str> {
    object.get(member).and_then(Value::as_str).with_context(|| format!("no `{member}` in {object}"))
}
