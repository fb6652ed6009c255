//! Runs child processes, each in a process group of its own. All of them end with this process.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::checkout;
use crate::emulator::is_locked;
use crate::failure::{Doing, Failure};

/// How long a child may take to end after SIGTERM.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The running groups, which a signal ends.
static GROUPS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// A running child and the processes that it starts. They are ended when this value is dropped, even by a
/// panic.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
}

impl Group {
    /// Starts `command` in a process group of its own.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.process_group(0).spawn()?;
        groups.push(child.id());
        Ok(Self { child })
    }

    /// Returns the child's exit status if it has ended.
    pub(crate) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = self.child.id();
        signal_group("TERM", group);
        let end = Instant::now() + TIMEOUT;
        while self.ended().is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        // The child itself may have ended, while others of its group run.
        signal_group("KILL", group);
        let _ = self.child.wait();
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        groups.retain(|other| *other != group);
    }
}

/// Sends a signal to every process of a group. The standard library has no function for groups, so the shell
/// does it.
fn signal_group(signal: &str, group: u32) {
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -{signal} -{group} 2>/dev/null")])
        .process_group(0)
        .status();
}

/// On SIGINT, SIGTERM and SIGHUP, ends every child and then this process with code 130.
pub(crate) fn stop_children_on_signals() {
    std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return;
        };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = (
                signal(SignalKind::interrupt()),
                signal(SignalKind::terminate()),
                signal(SignalKind::hangup()),
            ) else {
                return;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
        });
        // Locked until the end, so that no further child starts.
        let groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        for signal in ["TERM", "KILL"] {
            for group in groups.iter() {
                signal_group(signal, *group);
            }
            std::thread::sleep(TIMEOUT / 4);
        }
        // Folders that another process of this checkout uses are kept.
        if is_locked("demo") {
            crate::demo::remove_scratch();
        }
        if is_locked("stacks") {
            crate::stacks::remove_scratch();
        }
        crate::terminal::error("\nStopped; nothing runs any more.");
        std::process::exit(130);
    });
}

/// Runs `command` to its end. Its output is written to `log` and passed line by line to `on_line`.
///
/// # Errors
/// The command cannot be started, or ends with another code than 0. `doing` names it, as in "Could not ...".
pub(crate) fn run(
    command: &mut Command,
    doing: &str,
    log: &Path,
    mut on_line: impl FnMut(&str),
) -> Result<(), Failure> {
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder).doing(|| format!("create {}", folder.display()))?;
    }
    let mut file = File::create(log).doing(|| format!("write {}", log.display()))?;
    let _ = writeln!(file, "$ {command:?}");
    let (reader, writer) = io::pipe().doing(|| "create a pipe".into())?;
    let other = writer.try_clone().doing(|| "create a pipe".into())?;
    command.stdin(Stdio::null()).stdout(writer).stderr(other);
    let started = Group::start(command);
    // The command has the other end of the pipe as long as it lives.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut group =
        started.doing(|| format!("{doing}: start {}", command.get_program().to_string_lossy()))?;
    let mut last = String::new();
    for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        // A progress bar overwrites itself with carriage returns. The log has only its last state.
        let drawn: Vec<&[u8]> = line
            .split(|byte| *byte == b'\r')
            .filter(|part| !part.is_empty())
            .collect();
        let kept = drawn.last().copied().unwrap_or_default();
        let _ = file.write_all(kept).and_then(|()| file.write_all(b"\n"));
        for part in drawn {
            let text = plain(&String::from_utf8_lossy(part));
            if !text.trim().is_empty() {
                on_line(text.trim_end());
                last = text;
            }
        }
    }
    let status = group.child.wait().doing(|| format!("wait for {doing}"))?;
    if status.success() {
        return Ok(());
    }
    let reason = reason_in(log).unwrap_or(last);
    Err(Failure::new(format!("Could not {doing}: {}", sentence(&reason))).with_log(log))
}

/// How a command with a time limit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Well,
    Badly,
    /// It was ended because its time was over.
    Late,
}

/// Runs `command` until it ends, its time is over or `stop` returns true for a line of its output. Then ends
/// all of its processes.
///
/// # Errors
/// The command cannot be started.
pub(crate) fn run_until(
    command: &mut Command,
    limit: Duration,
    mut stop: impl FnMut(&str) -> bool,
) -> Result<Ended, Failure> {
    let end = Instant::now() + limit;
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let mut group = Group::start(command.stdout(Stdio::piped()))
        .doing(|| format!("start {}", command.get_program().to_string_lossy()))?;
    let output = group.child.stdout.take().expect("it is piped");
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        lines
            .take_while(|line| sender.send(line.clone()).is_ok())
            .last();
    });
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) if stop(&line) => return Ok(Ended::Badly),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => return Ok(Ended::Late),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = group.child.wait().doing(|| "wait for a command".into())?;
    Ok(if status.success() {
        Ended::Well
    } else {
        Ended::Badly
    })
}

