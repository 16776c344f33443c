//! Server-sent events out of a stream of bytes.
//!
//! `Frames` finds where events end and hands each one, whole, to `eventsource-stream`, which reads its fields. The split
//! is what keeps that crate linear: it reparses an unfinished line at every chunk and copies its rest at every line, so
//! raw chunks cost it the square of their size, and one bad byte would silence it for good. Here every byte is looked at
//! once, bytes that are no UTF-8 become U+FFFD, and a line or event without end is an error instead of all the memory. The
//! crate also panics when the first thing it gets begins with a byte order mark, so it never is.
//!
//! Whether a server is alive is for the caller to judge: events are what Codex counts, and comments, which keep a
//! connection open, are counted in [`Signs`] so that they can be told.

use bytes::{Buf, Bytes, BytesMut};
use eventsource_stream::{EventStream, EventStreamError};
use futures_util::{Stream, StreamExt};
use serde::de::IgnoredAny;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

/// How large the parts of a stream may be, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// One line. Encrypted reasoning, images and the copy of the whole output in `response.completed` are single lines.
    pub line: usize,
    /// All lines of an event.
    pub event: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 32 << 20, event: 64 << 20 }
    }
}

/// Why a stream of events cannot go on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SseError<E> {
    /// The bytes stopped coming.
    #[error("{0}")]
    Transport(E),
    /// A line has no end.
    #[error("a line of the event stream is longer than {0} bytes")]
    LineTooLong(usize),
    /// An event has no end.
    #[error("an event of the stream is longer than {0} bytes")]
    EventTooLong(usize),
}

/// What a stream showed besides its events.
#[derive(Debug, Default)]
pub struct Signs {
    comments: AtomicU64,
    events: AtomicU64,
    rest: OnceLock<String>,
}

impl Signs {
    /// How many comments came: proof that the connection lives, not that the model works.
    #[must_use]
    pub fn comments(&self) -> u64 {
        self.comments.load(Ordering::Relaxed)
    }

    /// How many events came.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// The beginning of what was left when the stream ended inside an event. A server that answers with something else
    /// than a stream says here what it wanted to say.
    #[must_use]
    pub fn rest(&self) -> Option<&str> {
        self.rest.get().map(String::as_str)
    }
}

/// The `data` of each event of a stream of bytes.
pub struct Events<S> {
    inner: EventStream<Frames<S>>,
    signs: Arc<Signs>,
}

impl<S, E> Events<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    /// Reads `bytes` as events.
    pub fn new(bytes: S, limits: Limits) -> Self {
        let signs = Arc::new(Signs::default());
        let frames =
            Frames { bytes, framer: Framer::new(limits), signs: Arc::clone(&signs), begun: false, ended: false };
        Self { inner: EventStream::new(frames), signs }
    }

    /// What the stream showed besides its events.
    pub fn signs(&self) -> &Signs {
        &self.signs
    }
}

impl<S, E> Stream for Events<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<String, SseError<E>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return match ready!(self.inner.poll_next_unpin(cx)) {
                Some(Ok(event)) => {
                    self.signs.events.fetch_add(1, Ordering::Relaxed);
                    Poll::Ready(Some(Ok(event.data)))
                }
                Some(Err(EventStreamError::Transport(error))) => Poll::Ready(Some(Err(error))),
                // Frames are whole events in valid UTF-8, about which the crate has nothing to complain.
                Some(Err(EventStreamError::Utf8(_) | EventStreamError::Parser(_))) => continue,
                None => Poll::Ready(None),
            };
        }
    }
}

/// Whole events, each as valid UTF-8 that ends with an empty line.
struct Frames<S> {
    bytes: S,
    framer: Framer,
    signs: Arc<Signs>,
    begun: bool,
    ended: bool,
}

impl<S, E> Stream for Frames<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<Bytes, SseError<E>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if !std::mem::replace(&mut this.begun, true) {
            // An empty line means nothing, and after it the parser no longer looks for a byte order mark.
            return Poll::Ready(Some(Ok(Bytes::from_static(b"\n"))));
        }
        while !this.ended {
            let frame = this.framer.next();
            this.signs.comments.fetch_add(std::mem::take(&mut this.framer.comments), Ordering::Relaxed);
            match frame {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(valid_utf8(frame)))),
                Ok(None) => {}
                Err(oversize) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(oversize.into())));
                }
            }
            match ready!(this.bytes.poll_next_unpin(cx)) {
                Some(Ok(chunk)) => this.framer.push(&chunk),
                Some(Err(error)) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(SseError::Transport(error))));
                }
                None => {
                    this.ended = true;
                    return Poll::Ready(this.last_frame().map(Ok));
                }
            }
        }
        Poll::Ready(None)
    }
}

