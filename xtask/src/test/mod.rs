//! `cargo xtask test`: every suite, one after the other, and one summary.

mod checks;
mod counts;
pub(crate) mod suites;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::build::{self, Profile};
use crate::process::{self, Stopwatch};
use crate::project::Project;
use crate::setup::{self, Need, chromium, envoy};
use crate::test::counts::Counts;
use crate::test::suites::{Runner, SUITES, Suite};

/// No suite takes that long; one that does hangs. Building it is included.
const LIMIT: Duration = Duration::from_secs(25 * 60);

/// What became of one suite.
struct Outcome {
    name: &'static str,
    counts: Counts,
    took: Duration,
    /// What else is to be said of it.
    note: Option<String>,
}

/// Runs the suites whose names are given, or all.
///
/// # Errors
/// When set-up or the components' build fails, a test fails, or in CI one is skipped.
pub(crate) fn run(project: &Project, names: &[String]) -> Result<()> {
    let chosen = choose(names)?;
    let there: Vec<&Suite> =
        chosen.iter().copied().filter(|suite| absent(project, suite).is_none()).collect();
    let needed = |need: &Need| there.iter().any(|suite| suite.needs.contains(need));

    let needs: Vec<Need> = Need::ALL.iter().copied().filter(needed).collect();
    setup::ensure(project, &needs)?;
    if needs.contains(&Need::WasmTargets) {
        build::components(project, Profile::Component)?;
    }
    // A check looks at sources only; every other suite runs programs of the workspace.
    let programs = there.iter().any(|suite| !matches!(suite.runner, Runner::Check(_)));
    let tests = if programs { Tests::build(project, &there)? } else { Tests::default() };
    process::end_watched_on_interrupt()?;
    let watch = Stopwatch::start();
    let mut outcomes = Vec::new();
    for (number, suite) in chosen.iter().enumerate() {
        eprintln!("\n[{}/{}] {}", number + 1, chosen.len(), suite.name);
        outcomes.push(outcome(project, suite, &tests));
    }
    summarize(&outcomes, watch.elapsed(), is_ci(std::env::var("CI").ok().as_deref()))
}

fn choose(names: &[String]) -> Result<Vec<&'static Suite>> {
    if names.is_empty() {
        return Ok(SUITES.iter().collect());
    }
    let by_name = |name: &String| SUITES.iter().find(|suite| suite.name == name);
    if let Some(unknown) = names.iter().find(|name| by_name(name).is_none()) {
        let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        bail!("there is no suite `{unknown}`, only {}", known.join(", "));
    }
    Ok(names.iter().filter_map(by_name).collect())
}

/// Why a suite cannot be run: what it would run is not in the workspace.
fn absent(project: &Project, suite: &Suite) -> Option<String> {
    match suite.runner {
        Runner::Cargo(packages) | Runner::CargoApart(packages) => {
            let absent = packages.iter().find(|package| !project.has(package));
            absent.map(|package| format!("no package `{package}`"))
        }
        Runner::Node(folder) => (!project.root.join(folder).join("package.json").is_file())
            .then(|| format!("no {folder}/package.json")),
        Runner::Check(_) => None,
    }
}

fn outcome(project: &Project, suite: &Suite, tests: &Tests) -> Outcome {
    let watch = Stopwatch::start();
    let (counts, note) = match absent(project, suite) {
        Some(reason) => (Counts { skipped: 1, ..Counts::default() }, Some(reason)),
        None => run_suite(project, suite, tests),
    };
    let outcome = Outcome { name: suite.name, counts, took: watch.elapsed(), note };
    eprintln!("{}", line(&outcome));
    outcome
}

fn run_suite(project: &Project, suite: &Suite, tests: &Tests) -> (Counts, Option<String>) {
    let mut counts = Counts::default();
    let result = match suite.runner {
        Runner::Check(check) => check(project).map(|looked_at| {
            counts.passed = looked_at;
            true
        }),
        Runner::Cargo(packages) | Runner::CargoApart(packages) => {
            run_cargo_suite(project, packages, tests, &mut counts)
        }
        Runner::Node(folder) => {
            let mut node = project.command("node");
            node.args(["--test", "--test-reporter=spec"]).current_dir(project.root.join(folder));
            watch(project, &mut node, tests, |line| counts.read_node(line))
        }
    };
    let note = match result {
        Err(error) => Some(process::one_line(&error)),
        Ok(false) if counts.failed == 0 => Some("ended with an error before its tests did".to_owned()),
        Ok(true) if counts.total() == 0 => Some("ran no test".to_owned()),
        Ok(_) => None,
    };
    if note.is_some() {
        counts.failed = counts.failed.max(1);
    }
    (counts, note)
}

/// The test programs, all built by one cargo command: a command for each suite would select other packages each time,
/// their features would differ, and wasmtime would be compiled again for every one.
#[derive(Default)]
struct Tests {
    /// The package's folder and the program.
    programs: Vec<(PathBuf, PathBuf)>,
    /// The `attesto` command.
    attesto: Option<PathBuf>,
}

