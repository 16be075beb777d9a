//! The data folder of `janitor local`: the embedded database, and a note that tells other
//! commands where the running system is.
//!
//! Only one process may open the database. The process that holds the folder holds a lock on a file in
//! it, which the operating system takes back however the process ends; the note may outlive
//! its writer and is believed only while the lock is held.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use embedded::Embedded;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;

const LOCK: &str = "janitor.lock";
const NOTE: &str = "local.json";
const TWILIO: &str = "twilio.json";
const DATABASE: &str = "channels.db";

/// The table's name in a folder.
pub(crate) const TABLE: &str = "channels";

/// The bus's name in a folder.
pub(crate) const BUS: &str = "notices";

/// A data folder that this process holds until the value is gone.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The lock ends with it.
    _lock: File,
}

/// Holder of a folder.
#[derive(Debug)]
pub(crate) enum Access {
    /// This process.
    Ours(Folder),
    /// A running `janitor local`.
    Running(Box<Note>),
}

/// Addresses of a running system, for other commands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    /// The process.
    pub(crate) pid: u32,
    /// Its clock.
    pub(crate) clock: Clock,
    /// The status page.
    pub(crate) page: String,
    /// The webhook, as the sink is to call it.
    pub(crate) webhook: String,
    /// Its DynamoDB and EventBridge.
    pub(crate) aws: String,
    /// The simulated Twilio, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) simulated: Option<Simulated>,
}

/// A simulated Twilio. Its credentials open nothing else, so they may stand in a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Simulated {
    pub(crate) url: String,
    pub(crate) account_sid: String,
    pub(crate) auth_token: String,
    pub(crate) api_key: String,
    pub(crate) api_secret: String,
    /// Between which TaskChannels chats are parked there.
    pub(crate) park_task_channels: String,
}

impl Folder {
    /// Takes an existing folder, or finds out who has it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Access> {
        if !path.join(DATABASE).exists() {
            bail!(
                "{} is no data folder; `janitor local --data {0}` makes one",
                path.display()
            );
        }
        Self::take(path)
    }

    /// Takes a folder, which is created if it does not exist, or finds out who has it.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Access> {
        fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
        Self::take(path)
    }

    fn take(path: &Path) -> anyhow::Result<Access> {
        let failed = || format!("cannot use the data folder {}", path.display());
        let lock = private(&path.join(LOCK)).with_context(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Access::Ours(Self {
                path: path.to_owned(),
                _lock: lock,
            })),
            Err(TryLockError::WouldBlock) => match read_note(path)? {
                Some(note) => Ok(Access::Running(Box::new(note))),
                None => bail!(
                    "another janitor command is using {}: try again when it has ended",
                    path.display()
                ),
            },
            Err(TryLockError::Error(error)) => Err(error).with_context(failed),
        }
    }

    /// The folder's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the folder's database.
    pub(crate) fn database(&self) -> anyhow::Result<Embedded> {
        let path = self.path.join(DATABASE);
        // SQLite keeps the mode of an existing file, and gives it to its journals.
        private(&path).with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Embedded::open(&path)?)
    }

    /// The folder's clock at rest: it goes on from where it was last noted, no faster than
    /// the machine's.
    pub(crate) fn clock(&self) -> anyhow::Result<Clock> {
        Ok(match read_note(&self.path)? {
            Some(note) => note.clock.at_rest(),
            None => Clock::of_machine(),
        })
    }

    /// Leaves a note.
    pub(crate) fn leave(&self, note: &Note) -> anyhow::Result<()> {
        self.replace(NOTE, &serde_json::to_vec_pretty(note)?)
    }

    /// Keeps the state of the simulated Twilio.
    pub(crate) fn keep_twilio(&self, state: &[u8]) -> anyhow::Result<()> {
        self.replace(TWILIO, state)
    }

    /// Returns the state of the simulated Twilio, if there is one.
    pub(crate) fn twilio(&self) -> anyhow::Result<Option<Vec<u8>>> {
        read(&self.path.join(TWILIO))
    }

    /// Replaces a file. The new one is there as a whole or not at all, whatever happens meanwhile.
    fn replace(&self, name: &str, text: &[u8]) -> anyhow::Result<()> {
        let draft = self.path.join(format!("{name}.new"));
        let failed = || format!("cannot write into {}", self.path.display());
        let mut file = private(&draft).with_context(failed)?;
        file.set_len(0).with_context(failed)?;
        file.write_all(text).with_context(failed)?;
        fs::rename(&draft, self.path.join(name)).with_context(failed)
    }
}

/// Opens a file for writing that only its owner may read, and creates it where it is missing.
fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // The mode above is for a new file only.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

fn read_note(path: &Path) -> anyhow::Result<Option<Note>> {
    let path = path.join(NOTE);
    let Some(text) = read(&path)? else {
        return Ok(None);
    };
    serde_json::from_slice(&text)
        .map(Some)
        .with_context(|| format!("{} cannot be read: delete it", path.display()))
}

/// Reads a file, if it is there.
fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
