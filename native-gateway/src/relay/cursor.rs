//! Where a viewer is in the log, and what it is sent from there.

use std::time::Duration;

use chalkcast_core::chunk::SharedMessage;
use chalkcast_core::flv::Tag;
use chalkcast_core::{Instant, Timestamp};

use super::Config;
use super::cohort::Step;
use super::config::{TIMER, VIDEO_AT_ONCE};
use super::log::{Content, Entry, Headers, Kind, Log};

/// What a viewer is sent next.
#[derive(Debug)]
pub enum Item<'a> {
    /// A tag, and the same encoded.
    Tag(&'a Tag, &'a SharedMessage),
    /// A publisher has come.
    Begin,
    /// The publisher has gone.
    End,
    /// Nobody has published in the time the viewer was ready to wait.
    NotFound,
}

/// Audio goes ahead of video that is further behind than this.
const AHEAD: Duration = Duration::from_millis(150);

/// What is to be done after a pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pulled {
    /// There is more: pull again once this has been written.
    More,
    /// Nothing is due before this instant, unless something comes.
    Wait(Option<Instant>),
}

/// A viewer's position in a log, and what it wants.
#[derive(Debug)]
pub(super) struct Cursor {
    position: Position,
    buffer_length: Option<Duration>,
    wants: Wants,
    /// Video tracks from which a keyframe has been sent; the others wait for one.
    started: Tracks,
    /// Video before this entry is skipped.
    video_from: u64,
    /// Video that is wanted again begins with what has gone by already.
    replay: Replay,
    /// Audio that came before this is skipped.
    audio_since: Instant,
    /// Audio before this entry has been sent: it goes ahead of video that lags.
    audio_to: u64,
    lags: bool,
    /// How far behind live it was started, or half the lag more than it has been since; it may stay so far behind until it has caught
    /// up.
    joined_behind: Duration,
    skips: u64,
    skipped_tags: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replay {
    Nothing,
    /// From a keyframe that is to be chosen.
    Wanted,
    /// From here up to the position.
    From(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// To be chosen when there is something to choose from.
    Unset,
    At(u64),
}

/// Which tags a viewer wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wants {
    pub(super) audio: bool,
    pub(super) video: bool,
    pub(super) paused: bool,
}

impl Wants {
    /// Whether something like that is sent to the viewer.
    pub(super) fn kind(self, kind: Kind) -> bool {
        !self.paused
            && if kind.is_video() {
                self.video
            } else {
                self.audio || !kind.is_audio()
            }
    }
}

impl Cursor {
    /// A cursor that starts near live. Where nobody publishes, `end` is where somebody will begin.
    pub(super) fn new(is_live: bool, end: u64) -> Self {
        Self {
            position: if is_live {
                Position::Unset
            } else {
                Position::At(end)
            },
            buffer_length: None,
            wants: Wants {
                audio: true,
                video: true,
                paused: false,
            },
            started: Tracks::default(),
            video_from: 0,
            replay: Replay::Nothing,
            audio_since: Instant::ZERO,
            audio_to: 0,
            lags: false,
            joined_behind: Duration::ZERO,
            skips: 0,
            skipped_tags: 0,
        }
    }

    pub(super) fn set_buffer_length(&mut self, length: Duration) {
        self.buffer_length = Some(length);
    }

    pub(super) fn wants(&self) -> Wants {
        self.wants
    }

    pub(super) fn receive_audio(&mut self, on: bool) {
        self.wants.audio = on;
    }

    /// Video that is wanted again begins with the newest keyframe there is.
    pub(super) fn receive_video(&mut self, on: bool) {
        if on && !self.wants.video {
            self.started = Tracks::default();
            self.replay = Replay::Wanted;
        }
        self.wants.video = on;
    }

    /// What comes during a pause is not sent; then the viewer starts near live again.
    pub(super) fn pause(&mut self, paused: bool) {
        if self.wants.paused && !paused {
            self.position = Position::Unset;
        }
        self.wants.paused = paused;
    }

