//! The files of a patch on disk: where paths lead, reading, and carrying out a plan so that a failure halfway leaves nothing
//! changed.

use std::fs::{self, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use crate::patch::plan::{Disk, Place, Step};

/// As many links in a row as Linux follows.
const LINKS: u8 = 40;

/// A folder that relative paths start from.
pub struct Folder<'a> {
    cwd: &'a Path,
}

impl<'a> Folder<'a> {
    /// `cwd` is absolute.
    pub fn new(cwd: &'a Path) -> Self {
        Self { cwd }
    }
}

impl Disk for Folder<'_> {
    fn place(&self, path: &str) -> Place {
        let shown = normalize(&self.cwd.join(path));
        let entry = with_real_parent(&shown);
        let file = follow(&entry, LINKS);
        Place { shown, entry, file }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // Asked first, because reading a pipe would wait for ever and reading a device never end.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other(format!("path `{}` is not a file", path.display())));
        }
        fs::read(path)
    }
}

/// The path without `.` and `..`, by its text alone.
pub fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            _ => normal.push(component),
        }
    }
    normal
}

/// The path with the links on the way to it followed, but not it itself. What does not exist is taken as written.
fn with_real_parent(path: &Path) -> PathBuf {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return path.to_owned() };
    let parent = fs::canonicalize(parent).unwrap_or_else(|_| with_real_parent(parent));
    parent.join(name)
}

/// The file behind an entry, also where a link leads to nothing yet.
fn follow(entry: &Path, links: u8) -> PathBuf {
    match (fs::read_link(entry), links) {
        (Ok(target), 1..) => {
            let parent = entry.parent().unwrap_or(entry);
            follow(&with_real_parent(&parent.join(target)), links - 1)
        }
        _ => entry.to_owned(),
    }
}

/// Carries out all steps or, if one fails, none.
///
/// # Errors
/// What failed, and that nothing was changed, or what could not be undone.
pub fn carry_out(steps: &[Step<'_>]) -> Result<(), String> {
    let mut done = Vec::with_capacity(steps.len());
    for step in steps {
        if let Err(message) = carry_out_step(step, &mut done) {
            return Err(format!("{message}\n{}", undo(done)));
        }
    }
    Ok(())
}

fn carry_out_step<'a>(step: &Step<'a>, done: &mut Vec<Undo<'a>>) -> Result<(), String> {
    match step {
        Step::Write { path, text, before } => {
            let fail = |what: &str, error: io::Error| format!("Failed to {what} {}: {error}", path.display());
            create_parents(path, done).map_err(|error| fail("create parent directories for", error))?;
            // Noted before the attempt: also half a file has to be undone.
            done.push(match before {
                Some(bytes) => Undo::Restore(path.clone(), bytes),
                None => Undo::RemoveFile(path.clone()),
            });
            write(path, text.as_bytes()).map_err(|error| fail("write file", error))
        }
        Step::Remove { path, before } => {
            let fail = |error| format!("Failed to delete file {}: {error}", path.display());
            let undo = match before {
                Some(bytes) => fs::metadata(path).map(|meta| Undo::Recreate(path.clone(), bytes, meta.permissions())),
                None => fs::read_link(path).map(|target| Undo::Relink(path.clone(), target)),
            };
            let undo = undo.map_err(fail)?;
            fs::remove_file(path).map_err(fail)?;
            done.push(undo);
            Ok(())
        }
    }
}

/// What undoes a step.
enum Undo<'a> {
    RemoveFolder(PathBuf),
    RemoveFile(PathBuf),
    Restore(PathBuf, &'a [u8]),
    Recreate(PathBuf, &'a [u8], Permissions),
    Relink(PathBuf, PathBuf),
}

impl Undo<'_> {
    fn path(&self) -> &Path {
        match self {
            Self::RemoveFolder(path) | Self::RemoveFile(path) | Self::Relink(path, _) => path,
            Self::Restore(path, _) | Self::Recreate(path, ..) => path,
        }
    }

    fn run(&self) -> io::Result<()> {
        use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
        // What could not be made is not there to be removed.
        let gone = |result: io::Result<()>| match result {
            Err(error) if matches!(error.kind(), NotFound | NotADirectory | IsADirectory) => Ok(()),
            result => result,
        };
        match self {
            Self::RemoveFolder(path) => gone(fs::remove_dir(path)),
            Self::RemoveFile(path) => gone(fs::remove_file(path)),
            Self::Restore(path, bytes) if fs::read(path).is_ok_and(|now| now == *bytes) => Ok(()),
            Self::Restore(path, bytes) => write(path, bytes),
            Self::Recreate(path, bytes, permissions) => {
                write(path, bytes)?;
                fs::set_permissions(path, permissions.clone())
            }
            Self::Relink(path, target) => symlink(target, path),
        }
    }
}

fn undo(done: Vec<Undo<'_>>) -> String {
    let failed = |undo: &Undo<'_>| undo.run().err().map(|error| format!("{}: {error}", undo.path().display()));
    let lost: Vec<String> = done.iter().rev().filter_map(failed).collect();
    if lost.is_empty() {
        "Nothing was changed: what was already done has been undone.".into()
    } else {
        format!("Undoing what was already done failed for:\n{}", lost.join("\n"))
    }
}

fn create_parents(path: &Path, done: &mut Vec<Undo<'_>>) -> io::Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    let missing: Vec<&Path> = parent.ancestors().take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        fs::create_dir(folder)?;
        done.push(Undo::RemoveFolder(folder.to_owned()));
    }
    Ok(())
}

/// Writes a file so that others see either the old or the new content, never half of it. Where a file put in its place
/// would not be the same (another owner, further names) or cannot be put there, it is written where it is.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let existing = match fs::metadata(path) {
        Ok(existing) => Some(existing),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if existing.is_some() {
        // A file that may not be written to may not be replaced either.
        OpenOptions::new().write(true).open(path)?;
    }
    if existing.as_ref().is_some_and(|existing| existing.nlink() > 1) || !replace(path, content, existing.as_ref())? {
        return fs::write(path, content);
    }
    Ok(())
}

/// Puts a new file in the place of `path`; `false` if that is not possible, and nothing has happened.
fn replace(path: &Path, content: &[u8], existing: Option<&Metadata>) -> io::Result<bool> {
    let folder = path.parent().unwrap_or(path);
    // The process's umask is taken off this.
    let mode = Permissions::from_mode(if existing.is_some() { 0o600 } else { 0o666 });
    let Ok(mut file) = tempfile::Builder::new().prefix(".hone-patch-").permissions(mode).tempfile_in(folder) else {
        return Ok(false);
    };
    if let Some(existing) = existing {
        let ours = file.as_file().metadata()?;
        if (ours.uid(), ours.gid()) != (existing.uid(), existing.gid()) {
            return Ok(false);
        }
        file.as_file().set_permissions(existing.permissions())?;
    }
    file.write_all(content)?;
    Ok(file.persist(path).is_ok())
}