impl<S> Frames<S> {
    /// What the server left without the closing empty line. Some servers forget it after their last event, so an event
    /// whose JSON is complete counts; anything else was cut off.
    fn last_frame(&mut self) -> Option<Bytes> {
        let rest = self.framer.finish();
        let text = String::from_utf8_lossy(&rest);
        if text.trim().is_empty() {
            return None;
        }
        if is_complete(&text) {
            return Some(Bytes::from(format!("{}\n\n", text.trim_end_matches(['\r', '\n']))));
        }
        let start = text.floor_char_boundary(500);
        self.signs.rest.get_or_init(|| text[..start].trim().to_owned());
        None
    }
}

fn is_complete(event: &str) -> bool {
    let lines = event.split(['\r', '\n']).filter_map(|line| line.strip_prefix("data:"));
    let data = lines.collect::<Vec<_>>().join("\n");
    serde_json::from_str::<IgnoredAny>(&data).is_ok()
}

fn valid_utf8(frame: BytesMut) -> Bytes {
    match std::str::from_utf8(&frame) {
        Ok(_) => frame.freeze(),
        Err(_) => Bytes::from(String::from_utf8_lossy(&frame).into_owned()),
    }
}

enum Oversize {
    Line(usize),
    Event(usize),
}

impl<E> From<Oversize> for SseError<E> {
    fn from(oversize: Oversize) -> Self {
        match oversize {
            Oversize::Line(limit) => Self::LineTooLong(limit),
            Oversize::Event(limit) => Self::EventTooLong(limit),
        }
    }
}

/// Cuts bytes into events. Lines end in LF, CR or CRLF; an empty line ends an event.
struct Framer {
    limits: Limits,
    /// From the beginning of the current event.
    buffer: BytesMut,
    /// Where the current line begins.
    line_start: usize,
    /// Everything before is known to hold no unseen line end.
    scanned: usize,
    /// The last line ended in CR: a LF that follows belongs to it.
    after_cr: bool,
    /// A byte order mark may still come.
    at_start: bool,
    /// Comments found since the caller last looked.
    comments: u64,
}

impl Framer {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            buffer: BytesMut::new(),
            line_start: 0,
            scanned: 0,
            after_cr: false,
            at_start: true,
            comments: 0,
        }
    }

    fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole event, or `None` when more bytes are needed.
    fn next(&mut self) -> Result<Option<BytesMut>, Oversize> {
        if !self.skip_byte_order_mark() {
            return Ok(None);
        }
        while let Some(line_end) = self.find_line_end() {
            let line_start = self.line_start;
            self.check_line(line_end - line_start)?;
            if line_end == line_start {
                if let Some(frame) = self.take_frame(line_end) {
                    return Ok(Some(frame));
                }
                continue;
            }
            self.line_start = line_end + 1;
            let line = &self.buffer[line_start..line_end];
            let is_comment = line[0] == b':';
            self.comments += u64::from(is_comment);
            if line_start == 0 && (is_comment || line.starts_with(b"event:")) {
                // Comments are dropped at once, since a server may send nothing else for hours. So are names of events:
                // nobody reads them, and parsing them is a good part of the cost of a small event.
                self.drop_front(self.line_start);
            }
        }
        self.check_line(self.buffer.len() - self.line_start)?;
        if self.buffer.len() > self.limits.event { Err(Oversize::Event(self.limits.event)) } else { Ok(None) }
    }

    /// Everything that is left.
    fn finish(&mut self) -> BytesMut {
        std::mem::take(&mut self.buffer)
    }

    /// `false` while it cannot be told yet.
    fn skip_byte_order_mark(&mut self) -> bool {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        if self.at_start {
            if self.buffer.len() < MARK.len() && MARK.starts_with(&self.buffer) {
                return false;
            }
            if self.buffer.starts_with(MARK) {
                self.buffer.advance(MARK.len());
            }
            self.at_start = false;
        }
        true
    }

    /// Where the current line ends, once its end has come.
    fn find_line_end(&mut self) -> Option<usize> {
        if self.after_cr && self.scanned < self.buffer.len() {
            self.after_cr = false;
            if self.buffer[self.scanned] == b'\n' {
                self.scanned += 1;
                self.line_start = self.scanned;
                if self.scanned == 1 {
                    self.drop_front(1);
                }
            }
        }
        let Some(offset) = memchr::memchr2(b'\n', b'\r', &self.buffer[self.scanned..]) else {
            self.scanned = self.buffer.len();
            return None;
        };
        let end = self.scanned + offset;
        self.scanned = end + 1;
        self.after_cr = self.buffer[end] == b'\r';
        Some(end)
    }

    /// Cuts off the event whose closing empty line ends at `line_end`; `None` when nothing precedes that line.
    fn take_frame(&mut self, line_end: usize) -> Option<BytesMut> {
        let mut frame = self.buffer.split_to(line_end + 1);
        (self.line_start, self.scanned) = (0, 0);
        let content = frame.trim_ascii_end_of_lines();
        if content == 0 {
            return None;
        }
        frame.truncate(content);
        // Fits where the line ends were. One kind of line end at the close keeps the parser from waiting for a LF.
        frame.extend_from_slice(b"\n\n");
        Some(frame)
    }

    fn drop_front(&mut self, len: usize) {
        self.buffer.advance(len);
        self.line_start -= len;
        self.scanned -= len;
    }

    fn check_line(&self, len: usize) -> Result<(), Oversize> {
        if len > self.limits.line { Err(Oversize::Line(self.limits.line)) } else { Ok(()) }
    }
}

