//! A run of the real program, timed, with the most memory it ever held.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

pub struct Watched {
    pub seconds: f64,
    /// The most memory resident at once, as the kernel kept it (`VmHWM`).
    pub peak_mb: f64,
    /// Seconds of processor time, in the program and in the kernel for it: what a crowded machine does not change.
    pub cpu_seconds: f64,
    pub stdout: String,
}

/// Runs a verb on a project, with the program of `TRANSHUME_BENCH_PROGRAM` if another build is to be compared. A run
/// that does not end well ends the benchmark, with what it said.
pub fn transhume(project: &Path, words: &[&str]) -> Watched {
    transhume_ending(project, words, &[0])
}

/// The same for a verb that may end with these codes.
pub fn transhume_ending(project: &Path, words: &[&str], codes: &[i32]) -> Watched {
    let program = std::env::var_os("TRANSHUME_BENCH_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_transhume").into());
    let mut command = Command::new(program);
    command.args(words).args(["--quiet", "--no-progress", "--project"]).arg(project);
    watch_ending(command, codes)
}

pub fn watch(command: Command) -> Watched {
    watch_ending(command, &[0])
}

fn watch_ending(mut command: Command, codes: &[i32]) -> Watched {
    let output = tempfile::NamedTempFile::new().unwrap();
    let errors = tempfile::NamedTempFile::new().unwrap();
    command.stdin(Stdio::null()).stdout(output.reopen().unwrap()).stderr(errors.reopen().unwrap());
    let (begun, cpu_before) = (Instant::now(), cpu_of_children());
    let mut child = command.spawn().expect("the program starts");
    let (pid, mut peak) = (child.id(), 0.0);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        peak = resident(pid).unwrap_or(peak);
        sleep(Duration::from_millis(2));
    };
    let seconds = begun.elapsed().as_secs_f64();
    let stdout = fs::read_to_string(output.path()).unwrap();
    let stderr = fs::read_to_string(errors.path()).unwrap();
    assert!(
        status.code().is_some_and(|code| codes.contains(&code)),
        "{command:?} ended with {status}\n{stdout}{stderr}"
    );
    Watched { seconds, peak_mb: peak, cpu_seconds: cpu_of_children() - cpu_before, stdout }
}

/// Seconds of processor time that a server and what it started have taken so far.
pub fn cpu_of_server(pid: u32) -> f64 {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let children = processes.filter_map(|one: u32| Times::of(&one.to_string())).filter(|times| times.parent == pid);
    let own = Times::of(&pid.to_string()).expect("the server runs");
    own.own + own.ended + children.map(|child| child.own + child.ended).sum::<f64>()
}

/// Processor time of all children that have ended.
fn cpu_of_children() -> f64 {
    Times::of("self").unwrap().ended
}

/// What proc(5) tells of a process, in seconds.
struct Times {
    parent: u32,
    own: f64,
    /// Of its children that have ended.
    ended: f64,
}

impl Times {
    /// None where it has ended meanwhile.
    fn of(process: &str) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // What follows the name, which may hold anything: state, parent; the times are the 12th to the 15th of these.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks =
            |at: usize| fields[at..at + 2].iter().map(|field| field.parse::<f64>().unwrap()).sum::<f64>() / 100.0;
        Some(Self { parent: fields[1].parse().ok()?, own: ticks(11), ended: ticks(13) })
    }
}

fn resident(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}
