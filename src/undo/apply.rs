//! Carries out a plan: all of it or nothing.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::blobs::Blobs;
use super::journal::{Entry, Journal, Line};
use super::plan::{Conflict, Direction, Plan, Step, Undo};
use super::state::State;
use crate::protocol::{ErrorKind, UserError};

impl Undo {
    /// Does what a plan says. What it replaces is kept first, so that it can be had again. Blocks.
    ///
    /// # Errors
    /// The plan has conflicts, a file changed since it was made, or something could not be written: then nothing has changed,
    /// or the error says what could not be put back.
    pub fn apply(&self, plan: &Plan) -> Result<(), UserError> {
        if !plan.is_clear() {
            return Err(plan.refusal());
        }
        let storage = |error: io::Error| {
            let message = format!("cannot write to {}: {error}; nothing was changed", self.folder().display());
            UserError::new(ErrorKind::Storage, message).hint("make the folder writable, or free some space")
        };
        let blobs = self.blobs();
        keep_what_goes(plan, &blobs)?;
        let mut journal = Journal::open(&self.journal(plan.thread)).map_err(storage)?;
        let unknown = plan.files.iter().filter(|step| step.unknown);
        let files: Vec<_> = unknown.map(|step| Entry { path: step.path.clone(), state: step.now.clone() }).collect();
        if !files.is_empty() {
            journal.append(&Line::After { turn: plan.turn, by_others: false, files }).map_err(storage)?;
        }
        journal.sync().map_err(storage)?;

        let mut done = Done { blobs: &blobs, steps: Vec::new() };
        let written = done.all(&plan.files).and_then(|()| {
            let line = match plan.direction {
                Direction::Undo => Line::Undone { turn: plan.turn },
                Direction::Redo => Line::Redone { turn: plan.turn },
            };
            journal.append(&line).and_then(|()| journal.sync()).map_err(|error| (self.folder().to_owned(), error))
        });
        written.map_err(|(path, error)| {
            let message = format!("cannot change {}: {error}; {}", path.display(), done.take_back());
            UserError::new(ErrorKind::Storage, message).hint("make it writable and try again")
        })
    }
}

/// Looks at every file a last time, and keeps what is there.
fn keep_what_goes(plan: &Plan, blobs: &Blobs) -> Result<(), UserError> {
    let mut conflicts = Vec::new();
    for step in &plan.files {
        let reason = match State::capture(&step.path, Some(blobs)) {
            Ok(now) if now == step.now => continue,
            Ok(_) => "was changed just now".to_owned(),
            Err(error) => format!("cannot be kept: {error}"),
        };
        conflicts.push(Conflict { path: step.path.clone(), reason });
    }
    if conflicts.is_empty() { Ok(()) } else { Err(Plan { conflicts, ..plan.clone() }.refusal()) }
}

/// What has been done, so that it can be taken back.
struct Done<'a> {
    blobs: &'a Blobs,
    /// Paths and what was there before, in the order they were changed.
    steps: Vec<(PathBuf, State)>,
}

type Failure = (PathBuf, io::Error);

impl Done<'_> {
    /// First everything that has to go, what lies deepest first; then everything that has to be there, folders before what
    /// lies in them. Steps come in the order of their paths.
    fn all(&mut self, steps: &[Step]) -> Result<(), Failure> {
        let goes = |step: &&Step| {
            step.to == State::Absent || is_folder(&step.now) != is_folder(&step.to) && step.now != State::Absent
        };
        for step in steps.iter().rev().filter(goes) {
            self.set(&step.path, &step.now, &State::Absent)?;
        }
        for step in steps.iter().filter(|step| step.to != State::Absent) {
            self.create_parents(&step.path)?;
            let now = if goes(&step) { &State::Absent } else { &step.now };
            self.set(&step.path, now, &step.to)?;
        }
        Ok(())
    }

    fn set(&mut self, path: &Path, now: &State, to: &State) -> Result<(), Failure> {
        // Noted before the attempt: also half a file has to be taken back.
        self.steps.push((path.to_owned(), now.clone()));
        set(path, to, self.blobs).map_err(|error| (path.to_owned(), error))
    }

    /// Folders that somebody removed since come back with the file.
    fn create_parents(&mut self, path: &Path) -> Result<(), Failure> {
        let missing: Vec<_> = path.ancestors().skip(1).take_while(|folder| !folder.exists()).collect();
        for folder in missing.into_iter().rev() {
            self.steps.push((folder.to_owned(), State::Absent));
            fs::create_dir(folder).map_err(|error| (folder.to_owned(), error))?;
        }
        Ok(())
    }

    fn take_back(&mut self) -> String {
        let mut lost = Vec::new();
        for (path, state) in self.steps.drain(..).rev() {
            if let Err(error) = set(&path, &state, self.blobs) {
                lost.push(format!("\n  {}: {error}", path.display()));
            }
        }
        if lost.is_empty() {
            "what was already done was taken back, so nothing has changed".into()
        } else {
            format!("taking back what was already done failed for{}", lost.concat())
        }
    }
}

fn is_folder(state: &State) -> bool {
    matches!(state, State::Folder { .. })
}

/// Brings a path into a state. Files and links are replaced in one step, so that others see the old or the new.
fn set(path: &Path, to: &State, blobs: &Blobs) -> io::Result<()> {
    match to {
        State::Absent => remove(path),
        State::Folder { mode } => match fs::create_dir(path) {
            Ok(()) => fs::set_permissions(path, Permissions::from_mode(*mode)),
            Err(_) if path.is_dir() => Ok(()),
            Err(error) => Err(error),
        },
        State::Link { target } => replace_by_link(path, target),
        State::File { mode, hash, .. } => write(path, &blobs.get(hash)?, *mode),
        State::Large { .. } | State::Other => Err(io::Error::other("what was there was not kept")),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    use io::ErrorKind::{DirectoryNotEmpty, NotADirectory, NotFound};
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        // What others put into a folder since keeps it.
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | DirectoryNotEmpty) => Ok(()),
        removed => removed,
    }
}

fn replace_by_link(path: &Path, target: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or("link");
    let beside = folder.join(format!(".hone-undo-{}-{name}", std::process::id()));
    symlink(target, &beside)?;
    fs::rename(&beside, path).inspect_err(|_| fs::remove_file(&beside).unwrap_or_default())
}

/// Writes a file with its mode. Where a file put in its place would not be the same (another owner, further names), it is
/// written where it is.
fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let existing = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file);
    let folder = path.parent().unwrap_or(path);
    let mode = Permissions::from_mode(mode);
    let new =
        tempfile::Builder::new().prefix(".hone-undo-").permissions(Permissions::from_mode(0o600)).tempfile_in(folder);
    if let (Some(existing), Ok(new)) = (&existing, &new) {
        let ours = new.as_file().metadata()?;
        if existing.nlink() == 1 && (ours.uid(), ours.gid()) == (existing.uid(), existing.gid()) {
            // The same in its place: below.
        } else {
            return write_in_place(path, content, mode);
        }
    }
    match new {
        Ok(mut new) => {
            new.write_all(content)?;
            new.as_file().set_permissions(mode)?;
            new.as_file().sync_data()?;
            new.persist(path)?;
            Ok(())
        }
        Err(_) if existing.is_some() => write_in_place(path, content, mode),
        Err(error) => Err(error),
    }
}

fn write_in_place(path: &Path, content: &[u8], mode: Permissions) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(content)?;
    file.set_permissions(mode)?;
    file.sync_data()
}