trait EndOfLines {
    /// The length without the line ends at the end.
    fn trim_ascii_end_of_lines(&self) -> usize;
}

impl EndOfLines for BytesMut {
    fn trim_ascii_end_of_lines(&self) -> usize {
        self.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, stream};
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn events_of(chunks: Vec<Vec<u8>>, limits: Limits) -> (Vec<Result<String, SseError<Infallible>>>, u64) {
        let bytes = stream::iter(chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk))));
        let mut events = Events::new(bytes, limits);
        let all = std::iter::from_fn(|| events.next().now_or_never().unwrap()).collect();
        (all, events.signs().comments())
    }

    fn data_of(text: &[u8]) -> Vec<String> {
        let (events, _) = events_of(vec![text.to_vec()], Limits::default());
        events.into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn events_are_found_however_their_lines_end() {
        for (text, data) in [
            ("data: a\n\ndata: b\n\n", vec!["a", "b"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", vec!["a", "b"]),
            ("data: a\r\rdata: b\r\r", vec!["a", "b"]),
            ("data:a\n\r\ndata:b\r\n\n", vec!["a", "b"]),
            ("event: x\ndata: a\nid: 7\ndata: b\n\n", vec!["a\nb"]),
            ("\u{feff}data: a\n\n", vec!["a"]),
            ("\n\u{feff}data: lost\n\ndata: a\n\n", vec!["a"]),
            ("\n\n\r\n: hello\n\ndata: a\n\n", vec!["a"]),
            ("event: lonely\n\ndata: a\n\n", vec!["a"]),
            ("data: [DONE]\n\n", vec!["[DONE]"]),
            ("data: {\"a\":1}", vec!["{\"a\":1}"]),
            ("data: {\"a\":1}\r\n", vec!["{\"a\":1}"]),
            ("data: {\"a\":1", vec![]),
            ("data: a\n\nevent: x\n", vec!["a"]),
            ("", vec![]),
        ] {
            assert_eq!(data_of(text.as_bytes()), data, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_what_follows_lives() {
        assert_eq!(data_of(b"data: a\xFFb\n\ndata: c\n\n"), ["a\u{fffd}b", "c"]);
    }

    #[test]
    fn comments_are_counted_and_do_not_pile_up() {
        let chunks = vec![b": ping\n".to_vec(); 100];
        let (events, comments) = events_of(chunks, Limits { line: 10, event: 20 });
        assert_eq!((events, comments), (vec![], 100));
    }

    #[test]
    fn a_line_or_event_without_end_is_an_error_and_the_end() {
        let limits = Limits { line: 10, event: 25 };
        let (events, _) = events_of(vec![b"data: a\n\ndata: 12345".to_vec(), b"6\n\ndata: b\n\n".to_vec()], limits);
        assert_eq!(events, [Ok("a".to_owned()), Err(SseError::LineTooLong(10))]);
        let (events, _) = events_of(vec![b"data: 1\n".repeat(4)], limits);
        assert_eq!(events, [Err(SseError::EventTooLong(25))]);
    }

    #[test]
    fn what_is_no_event_stream_is_kept_for_the_error() {
        let bytes = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{\"error\":\"model is loading\"}"))]);
        let mut events = Events::new(bytes, Limits::default());
        assert!(events.next().now_or_never().unwrap().is_none());
        assert_eq!(events.signs().rest(), Some("{\"error\":\"model is loading\"}"));
        assert_eq!(events.signs().events(), 0);
    }

    fn piece() -> impl Strategy<Value = &'static [u8]> {
        prop::sample::select(vec![
            &b"data: "[..],
            b"data:",
            b"event: x",
            b":",
            b": ping",
            b"\n",
            b"\n\n",
            b"\r",
            b"\r\n",
            b"\r\n\r\n",
            b"{}",
            b"\xEF\xBB\xBF",
            "é🦀".as_bytes(),
            b"\xF0\x9F",
            b"id: 1",
            b"\0",
            b"retry: 5",
            b"x",
        ])
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_events(pieces in prop::collection::vec(piece(), 0..60), cuts in prop::collection::vec(1usize..9, 1..60)) {
            let whole = pieces.concat();
            let mut rest = &whole[..];
            let mut chunks = Vec::new();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (chunk, after) = rest.split_at((*cut).min(rest.len()));
                chunks.push(chunk.to_vec());
                rest = after;
            }
            prop_assert_eq!(events_of(chunks, Limits::default()), events_of(vec![whole], Limits::default()));
        }
    }
}
