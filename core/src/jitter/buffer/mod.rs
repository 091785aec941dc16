mod backlog;
mod decoder;
mod delay;
mod pictures;
mod release;

use alloc::collections::VecDeque;
use core::time::Duration;

use super::arrival::Arrival;
use super::clock::{Clock, Steering};
use super::delivery::Delivery;
use super::media::Kind;
use super::queue::{Queue, Waiting};
use super::stats::{Meter, Stats};
use super::timeline::{Timeline, wire};
use super::{Config, Decode, Event, Input, Output, Rate, Show};
use crate::flv::{Tag, TagHeader};
use crate::{Instant, Timestamp};
use decoder::Decoder;

const AUDIO: usize = 0;
const VIDEO: usize = 1;
const DATA: usize = 2;

/// A delay that is off by more than this is mended by a skip, not by the rate: 8 s of stretching.
const SKIP_US: i64 = 400_000;
/// Sound leads as long as the sound card was last seen to advance within this.
const LEAD_TIMEOUT: Duration = Duration::from_millis(250);
/// The clock is brought to the sound card's at once where they differ by more than this; below, a tenth of the difference at each report.
const SNAP_US: i64 = 60_000;
/// A standstill of this length is a stall.
const STALL: Duration = Duration::from_millis(100);
/// A standstill that follows another within this is waited out until there is a cushion…
const AGAIN: Duration = Duration::from_secs(2);
/// … of this much, twice as much each time, up to the last.
const CUSHION_US: i64 = 80_000;
const CUSHION_MAX_US: i64 = 640_000;
/// The rate is looked at this often.
const TICK: Duration = Duration::from_millis(50);
/// Sound is given this much more as long as too little has come to know the jitter by.
const YOUNG_TAIL_US: i64 = 20_000;

/// Decides when each received tag is decoded and played. See the [module](super) for the run loop.
#[derive(Debug)]
pub struct JitterBuffer {
    config: Config,
    timeline: Timeline,
    arrival: [Arrival; 2],
    delivery: Delivery,
    output_latency: Duration,
    picture_latency: Duration,
    display_latency: Duration,
    /// By how much pictures are ahead of their sound, microseconds.
    lead_us: i64,
    queues: [Queue; 3],
    clock: Clock,
    steering: Steering,
    phase: Phase,
    /// When the clock stopped for lack of media.
    starved: Option<Starved>,
    /// When it last did, and what has to be there before it goes on, microseconds.
    starved_last: Instant,
    cushion_us: i64,
    /// The newest time of each track, microseconds, and how long a tag of it lasts.
    end: [Option<i64>; 2],
    step: [i64; 2],
    /// The end of the last audio tag handed out, microseconds.
    audio_out: Option<i64>,
    last_headers: [Option<Tag>; 2],
    need_keyframe: bool,
    /// Presentation time of the first picture, which is shown at once.
    pictured: Option<i64>,
    /// Pictures before this are only decoded: where playing began or the position jumped to.
    shown_from: i64,
    /// When a picture was last drawn.
    shown: Instant,
    sound: Option<Sound>,
    decoder: Decoder,
    full: bool,
    /// Until the position gets here, the buffer fills and the first picture stands still.
    filling_until: Option<i64>,
    ended: bool,
    /// The next tag is the first of a publisher or of a connection: a backlog may come with it, and where live is has to be found anew.
    begins: bool,
    meter: Meter,
    told_rate: Rate,
    timeout: Option<Instant>,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
enum Phase {
    /// Nothing has come yet.
    Idle,
    /// A backlog is coming in faster than real time: at join and after an outage. Live is where its newest tag puts it.
    CatchingUp {
        since: Instant,
        /// The least transit so far, microseconds.
        best_us: i64,
        mark: Instant,
        mark_us: i64,
        /// The position this began at, if something was playing.
        from: Option<i64>,
    },
    Playing,
}

#[derive(Debug)]
struct Starved {
    since: Instant,
    told: bool,
}

/// What the sound card was last seen at.
#[derive(Debug)]
struct Sound {
    time_us: i64,
    advanced: Instant,
}

impl JitterBuffer {
    /// An empty buffer.
    pub fn new(config: Config, now: Instant) -> Self {
        Self {
            config,
            timeline: Timeline::default(),
            arrival: Default::default(),
            delivery: Delivery::default(),
            output_latency: Duration::ZERO,
            picture_latency: Duration::ZERO,
            display_latency: Duration::ZERO,
            lead_us: 0,
            queues: Default::default(),
            clock: Clock::new(),
            steering: Steering::new(),
            phase: Phase::Idle,
            starved: None,
            starved_last: Instant::ZERO,
            cushion_us: 0,
            end: [None; 2],
            step: [21_333, 33_333],
            audio_out: None,
            last_headers: [None, None],
            need_keyframe: true,
            pictured: None,
            shown_from: i64::MIN,
            shown: Instant::ZERO,
            sound: None,
            decoder: Decoder::default(),
            full: false,
            filling_until: None,
            ended: false,
            begins: false,
            meter: Meter::new(now),
            told_rate: Rate::NORMAL,
            timeout: None,
            outputs: VecDeque::new(),
        }
    }

