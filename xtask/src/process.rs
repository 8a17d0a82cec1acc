//! Starting other programs, and saying what happens meanwhile.

use std::ffi::OsStr;
use std::io::Write;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How often a quiet program's running time is told.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long a program may take to end once asked to.
const GRACE: Duration = Duration::from_secs(10);

/// The process group of the program that is being watched, 0 while there is none.
static WATCHED: AtomicI32 = AtomicI32::new(0);

/// A tool that is not there: what, why it is needed, how to get it.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) what: &'static str,
    pub(crate) why: &'static str,
    pub(crate) how: String,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is missing; {}; get it: {}", self.what, self.why, self.how)
    }
}

impl std::error::Error for Missing {}

/// Measures how long a step took.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the rule is for the engine; this tells a person how long a step took"
        )]
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Runs a step under its name: says that it starts, and how it ended and how long it took.
///
/// # Errors
/// The step's own error, with the step's name before it.
pub(crate) fn step(name: &str, work: impl FnOnce() -> Result<String>) -> Result<()> {
    eprintln!("  {name} …");
    let watch = Stopwatch::start();
    let detail = work().with_context(|| name.to_owned())?;
    eprintln!("  {name}: {detail} ({})", seconds(watch.elapsed()));
    Ok(())
}

/// A duration as a person reads it: `0.4 s`, `2 min 05 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        whole @ 60.. => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

