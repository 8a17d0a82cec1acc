//! The two ends of the demonstration. The upstream answers every request with the request it saw, so that a newcomer
//! sees which headers Envoy let through and which it added. The demo client says how to go on with the code it was sent.

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
pub(crate) fn start(address: &str, name: &str, text: fn(&str) -> String) -> Result<SocketAddr> {
    let listener = TcpListener::bind(address).with_context(|| format!("{name} on {address}"))?;
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
                answer(stream, text).ok();
                open.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
    Ok(bound)
}

fn answer(mut stream: TcpStream, text: fn(&str) -> String) -> std::io::Result<()> {
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
    let body = text(&String::from_utf8_lossy(&head));
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// What the upstream says to a request of this head.
pub(crate) fn upstream(head: &str) -> String {
    format!("Hello from the upstream. This is the request it saw:\n\n{head}")
}

/// What the demo client says to the answer it was sent: how to redeem the code.
pub(crate) fn callback(head: &str) -> String {
    let target = head.split(' ').nth(1).unwrap_or_default();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    // The page is plain text, and a line to paste into a shell: nothing but a code's own characters goes into it.
    let code = parameter("code")
        .filter(|code| code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    match code {
        Some(code) => format!(
            "You are back at the demo client, which was sent a code. It is good for a minute and for one use.\n\n\
             {}",
            super::banner::redeem(code)
        ),
        None => format!("You are back at the demo client, without a code:\n\n{query}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_answers_with_the_request_it_saw() {
        let address = start("127.0.0.1:0", "the upstream", upstream).unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /hello HTTP/1.1\r\nhost: here\r\nx-attesto-sub: alice\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"));
        assert!(answer.contains("GET /hello HTTP/1.1\r\n") && answer.contains("x-attesto-sub: alice\r\n"));
    }

    #[test]
    fn the_callback_repeats_nothing_but_a_code() {
        assert!(callback("GET /callback?code=a-B_9&state=x HTTP/1.1").contains("code=a-B_9"));
        let hostile = callback("GET /callback?code=a';rm HTTP/1.1");
        assert!(!hostile.contains("curl"), "{hostile}");
    }
}
