//! `picloud postgres run`, started the way systemd, a shell or a person starts it.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::support::{DEADLINE, PICLOUD, postgres::DataDir};

/// The running program and what it says on standard error.
pub struct Run {
    child: Child,
    lines: Receiver<String>,
}

impl Run {
    /// Runs on a data directory.
    pub fn start(data_dir: &DataDir) -> Self {
        Self::at(data_dir.path(), None)
    }

    /// Runs on the data directory at `path`, dying with `parent` if one is given.
    pub fn at(path: &Path, parent: Option<Pid>) -> Self {
        let mut command = Command::new(PICLOUD);
        command.args(["postgres", "run", "--set", "fsync=off", "--data-dir"]).arg(path);
        if let Some(parent) = parent {
            command.args(["--die-with-parent", &parent.to_string()]);
        }
        Self::of(command)
    }

    /// Runs as the child of a shell, to die with it.
    pub fn below_a_shell(data_dir: &DataDir) -> Self {
        let script = r#""$0" postgres run --set fsync=off --data-dir "$1" --die-with-parent $$ & wait"#;
        let mut command = Command::new("sh");
        command.args(["-c", script, PICLOUD]).arg(data_dir.path());
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    /// Waits until it says `words`.
    pub fn says(&self, words: &str) {
        let mut heard = Vec::new();
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) if line.contains(words) => return,
                Ok(line) => heard.push(line),
                Err(error) => panic!("it never said {words:?}, but {heard:#?}: {error}"),
            }
        }
    }

    /// Waits until it gives up: all it said.
    pub fn refusal(mut self) -> String {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it did not end, but said {said:#?}"),
            }
        }
        assert!(!self.child.wait().unwrap().success(), "it ended as if all was well: {said:#?}");
        said.join("\n")
    }

    /// Kills it as a power cut would, without a word.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let (Ok(None), Ok(pid)) = (self.child.try_wait(), i32::try_from(self.child.id())) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
            let _ = self.child.wait();
        }
    }
}