/// Returns the standard output of a command that ends with 0.
pub(crate) fn output(command: &mut Command, doing: &str) -> Result<String, Failure> {
    let done = command
        .stdin(Stdio::null())
        .output()
        .doing(|| doing.to_owned())?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let last = said
        .lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or("it failed");
    Err(Failure::new(format!(
        "Could not {doing}: {}",
        sentence(last)
    )))
}

/// Returns the line of a log that explains a failure: a custom resource's answer, or the first line that a
/// tool marks as an error. Often it is not the last line.
fn reason_in(log: &Path) -> Option<String> {
    let text = plain(&std::fs::read_to_string(log).ok()?);
    if let Some((_, answered)) = text.split_once("Message returned: ") {
        return answered.lines().next().map(str::to_owned);
    }
    let marked = |mark: &str| {
        text.lines()
            .find(|line| line.trim_start().starts_with(mark))
            .map(str::to_owned)
    };
    ["❌", "error", "ERROR:", "Error:"]
        .iter()
        .find_map(|mark| marked(mark))
        .or_else(|| npm_reason(&text))
}

/// Returns npm's reason. npm marks every line of an error, and its facts precede the sentence.
fn npm_reason(text: &str) -> Option<String> {
    let facts = ["code ", "syscall ", "errno ", "path ", "dest "];
    text.lines()
        .filter_map(|line| line.strip_prefix("npm error "))
        .find(|said| !facts.iter().any(|fact| said.starts_with(fact)))
        .map(str::to_owned)
}

fn sentence(text: &str) -> String {
    let text = text.trim().trim_start_matches("❌").trim();
    if text.ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// Returns `text` without the escape sequences of terminals.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            // ESC [ and parameters, up to the letter that ends the sequence.
            for c in rest.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else if c != '\r' {
            out.push(c);
        }
    }
    out
}

/// Returns a command that searches the pinned tools of `.venv` first.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    let mut folders = vec![checkout::venv().join("bin")];
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path));
    }
    if let Ok(path) = std::env::join_paths(folders) {
        command.env("PATH", path);
    }
    command.current_dir(checkout::root());
    // Folders that these tools would write to the home folder. The downloads of npm, pip and cargo stay
    // there, for all checkouts.
    let caches = checkout::target().join("caches");
    command
        .env("CDK_HOME", caches.join("cdk"))
        .env("JSII_RUNTIME_PACKAGE_CACHE_ROOT", caches.join("jsii"));
    // Commands may reach only the emulator, whatever AWS account, profile, Region or endpoint the user's
    // shell has.
    remove_variables(&mut command, &["AWS_"]);
    command
}

/// Removes variables that start with one of `prefixes` from a command's environment.
pub(crate) fn remove_variables(command: &mut Command, prefixes: &[&str]) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if prefixes.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
}

/// Removes the proxy settings from a command, because a proxy cannot reach the emulator on loopback.
pub(crate) fn without_proxies(command: &mut Command) {
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(name);
        command.env_remove(name.to_lowercase());
    }
}

/// Returns whether a program is in the PATH.
pub(crate) fn has(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_removed() {
        assert_eq!(plain("\u{1b}[1;31mred\u{1b}[0m\r plain"), "red plain");
    }

    #[test]
    fn the_reason_is_the_line_that_is_marked() {
        let log = std::env::temp_dir().join(format!("xtask-reason-{}", std::process::id()));
        std::fs::write(
            &log,
            "start\n \u{1b}[31m❌  stack failed: no\u{1b}[0m\nbye\n",
        )
        .unwrap();
        assert_eq!(
            reason_in(&log).as_deref().map(sentence).as_deref(),
            Some("stack failed: no.")
        );
        std::fs::remove_file(&log).unwrap();
    }

    #[test]
    fn the_reason_of_npm_is_its_facts_and_sentence() {
        let said = "npm warn a\nnpm error code ECONNREFUSED\nnpm error syscall connect\nnpm error request failed\n";
        assert_eq!(npm_reason(said).as_deref(), Some("request failed"));
    }

    #[test]
    fn a_failed_command_is_reported_with_its_last_line_and_its_log() {
        let log = std::env::temp_dir().join(format!("xtask-run-{}", std::process::id()));
        let mut lines = Vec::new();
        let failure = run(
            Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"]),
            "try it",
            &log,
            |line| lines.push(line.to_owned()),
        )
        .unwrap_err();
        assert_eq!(lines, ["one", "two"]);
        assert!(
            failure
                .to_string()
                .starts_with("Could not try it: two.\nMore: ")
        );
        assert_eq!(failure.log(), Some(log.as_path()));
        std::fs::remove_file(&log).unwrap();
    }

    #[test]
    fn a_group_ends_with_its_guard() {
        let group = Group::start(Command::new("sh").args(["-c", "sleep 60 & sleep 60"])).unwrap();
        let id = group.child.id();
        drop(group);
        // The orphan stays in the list of processes until the system's first process has collected it.
        let alive = || {
            Command::new("sh")
                .args(["-c", &format!("kill -0 -{id} 2>/dev/null")])
                .status()
                .unwrap()
                .success()
        };
        let end = Instant::now() + Duration::from_secs(10);
        while alive() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!alive());
    }
}
