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
            let heard = speaks(port) && self.listens(port);
            if !self.is_running() {
                return Err(self.silent("it ended at once"));
            }
            if heard {
                return Ok(());
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

    /// Whether what listens on a port is this server. Between the moment in which a port was found free and the one in
    /// which the server takes it, that of another test may have done so: whoever asks hears an answer, of the wrong one.
    /// Where nobody may look into the server's files (another user's, in a container), it is believed.
    fn listens(&self, port: u16) -> bool {
        let sockets = listening_on(port);
        match fs::read_dir(format!("/proc/{}/fd", self.pid)) {
            Ok(files) => files.flatten().any(|file| match fs::read_link(file.path()) {
                Ok(file) => sockets.iter().any(|socket| file.as_os_str() == socket.as_str()),
                Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
            }),
            Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
        }
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

/// The sockets that listen on a port, as they are called among the files of a process (proc(5)).
fn listening_on(port: u16) -> Vec<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    tables.iter().flat_map(|table| table.lines()).filter_map(|line| socket_in(line, port)).collect()
}

/// `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode`; state 0A is LISTEN.
fn socket_in(line: &str, port: u16) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, local) = fields.get(1)?.rsplit_once(':')?;
    let listens = u16::from_str_radix(local, 16) == Ok(port) && fields.get(3) == Some(&"0A");
    fields.get(9).filter(|_| listens).map(|inode| format!("socket:[{inode}]"))
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
