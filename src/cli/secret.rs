//! A password that is typed or piped in.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use super::{Exit, Failure};
use crate::base::name::Username;

/// The most that is read: more than a password can have.
const MOST: u64 = 4096;

/// Asks for a password twice on a terminal, without showing it; else takes the
/// first line of standard input.
pub(super) fn ask(username: &Username) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        let password = line()?;
        if password.is_empty() {
            let sentence = "no password came on standard input; pipe one in, or use --generate";
            return Err(Failure::new(Exit::Refused, sentence));
        }
        return Ok(password);
    }
    let password = hidden(&format!("Password for {username}: "))?;
    if hidden("Again: ")? != password {
        return Err(Failure::new(Exit::Refused, "the two passwords differ; nothing was changed"));
    }
    Ok(password)
}

/// One line of standard input, without its end.
fn line() -> Result<String, Failure> {
    let mut line = String::new();
    let read = io::stdin().lock().take(MOST).read_line(&mut line);
    read.map_err(|error| Failure::io("the password cannot be read", &error))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A line typed without being shown.
fn hidden(prompt: &str) -> Result<String, Failure> {
    let failed = |error: &io::Error| Failure::io("the terminal cannot be asked", error);
    // Quiet first: whoever types as soon as they are asked is not shown either.
    let _quiet = Quiet::begin().map_err(|error| failed(&error))?;
    let mut terminal = io::stderr();
    let asked = terminal.write_all(prompt.as_bytes()).and_then(|()| terminal.flush());
    asked.map_err(|error| failed(&error))?;
    let typed = line();
    // The line end that was typed was not shown either.
    let _ = terminal.write_all(b"\n");
    typed
}

/// The terminal does not show what is typed until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
    }
}
