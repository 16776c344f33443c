//! Finding sessions.
//!
//! No index is needed here. Names tell id and begin, the file system tells the last change; of a file's content only the
//! first lines are read, and only until a session fits.

use std::fs::{self, DirEntry, File};
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use memchr::memmem;

use super::failure::storage_error;
use super::load::meta_near_begin;
use super::name::{ARCHIVED, SESSIONS, SessionName};
use crate::protocol::rollout_line::SessionMeta;
use crate::protocol::{RolloutError, ThreadId};

/// How much is read to see that its folder is another one.
const FIRST_BYTES: u64 = 4 << 10;
/// Sessions lie three folders deep; foreign ones may lie anywhere near.
const MAX_DEPTH: usize = 8;

/// Which sessions are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only those that began in this folder.
    pub cwd: Option<&'a Path>,
    /// Only those of this provider, and those that name none.
    pub provider: Option<&'a str>,
}

/// Tells whether a session began in a folder, by whatever links one gets there.
pub(super) struct FolderTest<'a> {
    wanted: &'a Path,
    real: Option<PathBuf>,
}

impl<'a> FolderTest<'a> {
    pub(super) fn new(wanted: &'a Path) -> Self {
        Self { wanted, real: fs::canonicalize(wanted).ok() }
    }

    pub(super) fn is(&self, cwd: &Path) -> bool {
        self.wanted == cwd || self.real.as_deref() == Some(cwd)
    }
}

/// The file of the session with this id, put away or not.
///
/// # Errors
/// A folder of sessions cannot be read.
pub fn find(home: &Path, id: ThreadId) -> Result<Option<PathBuf>, RolloutError> {
    for root in [SESSIONS, ARCHIVED] {
        let is_it = |name: SessionName, entry: &DirEntry| {
            if name.id == id { ControlFlow::Break(entry.path()) } else { ControlFlow::Continue(()) }
        };
        if let Some(path) = visit(&home.join(root), is_it)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// The session that was last written to among those that pass the filter. A resumed session counts from when it was resumed,
/// as people expect of "last"; that takes a look at every file's time, a microsecond or two each.
///
/// # Errors
/// A folder of sessions cannot be read.
pub fn latest(home: &Path, filter: Filter<'_>) -> Result<Option<PathBuf>, RolloutError> {
    let folder = filter.cwd.map(FolderTest::new);
    let is_cwd = |cwd: &Path| folder.as_ref().is_none_or(|folder| folder.is(cwd));
    let fits = |path: &Path| {
        first_cwd(path).is_none_or(|cwd| is_cwd(Path::new(&cwd)))
            && meta_near_begin(path).is_ok_and(|meta| {
                let of_provider = |wanted| meta.model_provider.as_deref().is_none_or(|provider| provider == wanted);
                is_cwd(&meta.cwd) && filter.provider.is_none_or(of_provider) && !is_of_subagent(&meta)
            })
    };
    Ok(newest_first(home)?.into_iter().find(|path| fits(path)))
}

/// All sessions that are not put away, the one last written to first.
///
/// # Errors
/// A folder of sessions cannot be read.
pub fn newest_first(home: &Path) -> Result<Vec<PathBuf>, RolloutError> {
    let mut found = Vec::new();
    visit::<()>(&home.join(SESSIONS), |name, entry| {
        // A file that is gone by now is none.
        if let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) {
            found.push((modified, name, entry.path()));
        }
        ControlFlow::Continue(())
    })?;
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found.into_iter().map(|(_, _, path)| path).collect())
}

/// The folder a session began in, when its first few thousand bytes tell; a quick no for the many that began elsewhere. A
/// quote that is not escaped is no part of a text, so the key is a key.
fn first_cwd(path: &Path) -> Option<String> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(FIRST_BYTES).read_to_end(&mut head).ok()?;
    let value = memmem::find(&head, b"\"cwd\":")? + b"\"cwd\":".len();
    serde_json::Deserializer::from_slice(&head[value..]).into_iter().next()?.ok()
}

/// Sub-agents have sessions too, which are not the person's.
fn is_of_subagent(meta: &SessionMeta) -> bool {
    meta.source.get("subagent").is_some()
}

/// Shows `look` every session file below `folder`, newest name first, until it breaks.
pub(super) fn visit<T>(
    folder: &Path,
    mut look: impl FnMut(SessionName, &DirEntry) -> ControlFlow<T>,
) -> Result<Option<T>, RolloutError> {
    visit_below(folder, MAX_DEPTH, &mut look)
}

fn visit_below<T>(
    folder: &Path,
    depth: usize,
    look: &mut impl FnMut(SessionName, &DirEntry) -> ControlFlow<T>,
) -> Result<Option<T>, RolloutError> {
    let mut entries: Vec<DirEntry> = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(Result::ok).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(storage_error("look for sessions in", folder, &error)),
    };
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.file_name()));
    for entry in entries {
        let name = entry.file_name().to_str().and_then(SessionName::parse);
        let found = match name {
            Some(name) => look(name, &entry).break_value(),
            None if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) => {
                visit_below(&entry.path(), depth - 1, look)?
            }
            None => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
