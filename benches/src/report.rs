//! The figures as text: for the terminal and for docs/bench.md.

use std::fmt::Write;
use std::time::Duration;

use crate::flow::Flow;
use crate::machine::Machine;
use crate::measure::{Figures, Load};
use crate::server::Kind;

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) load: Load,
    pub(crate) rows: Vec<(Flow, [Figures; 2])>,
    /// A request that finds no instance.
    pub(crate) cold: Duration,
}

/// One line of the budgets and whether it is kept.
struct Budget {
    what: &'static str,
    limit: String,
    measured: String,
    met: bool,
}

impl Report {
    /// For the terminal.
    pub(crate) fn text(&self) -> String {
        format!("\n{}\n{}\n{}", self.facts(), self.table(), self.budgets_text())
    }

    /// For the documentation.
    pub(crate) fn markdown(&self) -> String {
        let mut text = "# Attesto beside oidc-provider\n\n\
            <!-- Written by `cargo xtask bench`. -->\n\n\
            ![The figures below as bars](bench.svg)\n\n"
            .to_owned();
        text += &self.facts();
        text += "\n## Figures\n\n";
        text += &self.table();
        text += "\nCPU is the server process's user and system time per operation, the median of the windows; latency is what \
            the client saw of one operation while all of them asked at once; memory is the resident set after the last window, \
            and the most it was in any.\n\n## Operations\n\n";
        for (flow, _) in &self.rows {
            let _ = writeln!(text, "- **{}**: {}.", flow.name(), flow.meaning());
        }
        text += "\n## What is the same, and what is not\n\n\
            Both sign JWT access tokens (RFC 9068) and ID tokens with ES256, check a client secret in the `Authorization` header, or in \
            the FAPI flow an assertion, whose `jti` both remember, as they do that of a proof, \
            and answer the same load generator over the same number of keep-alive connections of plain HTTP. Signing in \
            comes before anything is measured. Neither logs requests.\n\n\
            Attesto keeps codes, refresh tokens and sessions in an SQLite file and waits for the disk at every commit; oidc-provider \
            keeps them in maps in memory, which is less work, and has no parts that are kept from each other.\n\n## Budgets\n\n";
        text += &self.budgets_text();
        text
    }

    fn facts(&self) -> String {
        let Machine { processor, cores, memory_gib, kernel, load_before, node, peer } = &self.machine;
        let Load { connections, window, windows, .. } = self.load;
        format!(
            "- {processor}, {cores} cores, {memory_gib} GiB, Linux {kernel}; load average before: {load_before}\n\
             - Attesto {} under `attesto serve`, release build; oidc-provider {peer} on Node {node}\n\
             - {connections} connections, {windows} windows of {} s each in turns, after a warm-up\n",
            env!("CARGO_PKG_VERSION"),
            window.as_secs(),
        )
    }

    fn table(&self) -> String {
        let mut text =
            "| flow | server | CPU per operation | least–most | p50 | p99 | per second | memory | peak |\n\
            |---|---|---:|---:|---:|---:|---:|---:|---:|\n"
                .to_owned();
        for (flow, figures) in &self.rows {
            for (kind, of) in Kind::BOTH.iter().zip(figures) {
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {}–{} | {} | {} | {:.0} | {} MB | {} MB |",
                    flow.name(),
                    kind.name(),
                    milliseconds(of.cpu),
                    milliseconds(of.cpu_range.0),
                    milliseconds(of.cpu_range.1),
                    milliseconds(of.p50),
                    milliseconds(of.p99),
                    of.per_second,
                    megabytes(of.resident),
                    megabytes(of.peak),
                );
            }
            let [ours, theirs] = figures;
            let ratio = |of: fn(&Figures) -> f64| format!("{:.2}×", of(ours) / of(theirs));
            let _ = writeln!(
                text,
                "| {} | **ratio** | **{}** | | {} | {} | {} | {} | {} |",
                flow.name(),
                ratio(|of| of.cpu.as_secs_f64()),
                ratio(|of| of.p50.as_secs_f64()),
                ratio(|of| of.p99.as_secs_f64()),
                ratio(|of| of.per_second),
                ratio(|of| of.resident as f64),
                ratio(|of| of.peak as f64),
            );
        }
        for (flow, [ours, theirs]) in &self.rows {
            if ours.members != theirs.members {
                let _ = writeln!(
                    text,
                    "\n{}: Attesto answers with {}; oidc-provider with {}.",
                    flow.name(),
                    ours.members.join(", "),
                    theirs.members.join(", ")
                );
            }
        }
        text
    }

    fn budgets_text(&self) -> String {
        let mut text = "| budget | limit | measured | |\n|---|---:|---:|---|\n".to_owned();
        for Budget { what, limit, measured, met } in self.budgets() {
            let _ = writeln!(
                text,
                "| {what} | {limit} | {measured} | {} |",
                if met { "met" } else { "**missed**" }
            );
        }
        text
    }

    fn budgets(&self) -> Vec<Budget> {
        let mut budgets = Vec::new();
        let row = self.rows.iter().find(|(flow, _)| *flow == Flow::ClientCredentials);
        if let Some((_, [ours, theirs])) = row {
            let limit = theirs.cpu / 2;
            budgets.push(Budget {
                what: "client_credentials: CPU at most half of oidc-provider's",
                limit: milliseconds(limit),
                measured: milliseconds(ours.cpu),
                met: ours.cpu <= limit,
            });
            budgets.push(Budget {
                what: "client_credentials: memory under load, at its peak",
                limit: "64 MB".to_owned(),
                measured: format!("{} MB", megabytes(ours.peak)),
                met: ours.peak < 64 << 10,
            });
        }
        if let Some((_, [ours, theirs])) = self.rows.iter().find(|(flow, _)| *flow == Flow::Fapi) {
            budgets.push(Budget {
                what: "FAPI code flow: CPU no more than oidc-provider's",
                limit: milliseconds(theirs.cpu),
                measured: milliseconds(ours.cpu),
                met: ours.cpu <= theirs.cpu,
            });
        }
        budgets.push(Budget {
            what: "a cold instance's first token, as the client sees it",
            limit: "5 ms".to_owned(),
            measured: milliseconds(self.cold),
            met: self.cold < Duration::from_millis(5),
        });
        budgets
    }
}

pub(crate) fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1e3;
    if milliseconds < 10.0 { format!("{milliseconds:.2} ms") } else { format!("{milliseconds:.1} ms") }
}

pub(crate) fn megabytes(kib: u64) -> u64 {
    (kib + 512) / 1024
}
