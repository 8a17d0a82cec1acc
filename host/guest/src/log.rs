//! Where lines go: requests, what guests print, and faults.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request that was answered. Holds no query, header or body: those carry codes and tokens.
    Request,
    /// A line that a component printed.
    Guest,
    /// What this host did that its operator may want to know of.
    Notice,
    /// Something that went wrong in a component or in this host.
    Fault,
}

/// A sink of lines.
#[derive(Clone)]
pub struct Log(Arc<Sink>);

type Sink = dyn Fn(Kind, &str) + Send + Sync;

impl Log {
    /// Hands every line to `sink`.
    pub fn to(sink: impl Fn(Kind, &str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Everything to standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self::to(|_, line| print(line))
    }

    /// Everything but the requests to standard error.
    #[must_use]
    pub fn without_requests() -> Self {
        Self::to(|kind, line| {
            if kind != Kind::Request {
                print(line);
            }
        })
    }

    /// Writes a line.
    pub fn write(&self, kind: Kind, line: fmt::Arguments<'_>) {
        (self.0)(kind, &line.to_string());
    }

    /// Writes a line about something that went wrong.
    pub fn fault(&self, line: fmt::Arguments<'_>) {
        self.write(Kind::Fault, line);
    }
}

/// One system call a line, which then is no other thread's line in the middle.
fn print(line: &str) {
    // Nobody is left to be told when standard error is gone.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}
