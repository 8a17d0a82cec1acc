//! The figures as bars: one SVG that is readable on light and on dark pages.

use std::fmt::Write;

use crate::measure::Figures;
use crate::report::{Report, megabytes, milliseconds};
use crate::server::Kind;

const WIDTH: u32 = 760;
/// Where the bars begin, and how long the longest is.
const LEFT: u32 = 160;
const LONGEST: f64 = 400.0;
const BAR: u32 = 14;
const ROW: u32 = 18;
const GAP: u32 = 10;
const TITLE: u32 = 34;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.small{font-size:11px;fill:#59636e}\
.ours{fill:#0f766e}.theirs{fill:#94a3b8}.more{stroke:#59636e}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.ours{fill:#2dd4bf}.theirs{fill:#64748b}.more{stroke:#9198a1}}";

/// A quantity that is drawn: what it is called, the bar's length, how far its thin line goes on, its label.
struct Panel {
    title: &'static str,
    value: fn(&Figures) -> f64,
    more: fn(&Figures) -> f64,
    label: fn(&Figures) -> String,
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "CPU per operation",
        value: |of| of.cpu.as_secs_f64(),
        more: |of| of.cpu.as_secs_f64(),
        label: |of| milliseconds(of.cpu),
    },
    Panel {
        title: "Latency: the bar is the median, the line goes to the 99th percentile",
        value: |of| of.p50.as_secs_f64(),
        more: |of| of.p99.as_secs_f64(),
        label: |of| format!("{}, {}", milliseconds(of.p50), milliseconds(of.p99)),
    },
    Panel {
        title: "Resident memory: the line goes to the peak under load",
        value: |of| of.resident as f64,
        more: |of| of.peak as f64,
        label: |of| format!("{} MB, {} MB", megabytes(of.resident), megabytes(of.peak)),
    },
];

/// Draws a report.
pub(crate) fn draw(report: &Report) -> String {
    let mut body = String::new();
    let mut top = legend(&mut body, report);
    for panel in &PANELS {
        let _ = write!(body, r#"<text class="title" x="16" y="{}">{}</text>"#, top + 20, panel.title);
        top += TITLE;
        let all = report.rows.iter().flat_map(|(_, figures)| figures);
        let greatest = all.map(panel.more).fold(f64::MIN_POSITIVE, f64::max);
        for (flow, figures) in &report.rows {
            let _ = write!(body, r#"<text x="16" y="{}">{}</text>"#, top + ROW + 3, flow.name());
            for (kind, of) in Kind::BOTH.into_iter().zip(figures) {
                bar(&mut body, panel, of, kind, top, greatest);
                top += ROW;
            }
            top += GAP;
        }
    }
    let description = "Attesto beside oidc-provider: processor time, latency and memory of each flow. bench.md has the figures as a table.";
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\
         <title>{description}</title><style>{STYLE}</style>{body}</svg>\n",
        height = top + 6,
    )
}

fn legend(body: &mut String, report: &Report) -> u32 {
    let mut x = 16;
    for kind in Kind::BOTH {
        let _ = write!(
            body,
            r#"<rect class="{}" x="{x}" y="14" width="12" height="12" rx="2"/><text x="{}" y="25">{}</text>"#,
            class(kind),
            x + 18,
            kind.name()
        );
        x += 100;
    }
    let _ = write!(
        body,
        r#"<text class="small" x="{}" y="25">less is better · {} connections · {}, {} cores</text>"#,
        x + 20,
        report.load.connections,
        escaped(&report.machine.processor),
        report.machine.cores,
    );
    34
}

fn bar(body: &mut String, panel: &Panel, of: &Figures, kind: Kind, top: u32, greatest: f64) {
    let [length, end] = [panel.value, panel.more].map(|of_bar| of_bar(of) / greatest * LONGEST);
    let left = f64::from(LEFT);
    let _ = write!(
        body,
        r#"<rect class="{}" x="{LEFT}" y="{top}" width="{length:.1}" height="{BAR}" rx="2"/>"#,
        class(kind)
    );
    if end > length {
        let middle = top + BAR / 2;
        let _ = write!(
            body,
            r#"<line class="more" x1="{:.1}" y1="{middle}" x2="{:.1}" y2="{middle}"/>"#,
            left + length,
            left + end
        );
    }
    let _ = write!(
        body,
        r#"<text class="small" x="{:.1}" y="{}">{}</text>"#,
        left + end + 6.0,
        top + BAR - 3,
        (panel.label)(of)
    );
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Attesto => "ours",
        Kind::Peer => "theirs",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
