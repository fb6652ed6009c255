//! Starts the emulated AWS, and a name server that serves the zones of its Route 53.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use name_server::{RecordSet, Registration, Served, Zone, Zones};
use serde::Deserialize;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::checkout;
use crate::failure::{Doing, Failure};
use crate::http;
use crate::process::{self, Group};
use crate::terminal;

/// The interval at which the name server copies the zones. A change is INSYNC after `INSYNC_SECONDS`, well
/// after the next copy.
const COPY_EVERY: Duration = Duration::from_millis(200);
/// How long a Route 53 change is PENDING.
const INSYNC_SECONDS: &str = "1.0";
/// The longest time in which the emulator has to start.
const START: Duration = Duration::from_secs(60);

/// An emulated AWS with DNS. All of it ends when this value is dropped.
pub(crate) struct Emulator {
    /// The address of its APIs, on loopback.
    pub(crate) address: SocketAddr,
    /// The name servers.
    pub(crate) dns: Served,
    copied: watch::Receiver<Option<Seen>>,
    copying: tokio::task::AbortHandle,
    // The order matters: the emulator ends before the runtime that serves its names.
    _group: Group,
    _runtime: Runtime,
}

/// A public zone in the response of `/_emulator/zones`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
struct SeenZone {
    id: String,
    name: String,
    name_servers: Vec<String>,
    record_sets: Vec<SeenRecordSet>,
    signed: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct SeenRecordSet {
    name: String,
    #[serde(rename = "type")]
    record_type: String,
    ttl: u32,
    values: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct SeenRegistration {
    domain: String,
    zone: String,
    /// The values of its DS record set.
    ds: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Seen {
    registered: Vec<SeenRegistration>,
    zones: Vec<SeenZone>,
}

impl Emulator {
    /// Starts both, the name servers first, because the functions need their address.
    ///
    /// `registered` are the base domains, each with the account whose zone of that name the registry
    /// delegates to. `options` are further options of `launch.py`.
    ///
    /// # Errors
    /// One of them does not start.
    pub(crate) fn start(
        registered: &[(&str, &str)],
        options: &[&OsStr],
        scratch: &Path,
        log: &Path,
    ) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .doing(|| "start the name server".into())?;
        let (publish, zones) = watch::channel(Arc::new(Zones::default()));
        let (note, copied) = watch::channel(None);
        let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let dns = runtime
            .block_on(name_server::serve(zones, loopback))
            .doing(|| "start the name server".into())?;

        let address = free_port()?;
        let temporary = scratch.join("tmp");
        fs::create_dir_all(&temporary).doing(|| format!("create {}", temporary.display()))?;
        let output = File::create(log).doing(|| format!("write {}", log.display()))?;
        let errors = output
            .try_clone()
            .doing(|| format!("write {}", log.display()))?;
        // The functions get the emulator's environment, so nothing of this shell's may be in it.
        let mut command = Command::new(checkout::venv_program("python"));
        command
            .arg(checkout::emulator().join("launch.py"))
            .args(["--port", &address.port().to_string(), "--with-parent"])
            .args(["--insync-seconds", INSYNC_SECONDS])
            .args(options)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", scratch)
            .env("TMPDIR", &temporary)
            .env("LANG", "C.UTF-8")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("DNS_NAME_SERVERS", dns.address.to_string())
            .env("RUST_LOG", "info")
            .current_dir(scratch)
            // Open as long as this process lives: the emulator ends when it is closed, however this process
            // ends.
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors);
        for (domain, account) in registered {
            command.args(["--base-domain", &format!("{domain}={account}")]);
        }
        let mut group = Group::start(&mut command).doing(|| "start the emulator".into())?;
        let begun = Instant::now();
        while !http::answers(address, "/_ministack/health") {
            if let Some(status) = group.ended() {
                let said = fs::read_to_string(log).unwrap_or_default();
                let last = said
                    .lines()
                    .last()
                    .unwrap_or("it printed nothing")
                    .to_owned();
                return Err(
                    Failure::new(format!("The emulator ended at once ({status}): {last}"))
                        .with_log(log),
                );
            }
            if begun.elapsed() > START {
                return Err(Failure::new(format!(
                    "The emulator does not answer after {} seconds.",
                    START.as_secs()
                ))
                .with_log(log));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let copying = runtime.spawn(copy(address, publish, note)).abort_handle();
        Ok(Self {
            address,
            dns,
            copied,
            copying,
            _group: group,
            _runtime: runtime,
        })
    }

    /// Returns the URL of its APIs.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the address of a name server: its own, or that of the one server that serves all zones.
    pub(crate) fn name_server(&self, host: &str) -> SocketAddr {
        if self.dns.own_addresses {
            SocketAddr::new(
                IpAddr::V4(name_server::address_of(host)),
                self.dns.address.port(),
            )
        } else {
            self.dns.address
        }
    }

    /// Returns the name servers of a base domain in the registry.
    ///
    /// # Errors
    /// The emulator does not answer, or nothing is registered.
    pub(crate) fn registered(&self, domain: &str) -> Result<Vec<String>, Failure> {
        let seen: Seen = http::get(self.address, "/_emulator/zones")
            .doing(|| "read the emulator's zones".into())?;
        seen.registered
            .iter()
            .find(|entry| entry.domain == domain)
            .and_then(|entry| seen.zones.iter().find(|zone| zone.id == entry.zone))
            .map(|zone| zone.name_servers.clone())
            .ok_or_else(|| Failure::new(format!("Nothing is registered for {domain}.")))
    }

    /// Waits until the name servers serve the zones that Route 53 has now.
    ///
    /// # Errors
    /// The emulator does not answer, or the name servers do not get the zones.
    pub(crate) fn wait_for_dns(&self) -> Result<(), Failure> {
        let now: Seen = http::get(self.address, "/_emulator/zones")
            .doing(|| "read the emulator's zones".into())?;
        for _ in 0..50 {
            if self.copied.borrow().as_ref() == Some(&now) {
                // The thread sends the zones to the name servers, which use them at once.
                std::thread::sleep(COPY_EVERY);
                return Ok(());
            }
            std::thread::sleep(COPY_EVERY);
        }
        Err(Failure::new("The name servers do not follow Route 53."))
    }

    /// Runs a command of `tests/emulator/accounts.py`.
    ///
    /// # Errors
    /// The command fails, or returns something else.
    pub(crate) fn ask<T: serde::de::DeserializeOwned>(
        &self,
        arguments: &[&str],
        doing: &str,
    ) -> Result<T, Failure> {
        let mut command = process::command(checkout::venv_program("python"));
        command
            .arg(checkout::emulator().join("accounts.py"))
            .args(["--endpoint", &self.endpoint()])
            .args(arguments);
        process::without_proxies(&mut command);
        let said = process::output(&mut command, doing)?;
        serde_json::from_str(&said).doing(|| doing.to_owned())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.copying.abort();
    }
}

/// The folders that this process has locked, with their locks.
static LOCKED: Mutex<Vec<(String, File)>> = Mutex::new(Vec::new());

/// Returns whether this process has locked a folder with [`fresh_folder`].
pub(crate) fn is_locked(name: &str) -> bool {
    let held = LOCKED.lock().unwrap_or_else(PoisonError::into_inner);
    held.iter().any(|(folder, _)| folder == name)
}

/// Locks a folder as long as this process lives. The system releases the lock, however the process ends.
fn lock(name: &str) -> Result<(), Failure> {
    let path = checkout::target().join(format!("{name}.lock"));
    let file = fs::create_dir_all(checkout::target())
        .and_then(|()| File::create(&path))
        .doing(|| format!("write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            let mut held = LOCKED.lock().unwrap_or_else(PoisonError::into_inner);
            held.push((name.to_owned(), file));
            Ok(())
        }
        Err(TryLockError::WouldBlock) => Err(Failure::new(format!(
            "Another command uses {} of this checkout. Wait until it ends, or stop it.",
            path.with_extension("").display()
        ))),
        Err(TryLockError::Error(error)) => Err(error).doing(|| format!("lock {}", path.display())),
    }
}

fn free_port() -> Result<SocketAddr, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .doing(|| "find a free port".into())
}

/// Copies the emulator's zones to the name servers as long as both run.
async fn copy(
    address: SocketAddr,
    publish: watch::Sender<Arc<Zones>>,
    note: watch::Sender<Option<Seen>>,
) {
    loop {
        let seen =
            tokio::task::spawn_blocking(move || http::get::<Seen>(address, "/_emulator/zones"));
        // If the emulator is busy or has ended, the names stay as they are.
        if let Ok(Ok(seen)) = seen.await
            && note.borrow().as_ref() != Some(&seen)
        {
            match snapshot(&seen) {
                Ok(zones) => {
                    let _ = publish.send(Arc::new(zones));
                }
                Err(error) => {
                    terminal::error(format!("The name server keeps its last zones: {error}."));
                }
            }
            let _ = note.send(Some(seen));
        }
        tokio::time::sleep(COPY_EVERY).await;
    }
}

fn snapshot(seen: &Seen) -> Result<Zones, name_server::InvalidRecordSet> {
    let zones: Vec<Zone> = seen
        .zones
        .iter()
        .map(|zone| Zone {
            name: zone.name.clone(),
            name_servers: zone.name_servers.clone(),
            record_sets: zone
                .record_sets
                .iter()
                .map(|set| RecordSet {
                    name: set.name.clone(),
                    record_type: set.record_type.clone(),
                    ttl: set.ttl,
                    values: set.values.clone(),
                })
                .collect(),
            signed: zone.signed,
        })
        .collect();
    let registrations: Vec<Registration> = seen
        .registered
        .iter()
        .filter_map(|entry| {
            let zone = seen.zones.iter().find(|zone| zone.id == entry.zone)?;
            Some(Registration {
                name: entry.domain.clone(),
                name_servers: zone.name_servers.clone(),
                ds: entry.ds.clone(),
            })
        })
        .collect();
    Zones::new(&zones, &registrations)
}

/// Returns an empty folder for the logs of a command, which is locked until this process ends.
///
/// # Errors
/// Another process has locked the folder, or it cannot be created.
pub(crate) fn fresh_folder(name: &str) -> Result<PathBuf, Failure> {
    lock(name)?;
    let folder = checkout::target().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).doing(|| format!("empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
    Ok(folder)
}
