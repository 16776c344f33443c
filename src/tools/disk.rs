//! Work on files. It runs off the async threads, because a slow disk must not hold up the streams of the session, and
//! ends soon after the person interrupts or its time is up. A piece of work that reads a lot goes through
//! [`Stop::reader`] or asks [`Stop::check`] as it goes.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::agent::ports::{Output, ToolCx};
use crate::exec::containment;
use crate::text::truncate::{self, OutputLimit};

/// How long a piece of work may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Tells a piece of work when to end early.
pub struct Stop {
    cancel: CancellationToken,
    deadline: Instant,
    hidden: Arc<[PathBuf]>,
}

impl Stop {
    /// A stop that comes with `cancel`, and after the time a piece of work may take.
    #[must_use]
    pub fn new(cancel: CancellationToken) -> Self {
        Self { cancel, deadline: Instant::now() + TIME_LIMIT, hidden: Arc::default() }
    }

    /// Whether this may not be read, wherever links lead.
    #[must_use]
    pub fn hides(&self, path: &Path) -> bool {
        if self.hidden.is_empty() {
            return false;
        }
        let path = containment::real(path);
        self.hidden.iter().any(|place| path.starts_with(place))
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// Why not, for the model.
    pub fn check(&self) -> Result<(), String> {
        if self.cancel.is_cancelled() {
            return Err("aborted by user".into());
        }
        if Instant::now() >= self.deadline {
            return Err(format!("gave up after {} seconds; ask for less", TIME_LIMIT.as_secs()));
        }
        Ok(())
    }

    /// `inner`, failing once it is time to stop.
    pub fn reader<R: Read>(&self, inner: R) -> StoppingReader<'_, R> {
        StoppingReader { inner, stop: self }
    }
}

/// A reader that fails once it is time to stop.
pub struct StoppingReader<'a, R> {
    inner: R,
    stop: &'a Stop,
}

impl<R: Read> Read for StoppingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stop.check().map_err(io::Error::other)?;
        self.inner.read(buffer)
    }
}

/// Runs `work` off the async threads. It is told to stop when the call is cancelled, and when nobody waits for it any
/// more.
pub async fn run(cx: &ToolCx, work: impl FnOnce(&Stop) -> Output + Send + 'static) -> Output {
    let cancel = cx.cancel.child_token();
    let _stopped_when_dropped = cancel.clone().drop_guard();
    let stop = Stop { hidden: Arc::clone(&cx.permit.hidden), ..Stop::new(cancel) };
    tokio::task::spawn_blocking(move || work(&stop))
        .await
        .unwrap_or_else(|error| Output::failed(format!("the tool broke: {error}")))
}

/// A text or a reason as an answer of at most `limit`.
#[must_use]
pub fn answer(result: Result<String, String>, limit: OutputLimit) -> Output {
    let shorten = |text: String| match truncate::with_header(&text, limit) {
        std::borrow::Cow::Borrowed(_) => text,
        std::borrow::Cow::Owned(shortened) => shortened,
    };
    match result {
        Ok(text) => Output::ok(shorten(text)),
        Err(reason) => Output::failed(shorten(reason)),
    }
}

/// Where `path` is, in its shortest form: absolute as it stands, or else in `cwd`.
#[must_use]
pub fn resolve(cwd: &Path, path: &str) -> PathBuf {
    cwd.join(path).components().collect()
}

/// `path` for people: relative when it lies in `cwd`.
#[must_use]
pub fn shown(cwd: &Path, path: &str) -> String {
    let path = resolve(cwd, path);
    match path.strip_prefix(cwd) {
        Ok(inside) if inside.as_os_str().is_empty() => ".".into(),
        Ok(inside) => inside.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_stops_when_cancelled_and_when_its_time_is_up() {
        let stop = Stop::new(CancellationToken::new());
        assert_eq!(stop.check(), Ok(()));
        stop.cancel.cancel();
        assert_eq!(stop.check().unwrap_err(), "aborted by user");
        assert_eq!(stop.reader(&b"abc"[..]).read(&mut [0; 3]).unwrap_err().to_string(), "aborted by user");

        let late = Stop { deadline: Instant::now(), ..Stop::new(CancellationToken::new()) };
        assert_eq!(late.check().unwrap_err(), "gave up after 30 seconds; ask for less");
    }

    #[test]
    fn paths_start_in_the_folder_of_the_turn() {
        let cwd = Path::new("/home/me/project");
        for (path, resolved, for_people) in [
            ("src/a.rs", "/home/me/project/src/a.rs", "src/a.rs"),
            ("./a.rs", "/home/me/project/a.rs", "a.rs"),
            ("/etc/hosts", "/etc/hosts", "/etc/hosts"),
            ("", "/home/me/project", "."),
            ("src/", "/home/me/project/src", "src"),
            (".", "/home/me/project", "."),
        ] {
            assert_eq!(resolve(cwd, path), Path::new(resolved), "{path}");
            assert_eq!(shown(cwd, path), for_people, "{path}");
        }
    }

    #[test]
    fn long_answers_are_shortened() {
        let output = answer(Ok("x\n".repeat(1000)), OutputLimit::Tokens(10));
        assert!(output.ok);
        let crate::protocol::item::OutputPart::Text(text) = &output.parts[0] else { panic!("not a text") };
        assert!(
            text.starts_with("Warning: truncated output (original token count: 500)\nTotal output lines: 1000\n\n")
        );
        assert!(text.len() < 200, "{text}");
    }
}
