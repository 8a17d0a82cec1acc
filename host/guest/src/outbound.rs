//! Outbound HTTP: `allowed_outbound_hosts`, and a guard against addresses that no stranger may make us call.
//!
//! Names are resolved here and the connection goes to the very address that was checked, so a name that changes its
//! mind between check and use (DNS rebinding) gains nothing. Redirects are not followed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use special_use::is_special_address;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// How long a step may take when the component sets no limit of its own.
const STEP: Duration = Duration::from_secs(30);

/// One entry of `allowed_outbound_hosts`: `scheme://host[:port]`, where scheme, host and port may be `*`, and a host
/// may start with `*.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    scheme: Option<String>,
    host: HostPattern,
    port: Option<PortPattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Any,
    Subdomains(String),
    Literal(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PortPattern {
    Any,
    Range(u16, u16),
}

impl AllowedHost {
    /// Reads one entry.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(entry: &str) -> Result<Self, String> {
        let (scheme, rest) = entry
            .split_once("://")
            .ok_or_else(|| format!("{entry:?} is not of the form scheme://host[:port]"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        if scheme != "*" && (scheme.is_empty() || !scheme.chars().all(|letter| letter.is_ascii_lowercase())) {
            return Err(format!("{entry:?}: the scheme must be lower-case letters or `*`"));
        }
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: HostPattern::parse(host).ok_or_else(|| format!("{entry:?}: unsupported host {host:?}"))?,
            port: port
                .map(|port| {
                    PortPattern::parse(port).ok_or_else(|| format!("{entry:?}: unsupported port {port:?}"))
                })
                .transpose()?,
        })
    }

    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
            && match &self.host {
                HostPattern::Any => true,
                HostPattern::Subdomains(domain) => host
                    .strip_suffix(domain.as_str())
                    .is_some_and(|name| name.len() > 1 && name.ends_with('.')),
                HostPattern::Literal(literal) => literal == host,
            }
            && match self.port {
                None => Some(port) == default_port(scheme),
                Some(PortPattern::Any) => true,
                Some(PortPattern::Range(first, last)) => (first..=last).contains(&port),
            }
    }
}

