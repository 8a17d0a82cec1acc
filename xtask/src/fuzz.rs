//! `cargo xtask fuzz`: every fuzz target for a while.
//!
//! libFuzzer needs coverage counters in the code and nothing else: the compiler's own pass makes them on the stable
//! toolchain, so neither a nightly one nor cargo-fuzz is needed. There is no sanitizer either; without `unsafe` code a
//! panic is what there is to find.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::process::{self, Missing};
use crate::project::Project;

/// How long each target runs where nothing else is said.
pub(crate) const SECONDS: u32 = 60;

/// Targets that run at the same time.
const AT_ONCE: usize = 2;

/// The compiler's counters and tables that libFuzzer reads.
const RUSTFLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                         -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                         -Cllvm-args=-sanitizer-coverage-pc-table";

/// The machine's own target. Named, so that the flags are for its code only, and not for macros and build scripts.
const TARGET: &str =
    if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };

/// Builds the targets and runs each for `seconds`.
///
/// # Errors
/// When they cannot be built, or an input makes one panic, hang or fill its memory; the input's file is named.
pub(crate) fn run(project: &Project, seconds: u32) -> Result<()> {
    if process::find("c++").is_none() {
        bail!(Missing {
            what: "a C++ compiler",
            why: "libFuzzer is written in C++",
            how: "`apt-get install g++`".to_owned(),
        });
    }
    let fuzz = Fuzz { home: project.root.join("fuzz"), target: project.target.join("fuzz") };
    let names = fuzz.names()?;
    process::step("fuzz targets", || fuzz.build().map(|()| format!("{} built", names.len())))?;
    let left = Mutex::new(names.iter());
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(names.len()) {
            scope.spawn(|| {
                while let Some(name) = next(&left) {
                    if let Err(error) = process::step(name, || fuzz.one(name, seconds))
                        && let Ok(mut failed) = failed.lock()
                    {
                        failed.push(process::one_line(&error));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    if !failed.is_empty() {
        bail!("{} of {} fuzz targets failed: {}", failed.len(), names.len(), failed.join("; "));
    }
    Ok(())
}

fn next<'n>(left: &Mutex<impl Iterator<Item = &'n String>>) -> Option<&'n str> {
    left.lock().ok()?.next().map(String::as_str)
}

struct Fuzz {
    /// The fuzz targets' workspace.
    home: PathBuf,
    /// Where they are built, and where what was found is kept.
    target: PathBuf,
}

impl Fuzz {
    /// Every target: a file each.
    fn names(&self) -> Result<Vec<String>> {
        let folder = self.home.join("targets");
        let entries = folder.read_dir().with_context(|| format!("{} cannot be read", folder.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "rs")
                && let Some(name) = path.file_stem()
            {
                names.push(name.to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn build(&self) -> Result<()> {
        let mut cargo = Command::new("cargo");
        cargo
            .current_dir(&self.home)
            .env("RUSTFLAGS", RUSTFLAGS)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .args(["build", "--locked", "--release", "--target", TARGET, "--target-dir"])
            .arg(&self.target);
        process::quiet(&mut cargo).map(drop)
    }

    fn one(&self, name: &str, seconds: u32) -> Result<String> {
        let [corpus, crashes] = ["corpus", "crashes"].map(|kind| self.target.join(kind).join(name));
        for folder in [&corpus, &crashes] {
            std::fs::create_dir_all(folder)?;
        }
        let output = Command::new(self.target.join(TARGET).join("release").join(name))
            .current_dir(&self.target)
            .arg(format!("-max_total_time={seconds}"))
            .args(["-timeout=10", "-rss_limit_mb=1024", "-max_len=4096", "-print_final_stats=1"])
            .arg(format!("-artifact_prefix={}/", crashes.display()))
            .arg(corpus)
            .args(seeds(&self.home, name))
            .output()
            .with_context(|| format!("`{name}` cannot be started"))?;
        let words = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!("{}", complaint(&words));
        }
        Ok(format!("{} inputs", stat(&words, "number_of_executed_units").unwrap_or("no number of")))
    }
}

/// The folder of inputs to begin with, if the target has one.
fn seeds(home: &Path, name: &str) -> Option<PathBuf> {
    Some(home.join("seeds").join(name)).filter(|folder| folder.is_dir())
}

/// What a fuzzer that stopped early says of it: the panic, and the file the input is in.
fn complaint(words: &str) -> String {
    let panic = words.lines().skip_while(|line| !line.contains("panicked at")).take(2);
    let file = words.lines().filter(|line| line.contains("Test unit written to"));
    let lines: Vec<&str> = panic.chain(file).map(str::trim).collect();
    match lines[..] {
        [] => words.lines().last().unwrap_or_default().to_owned(),
        _ => lines.join(" "),
    }
}

/// A line `stat::<name>: <value>`.
fn stat<'w>(words: &'w str, name: &str) -> Option<&'w str> {
    let of_name = |line: &'w str| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':');
    words.lines().find_map(of_name).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_names_the_panic_and_the_file_of_the_input() {
        let words = "#1 INIT\nthread '<unnamed>' panicked at targets/params.rs:9:5:\nown encoding\nnote: run\n\
                     ==1== ERROR: libFuzzer: deadly signal\nTest unit written to /t/crash-1\n";
        assert_eq!(
            complaint(words),
            "thread '<unnamed>' panicked at targets/params.rs:9:5: own encoding Test unit written to /t/crash-1"
        );
        assert_eq!(complaint("a\nb\n"), "b");
    }

    #[test]
    fn a_statistic_is_found_by_its_name() {
        let words = "Done 5 runs\nstat::number_of_executed_units: 12345\nstat::average_exec_per_sec: 3\n";
        assert_eq!(stat(words, "number_of_executed_units"), Some("12345"));
        assert_eq!(stat(words, "peak_rss_mb"), None);
    }
}