impl Tests {
    fn build(project: &Project, suites: &[&Suite]) -> Result<Self> {
        eprintln!("tests");
        let mut tests = Self::default();
        process::step("the test programs", || {
            let mut cargo = project.cargo();
            cargo.args(["test", "--no-run"]);
            cargo.args(suites::together().flat_map(|package| ["--package", package]));
            tests.programs = build::test_programs(&mut cargo)?;
            for suite in suites.iter().filter(|suite| matches!(suite.runner, Runner::CargoApart(_))) {
                let mut cargo = project.cargo();
                cargo.args(["test", "--no-run"]);
                cargo.args(suite.runner.packages().iter().flat_map(|package| ["--package", package]));
                tests.programs.extend(build::test_programs(&mut cargo)?);
            }
            Ok(format!("{}", tests.programs.len()))
        })?;
        process::step("the `attesto` command", || {
            tests.attesto = Some(build::attesto(project)?);
            Ok("built".to_owned())
        })?;
        Ok(tests)
    }
}

fn run_cargo_suite(project: &Project, packages: &[&str], tests: &Tests, counts: &mut Counts) -> Result<bool> {
    let folders: Vec<PathBuf> = project
        .packages
        .iter()
        .filter(|package| packages.contains(&package.name.as_str()))
        .map(|package| project.root.join(&package.folder))
        .collect();
    let mut good = true;
    for (folder, program) in tests.programs.iter().filter(|(folder, _)| folders.contains(folder)) {
        println!("running {}", program.file_name().unwrap_or_default().to_string_lossy());
        let mut command = project.command(program);
        // As cargo runs a test: in its package's folder.
        command.current_dir(folder).env("CARGO_MANIFEST_DIR", folder);
        good &= watch(project, &mut command, tests, |line| counts.read_libtest(line))?;
    }
    Ok(good)
}

/// Runs a test runner, showing what it prints. The tests find the tools of set-up by these variables.
fn watch(
    project: &Project,
    command: &mut Command,
    tests: &Tests,
    mut count: impl FnMut(&str),
) -> Result<bool> {
    let tools = [
        ("ENVOY", envoy::locate(project)),
        ("CHROMIUM", chromium::locate()),
        ("ATTESTO", tests.attesto.clone()),
    ];
    for (name, path) in tools {
        if let Some(path) = path {
            command.env(name, path);
        }
    }
    let status = process::watched(command, LIMIT, |line| {
        println!("{line}");
        count(line);
    })?;
    Ok(status.success())
}

fn summarize(outcomes: &[Outcome], took: Duration, ci: bool) -> Result<()> {
    let mut all = Counts::default();
    println!("\nsummary");
    for outcome in outcomes {
        println!("{}", line(outcome));
        all += outcome.counts;
    }
    println!("  in {}\n", process::seconds(took));
    println!("{all}");
    if all.failed > 0 {
        let failed: Vec<&str> =
            outcomes.iter().filter(|outcome| outcome.counts.failed > 0).map(|outcome| outcome.name).collect();
        bail!("failed: {}", failed.join(", "));
    }
    if ci && all.skipped > 0 {
        bail!("{} skipped: in CI everything runs", all.skipped);
    }
    Ok(())
}

fn line(outcome: &Outcome) -> String {
    let Outcome { name, counts, took, note } = outcome;
    let mark = match counts {
        Counts { failed: 1.., .. } => "FAILED",
        Counts { skipped: 1.., .. } => "skips",
        _ => "ok",
    };
    let note = note.as_ref().map(|note| format!("  {note}")).unwrap_or_default();
    format!("  {mark:<6} {name:<13} {counts} ({}){note}", process::seconds(*took))
}

/// Continuous integration says so by `CI=true` or `CI=1`.
fn is_ci(variable: Option<&str>) -> bool {
    variable.is_some_and(|value| !matches!(value, "" | "0" | "false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(passed: usize, failed: usize, skipped: usize) -> Outcome {
        let counts = Counts { passed, failed, skipped };
        Outcome { name: "suite", counts, took: Duration::ZERO, note: None }
    }

    #[test]
    fn one_failure_fails_the_run() {
        assert!(summarize(&[outcome(3, 0, 0), outcome(3, 1, 0)], Duration::ZERO, false).is_err());
        assert!(summarize(&[outcome(3, 0, 0)], Duration::ZERO, true).is_ok());
    }

    #[test]
    fn a_skip_fails_the_run_in_ci_only() {
        assert!(summarize(&[outcome(3, 0, 1)], Duration::ZERO, true).is_err());
        assert!(summarize(&[outcome(3, 0, 1)], Duration::ZERO, false).is_ok());
    }

    #[test]
    fn ci_is_told_by_its_variable() {
        assert!(is_ci(Some("true")) && is_ci(Some("1")));
        assert!(!is_ci(None) && !is_ci(Some("")) && !is_ci(Some("false")) && !is_ci(Some("0")));
    }

    #[test]
    fn an_unknown_suite_is_refused_with_the_known_ones() {
        let error = choose(&["engines".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`engines`") && error.contains("engine,"), "{error}");
    }
}
