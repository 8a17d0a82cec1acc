//! The protected upstream of the demonstration: it answers every request with the request it saw, so that a newcomer
//! sees which headers Envoy let through and which it added.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// The longest request head that is read.
const LONGEST_HEAD: u64 = 64 * 1024;
const MOST_CONNECTIONS: usize = 64;
const PATIENCE: Duration = Duration::from_secs(5);

/// Listens on `address` and answers until the process ends; returns where it listens.
///
/// # Errors
/// When the address is taken.
pub(crate) fn start(address: &str) -> Result<SocketAddr> {
    let listener =
        TcpListener::bind(address).with_context(|| format!("the demonstration's upstream on {address}"))?;
    let bound = listener.local_addr()?;
    thread::spawn(move || {
        let open = Arc::new(AtomicUsize::new(0));
        for stream in listener.incoming().map_while(Result::ok) {
            if open.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
                open.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let open = Arc::clone(&open);
            thread::spawn(move || {
                // A caller that went away is no concern of the others.
                answer(stream).ok();
                open.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
    Ok(bound)
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    let mut reader = BufReader::new(stream.try_clone()?).take(LONGEST_HEAD);
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 || line == b"\r\n" || line == b"\n" {
            break;
        }
        head.extend(line);
    }
    let body =
        format!("Hello from the upstream. This is the request it saw:\n\n{}", String::from_utf8_lossy(&head));
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_answers_with_the_request_it_saw() {
        let address = start("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /hello HTTP/1.1\r\nhost: here\r\nx-attesto-sub: alice\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"));
        assert!(answer.contains("GET /hello HTTP/1.1\r\n") && answer.contains("x-attesto-sub: alice\r\n"));
    }
}
