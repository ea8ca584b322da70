//! A server process that cannot outlive us.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::StartError;

/// The shell starts the server, tells its pid and waits for its own standard input to end. That happens when the
/// handle is dropped and, because the kernel closes the pipe, when we die in any way. Then the server gets its signal,
/// and SIGKILL if it is still there eight seconds later.
const SCRIPT: &str = r#"
log=$1; signal=$2; shift 2
"$@" >>"$log" 2>&1 </dev/null &
pid=$!
echo $pid
while read -r _; do :; done
kill -$signal $pid
( sleep 8; kill -KILL $pid ) >/dev/null 2>&1 &
wait $pid
kill $!
"#;

const PATIENCE: Duration = Duration::from_secs(20);

/// How a server is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// SIGTERM: it may put things in order.
    Orderly,
    /// SIGKILL, for a server whose files go with it: Dovecot takes a second to end in order, this is at once.
    Abrupt,
}

/// A running program and the shell that holds it.
#[derive(Debug)]
pub struct Leash {
    server: &'static str,
    shell: Child,
    pid: u32,
    log: PathBuf,
}

impl Leash {
    /// Starts `command`, its output going to the end of `log`.
    ///
    /// # Errors
    /// When no shell can be started; a program that fails later is seen by [`Leash::await_greeting`].
    pub fn start(server: &'static str, command: &Command, log: &Path, ending: Ending) -> Result<Self, StartError> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(SCRIPT).arg(server).arg(log);
        shell.arg(if ending == Ending::Abrupt { "KILL" } else { "TERM" });
        shell.arg(command.get_program()).args(command.get_args());
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        // Its own process group: Ctrl-C in a terminal is for us, the server goes when we are done.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = shell.spawn()?;
        let pid = first_line(&mut shell)?.trim().parse().map_err(io::Error::other)?;
        Ok(Self { server, shell, pid, log: log.to_owned() })
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until an IMAP greeting is heard on `port`.
    ///
    /// # Errors
    /// When the server ends first or says nothing for 20 seconds; the end of its log is in the error.
    pub fn await_greeting(&self, port: u16) -> Result<(), StartError> {
        self.await_word(port, greeted)
    }

    /// Waits until an HTTP request is answered on `port`, whatever the answer.
    ///
    /// # Errors
    /// As [`Leash::await_greeting`].
    pub fn await_http(&self, port: u16) -> Result<(), StartError> {
        self.await_word(port, answered)
    }

    fn await_word(&self, port: u16, speaks: fn(u16) -> bool) -> Result<(), StartError> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if speaks(port) {
                return Ok(());
            }
            if !self.is_running() {
                return Err(self.silent("it ended at once"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(self.silent("no greeting within 20 seconds"))
    }

    /// Whether the server still runs (a zombie does not).
    pub fn is_running(&self) -> bool {
        let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", self.pid)) else {
            return false;
        };
        // "pid (name) state ...": the name may hold anything, so read from its closing bracket.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }

    /// Ends the server as a crash would (SIGKILL), without waiting.
    pub fn kill(&mut self) {
        let _ = Command::new("sh").arg("-c").arg(format!("kill -KILL {}", self.pid)).status();
    }

    fn silent(&self, reason: &str) -> StartError {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let from = text.len().saturating_sub(3000);
        let log = String::from_utf8_lossy(text.as_bytes().get(from..).unwrap_or_default()).into_owned();
        StartError::Silent { server: self.server, reason: reason.to_owned(), log }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

fn first_line(shell: &mut Child) -> io::Result<String> {
    let output = shell.stdout.take().ok_or_else(|| io::Error::other("no pipe to the shell"))?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok(line)
}

fn greeted(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut start = [0; 4];
    let heard = stream.read_exact(&mut start).is_ok() && &start == b"* OK";
    let _ = stream.write_all(b"a LOGOUT\r\n");
    heard
}

fn answered(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let asked = stream.write_all(b"OPTIONS / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut start = [0; 5];
    asked.is_ok() && stream.read_exact(&mut start).is_ok() && &start == b"HTTP/"
}
