use std::io::{BufRead, IsTerminal};

use zeroize::Zeroizing;

use crate::Failure;

/// A new password: asked for twice where somebody is there to answer, or a line of standard input. Never an argument,
/// which other users of the machine could read.
pub(super) fn read() -> Result<Zeroizing<String>, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let ask = |prompt: &str| rpassword::prompt_password(prompt).map(Zeroizing::new);
        let password = ask("password: ")?;
        if *ask("the same again: ")? != *password {
            return Err("the two passwords are not the same".into());
        }
        return Ok(password);
    }
    let mut line = Zeroizing::new(String::new());
    stdin.lock().read_line(&mut line)?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}
