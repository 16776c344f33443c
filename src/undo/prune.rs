//! Keeps the store small: what is old goes, and the oldest goes first when there is too much.
//!
//! Journals are never rewritten, since a session may be writing to them: contents go, and undo says that they are gone.
//! Young contents stay whatever the journals say; somebody may be about to name them.

use std::collections::HashSet;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::journal;
use super::plan::Undo;
use super::state::State;

/// How long a turn can be undone.
const DAYS: u64 = 30;
/// How much is kept of all turns together.
const LARGEST: u64 = 1 << 30;
/// How often it is looked.
const PAUSE: Duration = Duration::from_secs(60 * 60);
/// What is younger stays.
const YOUNG: Duration = Duration::from_secs(60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Prunes, if nobody did within the last hour. Trouble is not worth a word: the next time will do.
pub fn when_due(store: &Undo, now_ms: u64) {
    let stamp = store.folder().join("pruned");
    let age = |path: &Path| fs::metadata(path).ok()?.modified().ok()?.elapsed().ok();
    if age(&stamp).is_some_and(|age| age < PAUSE) {
        return;
    }
    let touch = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&stamp);
    touch.and_then(|stamp: File| stamp.set_modified(SystemTime::now())).unwrap_or_default();
    prune(store, now_ms, LARGEST).unwrap_or_default();
}

/// Removes what is too old or too much. `largest` is in bytes.
///
/// # Errors
/// The store cannot be read.
pub fn prune(store: &Undo, now_ms: u64, largest: u64) -> io::Result<()> {
    let oldest_ms = now_ms.saturating_sub(DAYS * 24 * 60 * 60 * 1000);
    let mut turns = Vec::new();
    for entry in entries(store.folder())? {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        if is_older(&entry, DAY * u32::try_from(DAYS).unwrap_or(u32::MAX)) {
            fs::remove_file(path)?;
        } else {
            turns.extend(journal::read(&path)?.into_iter().filter(|turn| turn.at_ms >= oldest_ms));
        }
    }
    turns.sort_unstable_by_key(|turn| std::cmp::Reverse(turn.at_ms));
    let mut kept = HashSet::new();
    let mut total = 0;
    for change in turns.iter().flat_map(|turn| turn.files.values()) {
        for state in [&change.before].into_iter().chain(&change.after) {
            if let State::File { hash, len, .. } = state {
                total += if kept.contains(hash.as_str()) { 0 } else { *len };
                if total <= largest {
                    kept.insert(hash.as_str());
                }
            }
        }
    }
    for shelf in entries(store.blobs().folder())? {
        for blob in entries(&shelf.path()).unwrap_or_default() {
            let hash = [shelf.file_name(), blob.file_name()].map(|name| name.to_string_lossy().into_owned()).concat();
            if !kept.contains(hash.as_str()) && is_older(&blob, YOUNG) {
                fs::remove_file(blob.path())?;
            }
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.filter_map(Result::ok).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn is_older(entry: &DirEntry, limit: Duration) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.ok().and_then(|modified| modified.elapsed().ok()).is_some_and(|age| age > limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ThreadId, TurnId};
    use crate::undo::journal::{Entry, Journal, Line};

    const NOW: u64 = 1_800_000_000_000;
    const A_DAY: u64 = 24 * 60 * 60 * 1000;

    /// A turn that found 100 bytes of `byte` some days ago; the hash of them.
    fn turn(store: &Undo, byte: u8, days_ago: u64) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, [byte; 100]).unwrap();
        let state = State::capture(&path, Some(&store.blobs())).unwrap();
        let hash = state.hash().unwrap().to_owned();
        let line =
            Line::Before { turn: TurnId::new(), at_ms: NOW - days_ago * A_DAY, files: vec![Entry { path, state }] };
        Journal::open(&store.journal(ThreadId::new())).unwrap().append(&line).unwrap();
        hash
    }

    /// Makes everything that is kept two hours old.
    fn age(store: &Undo) {
        for shelf in entries(store.blobs().folder()).unwrap() {
            for blob in entries(&shelf.path()).unwrap() {
                let file = File::open(blob.path()).unwrap();
                file.set_modified(SystemTime::now() - 2 * YOUNG).unwrap();
            }
        }
    }

    #[test]
    fn old_turns_go_and_the_oldest_first_when_there_is_too_much() {
        let home = tempfile::tempdir().unwrap();
        let store = Undo::new(home.path());
        prune(&store, NOW, LARGEST).unwrap();
        let hashes = [(1, 0), (2, 5), (3, 29), (4, 31)].map(|(byte, days_ago)| turn(&store, byte, days_ago));
        let kept = || hashes.each_ref().map(|hash| store.blobs().has(hash));
        prune(&store, NOW, LARGEST).unwrap();
        assert_eq!(kept(), [true; 4], "what is young stays");
        age(&store);
        prune(&store, NOW, LARGEST).unwrap();
        assert_eq!(kept(), [true, true, true, false]);
        prune(&store, NOW, 250).unwrap();
        assert_eq!(kept(), [true, true, false, false]);
        prune(&store, NOW, 0).unwrap();
        assert_eq!(kept(), [false; 4]);
    }

    #[test]
    fn what_is_needed_again_is_young_again() {
        let home = tempfile::tempdir().unwrap();
        let store = Undo::new(home.path());
        let hash = turn(&store, 1, 40);
        age(&store);
        store.blobs().put(&hash, &[1; 100]).unwrap();
        prune(&store, NOW, LARGEST).unwrap();
        assert!(store.blobs().has(&hash));
    }
}
