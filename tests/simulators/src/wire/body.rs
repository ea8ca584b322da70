//! A response body: pieces made while they are sent, which may break off, and which keeps a mailbox's lane taken until
//! its last byte is gone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use thiserror::Error;

use crate::pace::Lane;
use crate::stats::{Stats, Transfer};

/// Where a body ends before its end.
#[derive(Clone, Copy)]
pub(crate) struct Cut {
    pub after: u64,
    /// The answer is closed properly; else the connection breaks.
    pub clean: bool,
}

/// Breaks the connection when hyper meets it.
#[derive(Debug, Error)]
#[error("the fault script broke this answer off")]
pub(crate) struct BrokenOff;

pub(crate) struct Sending {
    pieces: Box<dyn Iterator<Item = Bytes> + Send>,
    length: Option<u64>,
    cut: Option<Cut>,
    sent: u64,
    stats: Arc<Stats>,
    /// The connection was given time to send what stands before the break.
    flushed: bool,
    /// Let go when the body is dropped, which is when the answer has left.
    _lane: Option<Lane>,
    _transfer: Option<Transfer>,
}

impl Sending {
    pub fn whole(bytes: Bytes, stats: Arc<Stats>) -> Self {
        let length = Some(bytes.len() as u64);
        let pieces = Box::new(std::iter::once(bytes).filter(|piece| !piece.is_empty()));
        Self { pieces, length, cut: None, sent: 0, stats, flushed: false, _lane: None, _transfer: None }
    }

    pub fn chunked(pieces: impl Iterator<Item = Bytes> + Send + 'static, stats: Arc<Stats>) -> Self {
        let pieces = Box::new(pieces);
        Self { pieces, length: None, cut: None, sent: 0, stats, flushed: false, _lane: None, _transfer: None }
    }

    /// The content of a file, of so many bytes.
    pub fn file(length: u64, pieces: impl Iterator<Item = Bytes> + Send + 'static, stats: Arc<Stats>) -> Self {
        let transfer = Some(Transfer::begin(&stats));
        Self { length: Some(length), _transfer: transfer, ..Self::chunked(pieces, stats) }
    }

    #[must_use]
    pub fn cut(mut self, cut: Option<Cut>) -> Self {
        self.cut = cut.or(self.cut);
        if self.cut.is_some_and(|cut| cut.clean) {
            self.length = None; // a length would betray the missing end
        }
        self
    }

    #[must_use]
    pub fn holding(mut self, lane: Option<Lane>) -> Self {
        self._lane = lane;
        self
    }

    /// The next piece, shortened to what the cut leaves of it.
    fn next(&mut self) -> Option<Result<Bytes, BrokenOff>> {
        let left = self.cut.map(|cut| cut.after.saturating_sub(self.sent));
        if left == Some(0) {
            return self.end();
        }
        let mut piece = self.pieces.next()?;
        if let Some(left) = left.and_then(|left| usize::try_from(left).ok()) {
            piece.truncate(left);
        }
        self.sent += piece.len() as u64;
        self.stats.sent(piece.len() as u64);
        Some(Ok(piece))
    }

    /// Whether the next piece is the breaking of the connection, which would take with it what is not sent yet.
    fn breaks_now(&self) -> bool {
        self.cut.is_some_and(|cut| !cut.clean && self.sent >= cut.after)
    }

    fn end(&mut self) -> Option<Result<Bytes, BrokenOff>> {
        let clean = self.cut.is_none_or(|cut| cut.clean);
        (!clean).then(|| {
            self.pieces = Box::new(std::iter::empty());
            Err(BrokenOff)
        })
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if self.breaks_now() && !std::mem::replace(&mut self.flushed, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.next().map(|piece| piece.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
