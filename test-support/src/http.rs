//! HTTP/1.1 octet for octet: a client that sends what no library lets one send, and a server for stand-ins.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const TIME_LIMIT: Duration = Duration::from_secs(10);
const MAX_MESSAGE: usize = 1024 * 1024;
const MAX_HEADERS: usize = 128;

/// A request, each part as it goes over the wire.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The request target, not normalized.
    pub target: Vec<u8>,
    /// The headers in order, names in their case.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers in order, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A `GET` of `target`.
    pub fn get(target: impl AsRef<[u8]>) -> Self {
        Self { method: "GET".to_owned(), target: target.as_ref().to_vec(), headers: Vec::new() }
    }

    /// Adds a header; one of the same name before it stays.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Sends the request to a port of the loopback address and reads the answer to its end.
    pub fn send(&self, port: u16) -> Response {
        let mut message = [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        message.extend_from_slice(format!("host: localhost:{port}\r\nconnection: close\r\n").as_bytes());
        for (name, value) in &self.headers {
            message.extend([name, &b": "[..], value, b"\r\n"].concat());
        }
        message.extend_from_slice(b"\r\n");
        Response::parse(&exchange(port, &message).unwrap_or_else(|error| panic!("no answer: {error}")))
    }
}

/// Sends octets that may be no HTTP at all and gives what comes back: one whole response, or as much of one as comes
/// before the peer closes. Envoy keeps a connection open for a while after its last answer, so the end of the response
/// is not the end of the connection.
pub fn exchange(port: u16, octets: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(TIME_LIMIT))?;
    stream.set_write_timeout(Some(TIME_LIMIT))?;
    stream.write_all(octets)?;
    let mut answer = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while !is_whole(&answer) && answer.len() < MAX_MESSAGE {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(buffer.get(..length).unwrap_or_default()),
            // A peer that refuses early closes with our octets unread, which shows as a reset after its answer.
            Err(error) if answer.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(answer)
}

/// Whether a response has come to the end that its `content-length` announces.
fn is_whole(octets: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = head.parse(octets) else { return false };
    let announced = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let announced =
        announced.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok());
    announced.is_some_and(|announced| octets.len() >= length + announced)
}

impl Response {
    fn parse(octets: &[u8]) -> Self {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        match head.parse(octets) {
            Ok(httparse::Status::Complete(length)) => Self {
                status: head.code.expect("a complete head has a status"),
                headers: owned(head.headers),
                body: octets.get(length..).unwrap_or_default().to_vec(),
            },
            other => panic!("no HTTP response ({other:?}): {}", String::from_utf8_lossy(octets)),
        }
    }

    /// The only header of that name.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value);
        let value = values.next()?;
        assert!(values.next().is_none(), "more than one `{name}`");
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec())).collect()
}

/// The head of a request as a stand-in server received it.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The request target.
    pub target: String,
    /// The headers in order, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// A server on the loopback address, for as long as it is held. One request a connection.
#[derive(Debug)]
pub struct Server {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers every request on `port` with what `answer` makes of it: status, content type, body.
    pub fn start(
        port: u16,
        answer: impl Fn(&Received) -> (u16, &'static str, String) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                // A peer that goes away in the middle is the peer's business.
                let _ = stream.and_then(|stream| serve(stream, &answer));
            }
        });
        Self { port, stop, thread: Some(thread) }
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread from `accept`.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &impl Fn(&Received) -> (u16, &'static str, String),
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(TIME_LIMIT))?;
    let Some(received) = receive(&mut stream)? else { return Ok(()) };
    let (status, media_type, body) = answer(&received);
    write!(
        stream,
        "HTTP/1.1 {status} -\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn receive(stream: &mut TcpStream) -> std::io::Result<Option<Received>> {
    let mut octets = Vec::new();
    let mut buffer = [0; 4096];
    while octets.len() < MAX_MESSAGE {
        let length = stream.read(&mut buffer)?;
        octets.extend_from_slice(buffer.get(..length).unwrap_or_default());
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut head = httparse::Request::new(&mut headers);
        match head.parse(&octets) {
            Ok(httparse::Status::Complete(_)) => {
                return Ok(Some(Received {
                    method: head.method.unwrap_or_default().to_owned(),
                    target: head.path.unwrap_or_default().to_owned(),
                    headers: owned(head.headers),
                }));
            }
            Ok(httparse::Status::Partial) if length > 0 => {}
            _ => return Ok(None),
        }
    }
    Ok(None)
}