    /// How long media may wait for this viewer.
    pub(super) fn budget(&self, config: &Config) -> Duration {
        config.budget(self.buffer_length)
    }

    /// How often it has skipped ahead, and how many tags it was not sent for that.
    pub(super) fn skipped(&self) -> (u64, u64) {
        (self.skips, self.skipped_tags)
    }

    /// What it has in common with others that are sent the same from now on. `None` while there is something to it that others have not.
    pub(super) fn step(&self, config: &Config, stream_id: u32) -> Option<Step> {
        match self.position {
            Position::At(position)
                if position >= self.video_from.max(self.audio_to)
                    && !self.lags
                    && self.replay == Replay::Nothing
                    && !self.wants.paused =>
            {
                Some(Step {
                    position,
                    wants: self.wants,
                    budget: self.budget(config),
                    started: self.started,
                    stream_id,
                })
            }
            _ => None,
        }
    }

    /// It has been sent everything before `position`, in time.
    pub(super) fn go_on_at(&mut self, position: u64) {
        if self.position != Position::At(position) {
            self.position = Position::At(position);
            self.joined_behind = Duration::ZERO;
        }
    }

    /// Emits what is due, some `max_bytes` at most.
    pub(super) fn pull(
        &mut self,
        log: &Log,
        now: Instant,
        config: &Config,
        max_bytes: usize,
        emit: &mut dyn FnMut(Item<'_>),
    ) -> Pulled {
        let mut sent = 0;
        let mut at = match self.position {
            Position::At(at) if at >= log.first() => at,
            _ if self.wants.paused => return Pulled::Wait(None),
            Position::At(_) => {
                // What it has not been sent is gone already.
                self.skips += 1;
                self.start(log, now, config, &mut sent, emit)
            }
            Position::Unset if log.first_since(Instant::ZERO) == log.end() => {
                return Pulled::Wait(None);
            }
            Position::Unset => self.start(log, now, config, &mut sent, emit),
        };
        self.skip_if_behind(log, at, now, config);
        if self.wants.video
            && self.replay != Replay::Nothing
            && !self.replay(log, at, now, config, max_bytes, &mut sent, emit)
        {
            self.position = Position::At(at);
            return Pulled::More;
        }
        if sent == 0
            && let Some(waits) = wait(log, at, self.wants, self.budget(config), now)
        {
            self.position = Position::At(at);
            return waits;
        }
        if self.lags {
            self.send_audio(log, at, &mut sent, emit);
        }
        while let Some(entry) = log.get(at) {
            if sent >= max_bytes {
                self.position = Position::At(at);
                return Pulled::More;
            }
            self.emit(at, entry, &mut sent, emit);
            at += 1;
        }
        self.position = Position::At(at);
        Pulled::Wait(None)
    }

    /// Whether it is so far behind live that its audio goes ahead of its video.
    pub(super) fn lags(&self) -> bool {
        self.lags
    }

    /// Sends the audio there is, up to where a publisher has come or gone: a picture that is late is not missed as sound is.
    fn send_audio(&mut self, log: &Log, at: u64, sent: &mut usize, emit: &mut dyn FnMut(Item<'_>)) {
        let mut next = self.audio_to.max(at);
        while let Some(Entry { arrival, content }) = log.get(next) {
            match content {
                Content::Begin | Content::End => break,
                Content::Tag { kind, tag, message } => {
                    if kind.is_audio() && self.wants.kind(*kind) {
                        if *kind == Kind::AudioHeader || *arrival >= self.audio_since {
                            *sent += message.len();
                            emit(Item::Tag(tag, message));
                        } else {
                            self.skipped_tags += 1;
                        }
                    }
                }
            }
            next += 1;
        }
        self.audio_to = next;
    }

    /// Sends the video that has gone by since the keyframe nearest to where the viewer starts. True once all of it is sent.
    #[allow(clippy::too_many_arguments)]
    fn replay(
        &mut self,
        log: &Log,
        at: u64,
        now: Instant,
        config: &Config,
        max_bytes: usize,
        sent: &mut usize,
        emit: &mut dyn FnMut(Item<'_>),
    ) -> bool {
        let mut next = match self.replay {
            Replay::From(next) => next.max(log.first()),
            Replay::Nothing => return true,
            Replay::Wanted => {
                let wanted = now.saturating_sub(self.buffer_length.unwrap_or_default());
                match log.start_near(wanted).filter(|start| start.at < at) {
                    Some(start) => {
                        self.send_headers(
                            &start.headers,
                            start.timestamp,
                            false,
                            config,
                            sent,
                            emit,
                        );
                        start.at
                    }
                    None => at,
                }
            }
        };
        while let Some(entry) = log.get(next).filter(|_| next < at && *sent < max_bytes) {
            if matches!(&entry.content, Content::Tag { kind, .. } if kind.is_video()) {
                self.emit(next, entry, sent, emit);
            }
            next += 1;
        }
        self.replay = if next < at {
            Replay::From(next)
        } else {
            Replay::Nothing
        };
        next >= at
    }

    fn send_headers(
        &self,
        headers: &Headers,
        timestamp: Timestamp,
        audio: bool,
        config: &Config,
        sent: &mut usize,
        emit: &mut dyn FnMut(Item<'_>),
    ) {
        for tag in headers.tags(timestamp, self.wants.video, audio) {
            if let Ok(message) = SharedMessage::encode(&tag, config.chunk_size) {
                *sent += message.len();
                emit(Item::Tag(&tag, &message));
            }
        }
    }

    /// Chooses where to start, and sends what a decoder needs first.
    fn start(
        &mut self,
        log: &Log,
        now: Instant,
        config: &Config,
        sent: &mut usize,
        emit: &mut dyn FnMut(Item<'_>),
    ) -> u64 {
        self.started = Tracks::default();
        let wanted = now.saturating_sub(self.buffer_length.unwrap_or_default());
        let start = log.start_near(wanted).filter(|_| self.wants.video);
        let (at, arrival, timestamp, headers) = match start {
            Some(start) => (
                start.at,
                start.arrival,
                Some(start.timestamp),
                &start.headers,
            ),
            None => {
                let at = log.first_since(wanted);
                let entry = log.get(at);
                (
                    at,
                    entry.map_or(now, |entry| entry.arrival),
                    entry.and_then(Entry::timestamp),
                    log.headers(),
                )
            }
        };
        self.joined_behind = now - arrival;
        self.audio_to = at;
        let newest = || {
            log.get(log.end().wrapping_sub(1))
                .and_then(Entry::timestamp)
        };
        let timestamp = timestamp.or_else(newest).unwrap_or(Timestamp::ZERO);
        self.send_headers(headers, timestamp, self.wants.audio, config, sent, emit);
        self.replay = Replay::Nothing;
        at
    }

    /// A viewer that has fallen too far behind goes on with a newer keyframe. Its audio goes on as it is, unless even that
    /// is far behind.
    fn skip_if_behind(&mut self, log: &Log, at: u64, now: Instant, config: &Config) {
        let Some(entry) = log.get(at) else {
            self.lags = false;
            self.joined_behind = Duration::ZERO;
            return;
        };
        let behind = now - entry.arrival;
        // Where video waits too, it is behind by what it waits.
        let waits = Some(self.budget(config)).filter(|budget| *budget > VIDEO_AT_ONCE);
        let buffer = self.buffer_length.max(waits).unwrap_or_default();
        self.lags = behind > buffer.max(self.joined_behind) + AHEAD;
        // It has caught up only where it does not lag without this allowance either.
        self.joined_behind = if behind <= buffer + AHEAD {
            Duration::ZERO
        } else {
            self.joined_behind.min(behind + config.lag / 2)
        };
        let allowed = buffer.max(self.joined_behind) + config.lag;
        if behind <= allowed {
            return;
        }
        if self.wants.video && at >= self.video_from {
            let newer = log
                .start_near(now.saturating_sub(buffer))
                .map(|start| start.at)
                .filter(|start| *start > at);
            if let Some(start) = newer {
                self.video_from = start;
                self.started = Tracks::default();
                self.skips += 1;
            } else if behind > allowed + config.lag / 2 && log.has_start() && self.started.any() {
                // The next keyframe will be the first to be in time.
                self.started = Tracks::default();
                self.skips += 1;
            }
        }
        if behind > allowed + 2 * config.lag {
            self.audio_since = self.audio_since.max(now.saturating_sub(allowed));
        }
    }

    fn emit(&mut self, at: u64, entry: &Entry, sent: &mut usize, emit: &mut dyn FnMut(Item<'_>)) {
        match &entry.content {
            Content::Begin => {
                self.started = Tracks::default();
                self.replay = Replay::Nothing;
                emit(Item::Begin);
            }
            Content::End => emit(Item::End),
            Content::Tag { kind, .. } if !self.wants.kind(*kind) => {}
            Content::Tag { kind, .. } if kind.is_audio() && at < self.audio_to => {}
            Content::Tag { kind, tag, message } => {
                if self.is_sent(*kind, at, entry.arrival) {
                    *sent += message.len();
                    emit(Item::Tag(tag, message));
                } else {
                    self.skipped_tags += 1;
                }
            }
        }
    }

    fn is_sent(&mut self, kind: Kind, at: u64, arrival: Instant) -> bool {
        match kind {
            Kind::Video { .. } if at < self.video_from => false,
            Kind::Video {
                track,
                is_keyframe: true,
            } => {
                self.started.insert(track);
                true
            }
            Kind::Video { track, .. } => self.started.contains(track),
            Kind::Audio => arrival >= self.audio_since,
            Kind::AudioHeader | Kind::VideoHeader | Kind::Script => true,
        }
    }
}

impl Entry {
    fn timestamp(&self) -> Option<Timestamp> {
        match &self.content {
            Content::Tag { tag, .. } => Some(tag.timestamp),
            Content::Begin | Content::End => None,
        }
    }
}

/// How long to wait for what there is from `at` on; `None` if it is due.
pub(super) fn wait(
    log: &Log,
    at: u64,
    wants: Wants,
    budget: Duration,
    now: Instant,
) -> Option<Pulled> {
    let mut oldest = None;
    let mut next = at;
    while let Some(entry) = log.get(next) {
        match &entry.content {
            Content::Begin | Content::End => return None,
            Content::Tag { kind, .. } if !wants.kind(*kind) => {}
            Content::Tag { kind, .. } => {
                let oldest = *oldest.get_or_insert(entry.arrival);
                if is_due(*kind, oldest, budget, now) {
                    return None;
                }
            }
        }
        next += 1;
    }
    Some(Pulled::Wait(oldest.map(|oldest| oldest + budget)))
}

/// Whether a tag is written now, with what waits since `oldest`.
pub(super) fn is_due(kind: Kind, oldest: Instant, budget: Duration, now: Instant) -> bool {
    (kind.is_video() && budget <= VIDEO_AT_ONCE) || is_over(oldest + budget, now)
}

/// Whether a wait is over, or would be before a timer can ring again.
pub(super) fn is_over(deadline: Instant, now: Instant) -> bool {
    deadline <= now + TIMER
}

/// A set of track ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tracks([u64; 4]);

impl Tracks {
    fn insert(&mut self, track: u8) {
        self.0[usize::from(track >> 6)] |= 1 << (track & 63);
    }

    pub(super) fn contains(self, track: u8) -> bool {
        self.0[usize::from(track >> 6)] & (1 << (track & 63)) != 0
    }

    fn any(self) -> bool {
        self.0 != [0; 4]
    }
}
