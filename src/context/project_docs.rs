//! Finds the AGENTS.md files that apply to a folder and joins them.
//!
//! One file comes from `$CODEX_HOME`, then one from each folder between the root of the project and the current folder,
//! outermost first, so that what is nearer is read later and weighs more. Looking for them costs a few `stat` calls per
//! turn; a file is read again only when it changed.

use std::path::{Path, PathBuf};

use super::cache::FileCache;
use super::settings::ContextSettings;
use super::warnings::Warnings;

/// The most bytes of the person's own AGENTS.md. Codex knows no such limit; ours keeps a stray file out of every request.
pub const GLOBAL_DOC_MAX_BYTES: usize = 64 * 1024;

const OVERRIDE: &str = "AGENTS.override.md";
const DEFAULT: &str = "AGENTS.md";
const SEPARATOR: &str = "\n\n--- project-doc ---\n\n";

/// The folders from the project's root down to the current folder. The root is the nearest folder, the current one included,
/// that holds a marker; without one the current folder stands alone.
#[must_use]
pub fn project_folders(cache: &FileCache, settings: &ContextSettings) -> Vec<PathBuf> {
    let has_marker = |dir: &Path| settings.project_root_markers.iter().any(|marker| cache.exists(&dir.join(marker)));
    let depth = settings.cwd.ancestors().position(has_marker).unwrap_or(0);
    let mut folders: Vec<PathBuf> = settings.cwd.ancestors().take(depth + 1).map(Path::to_owned).collect();
    folders.reverse();
    folders
}

/// The text of all files that apply to `folders`, as the model is to read it; `None` when there is none.
pub fn collect(
    cache: &mut FileCache,
    settings: &ContextSettings,
    folders: &[PathBuf],
    warnings: &mut Warnings,
) -> Option<String> {
    let global = global_doc(cache, settings, warnings);
    let project = project_docs(cache, settings, folders, warnings);
    match (global, project.is_empty()) {
        (None, true) => None,
        (None, false) => Some(project),
        (Some(global), true) => Some(global),
        (Some(global), false) => Some([&global, SEPARATOR, &project].concat()),
    }
}

/// The first of the person's own files that says anything.
fn global_doc(cache: &mut FileCache, settings: &ContextSettings, warnings: &mut Warnings) -> Option<String> {
    [OVERRIDE, DEFAULT].iter().find_map(|name| {
        let path = settings.codex_home.join(name);
        let (text, whole) = read(cache, &path, GLOBAL_DOC_MAX_BYTES, warnings)?;
        if whole > GLOBAL_DOC_MAX_BYTES {
            let path = path.display();
            warnings.once(format!(
                "{path} has {whole} bytes; the model sees the first {GLOBAL_DOC_MAX_BYTES}. Shorten the file."
            ));
        }
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    })
}

/// The files of the project, joined. Each counts with the bytes it has on disk; the one that crosses the limit is cut.
fn project_docs(
    cache: &mut FileCache,
    settings: &ContextSettings,
    folders: &[PathBuf],
    warnings: &mut Warnings,
) -> String {
    let mut left = settings.project_doc_max_bytes;
    let mut docs: Vec<String> = Vec::new();
    for folder in folders {
        if left == 0 {
            break;
        }
        let Some(path) = doc_of(cache, settings, folder) else { continue };
        let Some((text, whole)) = read(cache, &path, left, warnings) else { continue };
        if text.trim().is_empty() {
            continue;
        }
        if whole > left {
            let (path, limit) = (path.display(), settings.project_doc_max_bytes);
            warnings.once(format!(
                "{path} crosses the limit of {limit} bytes for AGENTS.md files; the model sees its first {left} bytes. \
                 Shorten it, or raise `project_doc_max_bytes`."
            ));
        }
        left -= whole.min(left);
        docs.push(text);
    }
    docs.join("\n\n")
}

/// The one file of a folder: the first name that is a file, whatever it holds.
fn doc_of(cache: &FileCache, settings: &ContextSettings, folder: &Path) -> Option<PathBuf> {
    let fallbacks = settings.project_doc_fallback_filenames.iter().map(String::as_str).filter(|name| !name.is_empty());
    let mut names = [OVERRIDE, DEFAULT].into_iter().chain(fallbacks).map(|name| folder.join(name));
    names.find(|path| cache.file_stamp(path).is_some())
}

/// The first `limit` bytes of a file as text, and the length of the whole; `None` when it cannot be read.
fn read(cache: &mut FileCache, path: &Path, limit: usize, warnings: &mut Warnings) -> Option<(String, usize)> {
    match cache.head(path, limit) {
        Ok(head) => head.map(|head| (String::from_utf8_lossy(cut(&head.bytes, limit)).into_owned(), head.len)),
        Err(error) => {
            warnings.once(format!("{} cannot be read and is left out: {error}.", path.display()));
            None
        }
    }
}

/// At most `limit` bytes, not ending inside a UTF-8 character.
fn cut(bytes: &[u8], limit: usize) -> &[u8] {
    let is_continuation = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
    let bytes = &bytes[..bytes.len().min(limit)];
    // The last character that was begun; when all of it is there, nothing is cut.
    let Some(start) = bytes.iter().rposition(|&byte| !is_continuation(byte)) else { return bytes };
    match std::str::from_utf8(&bytes[start..]) {
        Err(error) if error.error_len().is_none() => &bytes[..start],
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_character_and_leaves_bad_bytes_alone() {
        for (bytes, limit, expected) in [
            ("aé€😀".as_bytes(), 99, "aé€😀".as_bytes()),
            ("aé€😀".as_bytes(), 9, "aé€".as_bytes()),
            ("aé€😀".as_bytes(), 5, "aé".as_bytes()),
            ("aé€😀".as_bytes(), 2, b"a"),
            ("aé€😀".as_bytes(), 0, b""),
            (b"\x80\x80\x80\x80", 3, b"\x80\x80\x80"),
            (b"a\xff\x80b", 3, b"a\xff\x80"),
        ] {
            assert_eq!(cut(bytes, limit), expected, "{bytes:?} {limit}");
        }
    }
}
