//! What it was measured on.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::server::Places;

/// Facts without which the figures mean nothing.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    /// The load average of the minute before: what else went on.
    pub(crate) load_before: String,
    pub(crate) node: String,
    pub(crate) peer: String,
}

impl Machine {
    pub(crate) fn read(places: &Places) -> Result<Self> {
        let read = |path: &str| fs::read_to_string(path).with_context(|| path.to_owned());
        let first = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
        };
        let node = Command::new(places.node()).arg("--version").output().context("node")?;
        let package = fs::read(places.peer.join("node_modules/oidc-provider/package.json"))?;
        let package: Value = serde_json::from_slice(&package)?;
        let kib: u64 = first(&field(&read("/proc/meminfo")?, "MemTotal").unwrap_or_default()).parse()?;
        Ok(Self {
            processor: field(&read("/proc/cpuinfo")?, "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: kib.div_ceil(1 << 20),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            load_before: first(&read("/proc/loadavg")?),
            node: String::from_utf8_lossy(&node.stdout).trim().to_owned(),
            peer: package.get("version").and_then(Value::as_str).unwrap_or_default().to_owned(),
        })
    }
}
