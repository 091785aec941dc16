//! A viewer's connection, while the relay writes to it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytes::{Bytes, BytesMut};

use crate::transport::frame::{LONGEST_HEADER, frame_header};

/// What viewers in step are sent next: whole messages.
#[derive(Clone, Debug)]
pub struct Run {
    /// Room for a header, and then whole messages.
    buffer: Bytes,
    /// Where the header of a frame with these messages begins.
    header: usize,
    /// What the publisher sends, over the last second or so.
    pub bits_per_second: u64,
    /// The entry of the log that comes next.
    pub(super) to: u64,
}

impl Run {
    /// Begins what is to become a run: messages are to be appended.
    pub(crate) fn buffer() -> BytesMut {
        BytesMut::zeroed(LONGEST_HEADER)
    }

    /// What has been appended to `buffer`, up to entry `to`.
    pub(crate) fn new(mut buffer: BytesMut, bits_per_second: u64, to: u64) -> Self {
        let frame_header = frame_header(buffer.len() - LONGEST_HEADER);
        let header = LONGEST_HEADER - frame_header.len();
        buffer[header..LONGEST_HEADER].copy_from_slice(&frame_header);
        Self {
            buffer: buffer.freeze(),
            header,
            bits_per_second,
            to,
        }
    }

    /// Bytes of messages.
    pub fn len(&self) -> usize {
        self.buffer.len() - LONGEST_HEADER
    }

    /// Whether there are no messages.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As it goes to the wire: the messages, or a WebSocket server's frame with them, whose header all viewers share too.
    pub fn bytes(&self, framed: bool) -> &[u8] {
        &self.buffer[self.start(framed)..]
    }

    /// What is left of [`Run::bytes`] when so much has been `written`.
    pub fn rest(&self, framed: bool, written: usize) -> Bytes {
        self.buffer.slice(self.start(framed) + written..)
    }

    fn start(&self, framed: bool) -> usize {
        if framed { self.header } else { LONGEST_HEADER }
    }
}

/// The way to a viewer's connection.
pub trait Lane: fmt::Debug + Send {
    /// Writes what can be written at once.
    fn write(&mut self, run: &Run) -> Written;

    /// What is left of a run that was written in part, as it goes to the wire.
    fn into_rest(self: Box<Self>) -> Bytes;
}

/// How much of a run has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Everything.
    All,
    /// The lane keeps what is left.
    Part,
    /// It can still be skipped.
    Nothing,
}

/// A viewer whose connection is entrusted to the relay, or not.
#[derive(Debug, Default)]
pub(super) struct Seat {
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// Goes up whenever the relay may no longer write.
    ticket: u64,
    entrusted: Option<Entrusted>,
}

#[derive(Debug)]
struct Entrusted {
    lane: Box<dyn Lane>,
    waker: Waker,
    position: u64,
    sent: usize,
}

/// What the relay may write to, as long as its ticket holds.
#[derive(Debug)]
pub(super) struct Member {
    seat: Arc<Seat>,
    ticket: u64,
}

/// What a viewer gets back.
#[derive(Debug)]
pub struct Back {
    /// To be written before anything else.
    pub rest: Bytes,
    /// Bytes of media that the relay has written, with those of `rest`.
    pub sent: usize,
    pub(super) position: u64,
}

impl Seat {
    /// Entrusts `lane` of a viewer at `position`; `waker` is woken when the viewer has to go on by itself.
    pub(super) fn entrust(
        self: &Arc<Self>,
        lane: Box<dyn Lane>,
        waker: Waker,
        position: u64,
    ) -> Member {
        let mut taken = self.lock();
        taken.ticket += 1;
        taken.entrusted = Some(Entrusted {
            lane,
            waker,
            position,
            sent: 0,
        });
        Member {
            seat: Arc::clone(self),
            ticket: taken.ticket,
        }
    }

    /// The viewer goes on by itself.
    pub(super) fn take_back(&self) -> Option<Back> {
        let mut taken = self.lock();
        taken.ticket += 1;
        let entrusted = taken.entrusted.take()?;
        Some(Back {
            rest: entrusted.lane.into_rest(),
            sent: entrusted.sent,
            position: entrusted.position,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    /// Writes `run`. False if the viewer is no longer in step: it has taken its lane back, or has to, and is woken.
    pub(super) fn write(&self, run: &Run) -> bool {
        let mut taken = self.seat.lock();
        if taken.ticket != self.ticket {
            return false;
        }
        let Some(entrusted) = &mut taken.entrusted else {
            return false;
        };
        let written = if run.is_empty() {
            Written::All
        } else {
            entrusted.lane.write(run)
        };
        if written != Written::Nothing {
            entrusted.position = run.to;
            entrusted.sent += run.len();
        }
        let in_step = written == Written::All;
        if !in_step {
            entrusted.waker.wake_by_ref();
            taken.ticket += 1;
        }
        in_step
    }

    /// The relay writes no more for this viewer. Answers its waker, if it does not know.
    pub(super) fn dismiss(&self) -> Option<Waker> {
        let mut taken = self.seat.lock();
        if taken.ticket != self.ticket {
            return None;
        }
        taken.ticket += 1;
        taken
            .entrusted
            .as_ref()
            .map(|entrusted| entrusted.waker.clone())
    }

    /// Whether the relay may still write.
    pub(super) fn is_in_step(&self) -> bool {
        self.seat.lock().ticket == self.ticket
    }
}