/// An error and its causes on one line of bearable length.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(600) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The path of a program on the PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// Runs a program that reads `input`, its output kept back.
///
/// # Errors
/// When it cannot be started or fails; the message has the end of what it printed on stderr.
pub(crate) fn with_input(command: &mut Command, input: &str) -> Result<()> {
    let name = shown_name(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{name}` cannot be started"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that wants no input may have closed it.
        stdin.write_all(input.as_bytes()).ok();
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("`{name}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Runs a program with its output kept back and returns what it printed on stdout.
///
/// # Errors
/// When it cannot be started or fails; its last words are in the error.
pub(crate) fn quiet(command: &mut Command) -> Result<String> {
    let name = shown_name(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{name}` cannot be started"))?;
    let stdout = read_all(child.stdout.take());
    let stderr = read_all(child.stderr.take());
    let watch = Stopwatch::start();
    let (ended, end) = mpsc::channel();
    let ticker = {
        let name = name.clone();
        thread::spawn(move || {
            while end.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                eprintln!("    `{name}` is at work, {}", seconds(watch.elapsed()));
            }
        })
    };
    let status = child.wait()?;
    drop::<mpsc::Sender<()>>(ended);
    let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
    // The ticker ends as soon as its channel is closed; it has nothing to report.
    ticker.join().ok();
    if !status.success() {
        let words = if stderr.trim().is_empty() { &stdout } else { &stderr };
        bail!("`{name}` failed ({status}): {}", last_words(words));
    }
    Ok(stdout)
}

/// Runs a program in the foreground: its output is the progress.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn shown(command: &mut Command) -> Result<()> {
    let name = shown_name(command);
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("`{name}` cannot be started"))?;
    if !status.success() {
        bail!("`{name}` failed ({status})");
    }
    Ok(())
}

/// Starts a program in a process group of its own: Ctrl-C reaches us alone, and [`end`] reaches what it started too.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    let name = shown_name(command);
    let child = command.stdin(Stdio::null()).process_group(0).spawn();
    child.with_context(|| format!("`{name}` cannot be started"))
}

/// Runs a program for at most `limit`, handing each line of its stdout to `line`; its stderr goes through.
///
/// # Errors
/// When it cannot be started, or had to be ended at the limit.
pub(crate) fn watched(
    command: &mut Command,
    limit: Duration,
    mut line: impl FnMut(&str),
) -> Result<ExitStatus> {
    let name = shown_name(command);
    let mut child = spawn(command.stdout(Stdio::piped()))?;
    WATCHED.store(group(&child)?.as_raw(), Ordering::SeqCst);
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            for bytes in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&bytes).into_owned()).is_err() {
                    break;
                }
            }
        });
    }
    let watch = Stopwatch::start();
    let result = loop {
        match lines.recv_timeout(limit.saturating_sub(watch.elapsed())) {
            Ok(text) => line(text.trim_end_matches('\r')),
            Err(RecvTimeoutError::Disconnected) => break child.wait().map_err(Into::into),
            Err(RecvTimeoutError::Timeout) => {
                end(&mut child)?;
                break Err(anyhow!("`{name}` was ended after {}", seconds(limit)));
            }
        }
    };
    WATCHED.store(0, Ordering::SeqCst);
    result
}

/// From now on Ctrl-C ends the program that is being watched, and then us.
///
/// # Errors
/// When the handler cannot be installed.
pub(crate) fn end_watched_on_interrupt() -> Result<()> {
    ctrlc::set_handler(|| {
        let group = WATCHED.load(Ordering::SeqCst);
        if group > 0 {
            // It may have ended in this very moment.
            killpg(Pid::from_raw(group), Signal::SIGTERM).ok();
        }
        std::process::exit(130);
    })?;
    Ok(())
}

/// Asks a child of [`spawn`] and what it started to end, and waits for it; who does not listen is killed.
///
/// # Errors
/// When the child cannot be signalled or waited for.
pub(crate) fn end(child: &mut Child) -> Result<()> {
    if child.try_wait()?.is_some() {
        return Ok(());
    }
    let group = group(child)?;
    killpg(group, Signal::SIGTERM)?;
    let watch = Stopwatch::start();
    while watch.elapsed() < GRACE {
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    killpg(group, Signal::SIGKILL)?;
    child.wait()?;
    Ok(())
}

/// A child of [`spawn`] leads its group.
fn group(child: &Child) -> Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(child.id())?))
}

fn read_all(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What was read before an error is still worth showing.
            stream.read_to_end(&mut bytes).ok();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The lines in which a failing program says why: its error lines if it marks any, else its last ones.
fn last_words(output: &str) -> String {
    let lines: Vec<&str> = output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let marked: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| ["error:", "ERROR:", "E: ", "npm error"].iter().any(|mark| line.starts_with(mark)))
        .collect();
    let chosen = if marked.is_empty() { &lines } else { &marked };
    chosen.get(chosen.len().saturating_sub(3)..).unwrap_or_default().join(" ")
}

fn shown_name(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let program = program.file_name().unwrap_or_default().to_owned();
    std::iter::once(program.as_os_str())
        .chain(command.get_args().take(3))
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_program_gives_its_output() {
        assert_eq!(quiet(Command::new("sh").args(["-c", "echo out; echo err >&2"])).unwrap(), "out\n");
    }

    #[test]
    fn a_failing_program_is_named_with_its_last_words() {
        let error = quiet(Command::new("sh").args(["-c", "echo noise; echo 'E: no such suite' >&2; exit 3"]))
            .unwrap_err();
        assert!(error.to_string().ends_with("(exit status: 3): E: no such suite"), "{error}");
    }

    #[test]
    fn a_watched_program_is_ended_at_its_limit() {
        let mut lines = Vec::new();
        let watch = Stopwatch::start();
        let result = watched(
            Command::new("sh").args(["-c", "echo one; exec sleep 30"]),
            Duration::from_millis(300),
            |line| lines.push(line.to_owned()),
        );
        assert!(result.unwrap_err().to_string().contains("was ended after"));
        assert_eq!(lines, ["one"]);
        assert!(watch.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn ending_a_program_ends_what_it_started() {
        let mut child = spawn(Command::new("sh").args(["-c", "sleep 30 & wait"])).unwrap();
        thread::sleep(Duration::from_millis(200));
        let group = group(&child).unwrap();
        end(&mut child).unwrap();
        let watch = Stopwatch::start();
        while killpg(group, None).is_ok() {
            assert!(watch.elapsed() < Duration::from_secs(5), "the group still has a process");
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(440)), "0.4 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }
}
