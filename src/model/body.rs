//! A request body that is joined, not built: the history's bytes are sent as they lie in memory.

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Pieces of at least this many bytes travel as they are. Smaller ones are gathered, since a copy of a few kilobytes
/// costs less than a further write.
const OWN_FRAME: usize = 16 * 1024;

/// Gathered pieces are sent when they come to this many bytes.
const GATHERED_FRAME: usize = 64 * 1024;

/// Joins pieces to a [`Body`].
#[derive(Default)]
pub struct BodyWriter {
    chunks: VecDeque<Bytes>,
    gathered: BytesMut,
    len: u64,
}

impl BodyWriter {
    /// Appends a copy of `piece`.
    pub fn push(&mut self, piece: &[u8]) {
        self.len += piece.len() as u64;
        self.gathered.extend_from_slice(piece);
        if self.gathered.len() >= GATHERED_FRAME {
            self.end_frame();
        }
    }

    /// Appends `piece`, sharing its bytes when it is large.
    pub fn share(&mut self, piece: &Bytes) {
        if piece.len() < OWN_FRAME {
            return self.push(piece);
        }
        self.end_frame();
        self.len += piece.len() as u64;
        self.chunks.push_back(piece.clone());
    }

    /// The body.
    #[must_use]
    pub fn finish(mut self) -> Body {
        self.end_frame();
        Body { chunks: self.chunks, remaining: self.len }
    }

    fn end_frame(&mut self) {
        if !self.gathered.is_empty() {
            self.chunks.push_back(self.gathered.split().freeze());
        }
    }
}

/// A body of known length. Clones share the bytes, so that a request can be sent again.
#[derive(Clone, Debug, Default)]
pub struct Body {
    chunks: VecDeque<Bytes>,
    remaining: u64,
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = self.chunks.pop_front();
        self.remaining -= chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

impl Body {
    /// The whole as one piece; for tests and small bodies.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pieces_are_shared_and_small_ones_gathered() {
        let large = Bytes::from(vec![b'x'; OWN_FRAME]);
        let mut writer = BodyWriter::default();
        writer.push(b"a");
        writer.share(&Bytes::from_static(b"b"));
        writer.share(&large);
        for _ in 0..GATHERED_FRAME {
            writer.push(b"cd");
        }
        let body = writer.finish();
        assert_eq!(http_body::Body::size_hint(&body).exact(), Some(body.to_vec().len() as u64));
        assert_eq!(body.chunks.len(), 4);
        assert_eq!(body.chunks[0], "ab");
        assert_eq!(body.chunks[1].as_ptr(), large.as_ptr());
        assert_eq!(body.chunks[2].len(), GATHERED_FRAME);
    }
}
