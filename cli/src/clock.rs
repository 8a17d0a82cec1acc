use std::time::{SystemTime, UNIX_EPOCH};

use crate::Failure;

/// Seconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "a command is where the time comes from")]
pub(crate) fn now() -> Result<u64, Failure> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}
