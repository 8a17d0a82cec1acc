use std::io::Write;

use clap::Args;
use serde::Serialize;

use crate::Failure;

/// How to print what was asked for.
#[derive(Args)]
pub(crate) struct Output {
    /// Print JSON, for programs to read
    #[arg(long)]
    json: bool,
}

impl Output {
    /// Prints `value` as JSON, or the text of it.
    pub(crate) fn print(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json { serde_json::to_string_pretty(value)? + "\n" } else { text() };
        write(&text)
    }
}

/// Prints text: not as `print!` does, which panics when the reader has gone, as `head` goes.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

/// Lines with the columns under each other.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let padded = row.iter().zip(widths).map(|(cell, width)| format!("{:width$}  ", visible(cell)));
        format!("{}\n", padded.collect::<String>().trim_end())
    };
    rows.iter().map(line).collect()
}

/// The text without what a terminal would act on: names come from people and from clients.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The word of a list for whether something is admitted.
pub(crate) fn status(disabled: bool) -> &'static str {
    if disabled { "disabled" } else { "enabled" }
}