impl HostPattern {
    fn parse(host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        let plain = |name: &str| {
            let bare = name.trim_start_matches('[').trim_end_matches(']');
            bare.parse::<IpAddr>().is_ok()
                || (!name.is_empty()
                    && name
                        .chars()
                        .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_')))
        };
        match host.as_str() {
            "*" => Some(Self::Any),
            // Spin's service chaining and self requests, which this host does not have.
            "self" | "self.alt" => None,
            name if name.ends_with(".spin.internal") => None,
            name => match name.strip_prefix("*.") {
                Some(domain) => plain(domain).then(|| Self::Subdomains(domain.to_owned())),
                None => plain(name).then(|| Self::Literal(name.to_owned())),
            },
        }
    }
}

impl PortPattern {
    fn parse(port: &str) -> Option<Self> {
        if port == "*" {
            return Some(Self::Any);
        }
        match port.split_once("..") {
            Some((first, end)) => {
                Some(Self::Range(first.parse().ok()?, end.parse::<u16>().ok()?.checked_sub(1)?))
            }
            None => port.parse().ok().map(|port| Self::Range(port, port)),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// A destination that the manifest allows.
struct Destination {
    host: String,
    port: u16,
    tls: bool,
    /// The manifest names this very host, so its addresses are the operator's decision.
    named: bool,
}

/// Whom a certificate of the other end must be from.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The authorities that browsers trust, and those of a PEM file.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn new(pem: Option<&[u8]>) -> Result<Self, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
        let known = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.unwrap_or_default()) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        if pem.is_some() && roots.len() == known {
            return Err("there is no certificate in it".to_owned());
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

/// Outbound HTTP of one component.
#[derive(Clone)]
pub(crate) struct Outbound {
    pub(crate) allowed: Arc<Vec<AllowedHost>>,
    pub(crate) trust: Trust,
}

impl Outbound {
    fn destination(&self, uri: &Uri) -> Result<Destination, Error> {
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(Error::HttpRequestUriInvalid);
        };
        let port = uri.port_u16().or_else(|| default_port(scheme)).ok_or(Error::HttpRequestUriInvalid)?;
        let host = host.to_ascii_lowercase();
        let mut allowing =
            self.allowed.iter().filter(|allowed| allowed.allows(scheme, &host, port)).peekable();
        if allowing.peek().is_none() {
            return Err(Error::HttpRequestDenied);
        }
        let named = allowing.any(|allowed| matches!(allowed.host, HostPattern::Literal(_)));
        Ok(Destination { tls: uri.scheme() == Some(&Scheme::HTTPS), host, port, named })
    }
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Transfer), Error>> + Send> {
        let destination = self.destination(request.uri());
        let trust = self.trust.clone();
        Box::new(async move { send(destination?, &trust, request, options.unwrap_or_default()).await })
    }
}

/// Drives the connection until the response body is through.
type Transfer = Box<dyn Future<Output = Result<(), Error>> + Send>;

async fn send(
    destination: Destination,
    trust: &Trust,
    mut request: http::Request<WasiBody>,
    options: RequestOptions,
) -> Result<(http::Response<WasiBody>, Transfer), Error> {
    let connecting = connect(&destination, trust);
    let stream = timeout(options.connect_timeout.unwrap_or(STEP), connecting)
        .await
        .map_err(|_| Error::ConnectionTimeout)??;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;

    // Only a request to a proxy carries scheme and authority in its first line; the host is in its header.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().map_err(|_| Error::HttpRequestUriInvalid)?;

    let driver = AbortOnDrop(tokio::spawn(connection));
    let response = timeout(options.first_byte_timeout.unwrap_or(STEP), sender.send_request(request))
        .await
        .map_err(|_| Error::ConnectionReadTimeout)??;
    let pause = options.between_bytes_timeout.unwrap_or(STEP);
    let transfer: Transfer = Box::new(async move {
        match driver.finished().await {
            Some(result) => result.map_err(Error::from),
            None => Ok(()),
        }
    });
    Ok((response.map(|body| Paced::new(body.map_err(Error::from), pause).boxed_unsync()), transfer))
}

async fn connect(destination: &Destination, trust: &Trust) -> Result<Box<dyn Stream>, Error> {
    let Destination { host, port, tls, named } = destination;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found: Vec<SocketAddr> = tokio::net::lookup_host((bare, *port))
        .await
        .map_err(|error| Error::DnsError { rcode: Some(error.to_string()), info_code: None })?
        .collect();
    let allowed: Vec<SocketAddr> =
        found.into_iter().filter(|address| *named || !is_special_address(address.ip())).collect();
    if allowed.is_empty() {
        return Err(Error::DestinationIpProhibited);
    }
    let stream = TcpStream::connect(allowed.as_slice()).await.map_err(Error::Connect)?;
    // Without this a request in two writes waits for the peer's delayed acknowledgement.
    stream.set_nodelay(true).map_err(Error::Connect)?;
    if !tls {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(bare.to_owned()).map_err(|_| Error::HttpRequestUriInvalid)?;
    let connector = TlsConnector::from(Arc::clone(&trust.0));
    Ok(Box::new(connector.connect(name, stream).await.map_err(Error::Tls)?))
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Ends a connection's task when the component drops the response.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> AbortOnDrop<T> {
    async fn finished(mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A body whose pauses are bounded.
struct Paced<B> {
    body: B,
    pause: Duration,
    deadline: std::pin::Pin<Box<tokio::time::Sleep>>,
}

impl<B> Paced<B> {
    fn new(body: B, pause: Duration) -> Self {
        Self { body, pause, deadline: Box::pin(tokio::time::sleep(pause)) }
    }
}

impl<B: http_body::Body<Error = Error> + Unpin> http_body::Body for Paced<B> {
    type Data = B::Data;
    type Error = Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Error>>> {
        use std::task::Poll;
        match std::pin::Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                let next = tokio::time::Instant::now() + self.pause;
                self.deadline.as_mut().reset(next);
                Poll::Ready(frame)
            }
            Poll::Pending => {
                self.deadline.as_mut().poll(context).map(|()| Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbound(entry: &str) -> Outbound {
        let allowed = Arc::new(vec![AllowedHost::parse(entry).unwrap()]);
        Outbound { allowed, trust: Trust::new(None).unwrap() }
    }

    fn allows(entry: &str, url: &str) -> bool {
        outbound(entry).destination(&url.parse().unwrap()).is_ok()
    }

    #[test]
    fn scheme_host_and_port_must_all_match() {
        assert!(allows("https://example.com", "https://EXAMPLE.com/x"));
        assert!(allows("https://example.com:8443", "https://example.com:8443/"));
        assert!(allows("https://*.example.com", "https://a.b.example.com/"));
        assert!(allows("*://*:*", "http://anything:1/"));
        assert!(allows("http://[::1]:80", "http://[::1]/"));
        assert!(allows("http://h:8000..8003", "http://h:8002/"));
        assert!(!allows("http://h:8000..8003", "http://h:8003/"));
        assert!(!allows("https://example.com", "http://example.com/"));
        assert!(!allows("https://example.com", "https://example.com:8443/"));
        assert!(!allows("https://example.com", "https://example.com.evil.org/"));
        assert!(!allows("https://*.example.com", "https://example.com/"));
        assert!(!allows("https://*.example.com", "https://notexample.com/"));
    }

    #[test]
    fn entries_with_no_meaning_here_are_refused() {
        for entry in [
            "example.com",
            "https://",
            "https://a/b",
            "https://self",
            "http://x.spin.internal",
            "https://a*b",
            "https://a:x",
        ] {
            assert!(AllowedHost::parse(entry).is_err(), "{entry}");
        }
    }

    #[test]
    fn only_a_literal_entry_names_a_host() {
        let named =
            |entry: &str, url: &str| outbound(entry).destination(&url.parse().unwrap()).unwrap().named;
        assert!(named("http://127.0.0.1:9", "http://127.0.0.1:9/"));
        assert!(!named("http://*:*", "http://127.0.0.1:9/"));
        assert!(!named("http://*.local:*", "http://printer.local:9/"));
    }

    #[tokio::test]
    async fn a_wildcard_does_not_reach_special_addresses() {
        for host in ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1"] {
            let destination = Destination { host: host.to_owned(), port: 9, tls: false, named: false };
            let connected = connect(&destination, &Trust::new(None).unwrap()).await;
            assert!(matches!(connected, Err(Error::DestinationIpProhibited)), "{host}");
        }
    }

    #[test]
    fn an_authority_that_can_not_be_read_is_refused() {
        for pem in [
            "",
            "no block",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n***\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n",
        ] {
            assert!(Trust::new(Some(pem.as_bytes())).is_err(), "{pem}");
        }
    }
}