    /// Takes one input. Then drain [`poll_output`](Self::poll_output).
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Tag(tag) => self.handle_tag(now, tag),
            Input::Rendered { timestamp } => self.handle_rendered(now, timestamp),
            Input::Delivered { timestamp, at } => self.handle_delivered(now, timestamp, at),
            Input::Decoded { timestamp } => self.handle_decoded(now, timestamp),
            Input::Shown { timestamp } => self.handle_shown(now, timestamp),
            Input::DecoderReset => self.handle_decoder_reset(),
            Input::Begin => {
                self.timeline.restart();
                self.ended = false;
                self.begins = true;
            }
            Input::End => {
                if !self.ended && !matches!(self.phase, Phase::Idle) {
                    self.ended = true;
                    self.resume(now);
                    self.outputs.push_back(Output::Event(Event::Flush));
                }
            }
        }
        self.advance(now);
    }

    /// To be called when the instant of [`poll_timeout`](Self::poll_timeout) has come; harmless at any other time.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// The next thing to do; `None` when there is nothing until the next call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timeout
    }

    /// Sets `bufferTime`. More of it is reached by standing still, less by a skip or a faster rate.
    pub fn set_buffer_time(&mut self, now: Instant, buffer_time: Duration) {
        if self.config.buffer_time != buffer_time {
            self.config.buffer_time = buffer_time;
            self.retarget(now);
        }
    }

    /// Sets `bufferTimeMax`.
    pub fn set_buffer_time_max(&mut self, now: Instant, buffer_time_max: Option<Duration>) {
        if self.config.buffer_time_max != buffer_time_max {
            self.config.buffer_time_max = buffer_time_max;
            self.retarget(now);
        }
    }

    /// Tells what lies between the moment samples are given to the sound card and the moment they are heard: sound must be there earlier by it.
    pub fn set_output_latency(&mut self, now: Instant, latency: Duration) {
        self.output_latency = latency;
        self.advance(now);
    }

    /// The same for pictures, on top of the time that decoding them takes: for an owner whose decoders want pictures ahead of their time.
    pub fn set_picture_latency(&mut self, now: Instant, latency: Duration) {
        self.picture_latency = latency;
        self.advance(now);
    }

    /// Tells what lies between the moment a picture is drawn and the moment it is on the screen: `show` instants are earlier by it.
    pub fn set_display_latency(&mut self, now: Instant, latency: Duration) {
        self.display_latency = latency;
        self.advance(now);
    }

    /// Media received and not yet played; ActionScript's `bufferLength`.
    pub fn buffer_length(&self, now: Instant) -> Duration {
        let end = self.media_end().unwrap_or(0);
        match self.phase {
            Phase::Idle => Duration::ZERO,
            _ => micros(
                end - self
                    .clock
                    .position(now)
                    .max(self.first_waiting().unwrap_or(i64::MIN)),
            ),
        }
    }

    /// The player's timestamp of what is due at `now`: what pictures are chosen by. `None` before anything has come.
    pub fn position(&self, now: Instant) -> Option<Timestamp> {
        match self.phase {
            Phase::Idle => None,
            _ => Some(wire(self.clock.position(now).div_euclid(1000))),
        }
    }

    /// When sound of this time is to leave the speaker, by the clock as it is at `now`.
    pub fn sound_at(&self, now: Instant, timestamp: Timestamp) -> Instant {
        self.clock.when(now, self.timeline.recall(timestamp) * 1000)
    }

    /// What is played at `now` is this much behind live, as the quickest tags show it. Network transit is not in it.
    pub fn live_delay(&self, now: Instant) -> Option<Duration> {
        Some(micros(self.live_us(now)? - self.clock.position(now)))
    }

    /// Everything measured.
    pub fn stats(&self, now: Instant) -> Stats {
        let base = self.base_us();
        let jitter = base.map_or(0, |base| self.quantile_us().unwrap_or(base) - base);
        let mut stats = self.meter.stats(now);
        stats.jitter = micros(jitter);
        stats.target = micros(self.target_us(now));
        stats.depth = self.buffer_length(now);
        stats.live_delay = self.live_delay(now);
        stats.rate = self.told_rate.total();
        stats.drift_ppm = self.steering.drift() * 1e6;
        stats.bytes = self.queues.iter().map(Queue::bytes).sum();
        stats.decoder_queue = self.decoder.len();
        if let Some(starved) = &self.starved {
            stats.stalled += now - starved.since;
        }
        stats
    }

    fn handle_tag(&mut self, now: Instant, tag: Tag) {
        let kind = Kind::of(&tag);
        self.meter.received(now, tag.payload.len());
        let (track, time) = match kind {
            Kind::AudioHeader | Kind::VideoHeader => {
                let track = if kind == Kind::AudioHeader {
                    AUDIO
                } else {
                    VIDEO
                };
                if TagHeader::parse(&tag).is_sequence_header() {
                    self.last_headers[track] = Some(tag.clone());
                }
                (
                    track,
                    self.end[track]
                        .or(self.media_end())
                        .map_or(i64::from(tag.timestamp.as_millis()), |end| end / 1000),
                )
            }
            Kind::Data => (DATA, self.timeline.locate(tag.timestamp)),
            Kind::Audio | Kind::Video { .. } => {
                let track = if kind == Kind::Audio { AUDIO } else { VIDEO };
                let live = self.live_us(now).map(|live| live / 1000);
                let time = self.timeline.map(track, tag.timestamp, live);
                self.arrived(now, track, time * 1000);
                (track, time)
            }
        };
        self.queues[track].push(Waiting {
            tag,
            kind,
            time,
            since: now,
        });
        self.bound();
    }

    /// A media tag of `time_us` has come: what that says about the network.
    fn arrived(&mut self, now: Instant, track: usize, time_us: i64) {
        if let Some(end) = self.end[track] {
            let step = time_us - end;
            if (1..=200_000).contains(&step) {
                self.step[track] = step;
            }
        }
        self.end[track] = Some(self.end[track].map_or(time_us, |end| end.max(time_us)));
        let transit = now.as_micros() as i64 - time_us;
        if core::mem::take(&mut self.begins) && matches!(self.phase, Phase::Playing) {
            self.forget_transit();
            let position = self.clock.position(now);
            return self.catch_up(now, transit, Some(position));
        }
        match &mut self.phase {
            Phase::Idle => self.catch_up(now, transit, None),
            Phase::CatchingUp { best_us, .. } => *best_us = transit.min(*best_us),
            Phase::Playing => {
                let base = self.base_us().unwrap_or(transit);
                let position = self.clock.position(now);
                let delay = now.as_micros() as i64 - base - position;
                // While the other track comes in time, one that is late is just late.
                let late = self.media_end().is_none_or(|end| end < position - SKIP_US);
                let outage =
                    late || (self.starved.is_some() && delay > self.target_us(now) + SKIP_US);
                if outage || transit < base - SKIP_US {
                    self.catch_up(now, transit, Some(position));
                } else {
                    self.arrival[track].record(now, transit);
                    self.lead_us = self.needed_lead_us(now);
                    self.resume(now);
                }
            }
        }
    }

    fn handle_rendered(&mut self, now: Instant, timestamp: Timestamp) {
        let time_us = self.timeline.recall(timestamp) * 1000;
        if let Some(sound) = &mut self.sound {
            if time_us > sound.time_us {
                *sound = Sound {
                    time_us,
                    advanced: now,
                };
            } else {
                return;
            }
        } else {
            self.sound = Some(Sound {
                time_us,
                advanced: now,
            });
        }
        if !matches!(self.phase, Phase::Playing) || self.starved.is_some() {
            return;
        }
        let off = time_us - self.clock.position(now);
        if off.abs() > SNAP_US {
            self.clock.set(now, time_us);
        } else {
            self.clock.nudge(now, off as f64 / 10.0);
        }
    }

    fn handle_delivered(&mut self, now: Instant, timestamp: Timestamp, at: Instant) {
        // What comes with a backlog says nothing.
        if matches!(self.phase, Phase::Playing) {
            let time_us = self.timeline.recall(timestamp) * 1000;
            self.delivery.end(now, time_us, at);
        }
    }

    fn handle_decoder_reset(&mut self) {
        self.decoder.reset();
        self.need_keyframe = true;
        for tag in self.last_headers.iter().flatten() {
            let tag = Tag {
                timestamp: wire(self.media_end().unwrap_or(0) / 1000),
                ..tag.clone()
            };
            self.outputs.push_back(Output::Decode(Decode {
                tag,
                show: Show::Never,
            }));
        }
    }

    fn advance(&mut self, now: Instant) {
        self.timeout = None;
        if matches!(self.phase, Phase::Idle) {
            self.release_headers();
            return;
        }
        self.follow_backlog(now);
        self.starve(now);
        self.steer(now);
        self.release_data(now);
        self.release_audio(now);
        self.release_video(now);
        self.tell_full(now);
        if let Phase::CatchingUp { mark, .. } = self.phase {
            self.wake(mark + backlog::SETTLE);
        }
        if self.queues.iter().any(|queue| queue.len() > 0) {
            self.wake(now + TICK);
        }
    }

    /// Stops the clock where sound leads and nothing is left to play.
    fn starve(&mut self, now: Instant) {
        if let Some(starved) = &mut self.starved {
            let stall = starved.since + STALL;
            if !starved.told && now >= stall {
                starved.told = true;
                if core::mem::take(&mut self.full) {
                    self.meter.stalls += 1;
                    self.outputs.push_back(Output::Event(Event::Empty));
                }
            } else if !starved.told {
                self.wake(stall);
            }
            return;
        }
        if !matches!(self.phase, Phase::Playing) || !self.sound_leads(now) {
            return;
        }
        let Some(end) = self.media_end_with_steps() else {
            return;
        };
        if self.clock.position(now) >= end {
            let since = self.clock.when(now, end);
            self.clock.stop(now, end);
            self.starved = Some(Starved { since, told: false });
            // One standstill is an accident. Where one follows another, less comes than is played: a longer one now and then is less of a
            // disturbance than one after each tag.
            self.cushion_us = if now - self.starved_last < AGAIN {
                (self.cushion_us * 2).clamp(CUSHION_US, CUSHION_MAX_US)
            } else {
                0
            };
            self.starved_last = now;
            self.wake(since + STALL);
        } else {
            let at = self.clock.when(now, end);
            self.wake(at);
        }
    }

    /// Media has come: the clock goes on from where it stopped, once there is enough.
    fn resume(&mut self, now: Instant) {
        let there = self.end[AUDIO].map_or(i64::MAX, |end| {
            end + self.step[AUDIO] - self.clock.position(now)
        });
        if self.starved.is_some() && (there >= self.cushion_us || self.ended) {
            self.unstarve(now);
            self.steering.reset();
        }
    }

    fn unstarve(&mut self, now: Instant) {
        if let Some(starved) = self.starved.take() {
            self.meter.stalled += now - starved.since;
            self.clock.start(now);
        }
    }

    fn steer(&mut self, now: Instant) {
        let filling = self
            .filling_until
            .is_some_and(|until| self.clock.position(now) < until);
        if !matches!(self.phase, Phase::Playing) || self.starved.is_some() || filling || self.ended
        {
            return;
        }
        let Some(live) = self.live_us(now) else {
            return;
        };
        let position = self.clock.position(now);
        let error = live - position - self.target_us(now);
        let held_up = self.is_held_up(now, live);
        let mut rate = self.steering.steer(now, error, held_up);
        if self
            .steering
            .sustained_us(now)
            .is_some_and(|error| error > SKIP_US)
        {
            self.jump(now, Some(position), position + error);
            rate = self.steering.rate();
        }
        if rate != self.told_rate {
            self.clock.set_rate(now, rate.total());
            // A change of a part per million is heard by nobody: spare the owner.
            if rate.stretch != self.told_rate.stretch
                || (rate.resample - self.told_rate.resample).abs() > 1e-6
            {
                self.told_rate = rate;
                self.outputs.push_back(Output::Rate(rate));
            }
        }
    }

    fn tell_full(&mut self, now: Instant) {
        if self.full || !matches!(self.phase, Phase::Playing) || self.starved.is_some() {
            if self.full
                && self.ended
                && self
                    .media_end_with_steps()
                    .is_some_and(|end| self.clock.position(now) >= end)
            {
                self.full = false;
                self.outputs.push_back(Output::Event(Event::Empty));
            }
            return;
        }
        let position = self.clock.position(now);
        let filled = self.filling_until.is_none_or(|until| until <= position);
        let begun = filled && self.media_end().is_some_and(|end| end > position - SKIP_US);
        if begun && !self.ended {
            self.full = true;
            self.outputs.push_back(Output::Event(Event::Full));
        }
    }

    fn wake(&mut self, at: Instant) {
        self.timeout = Some(self.timeout.map_or(at, |timeout| timeout.min(at)));
    }

    fn sound_leads(&self, now: Instant) -> bool {
        self.sound
            .as_ref()
            .is_some_and(|sound| now - sound.advanced < LEAD_TIMEOUT)
    }
}

fn micros(us: i64) -> Duration {
    Duration::from_micros(u64::try_from(us).unwrap_or(0))
}
