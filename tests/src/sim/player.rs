use std::collections::VecDeque;
use std::time::Duration;

use chalkcast_core::flv::{TagHeader, TagType};
use chalkcast_core::jitter::{Config, Decode, Event, Input, JitterBuffer, Output, Rate, Show};
use chalkcast_core::{Instant, Timestamp};

use super::publisher::captured;
use super::sound::SoundCard;
use crate::Random;

/// Between two refreshes of the display.
const REFRESH_US: u64 = 16_683;
/// The refresh nearest to its instant shows a picture.
const HALF: Duration = Duration::from_micros(REFRESH_US / 2);
/// How often the worklet says what it plays.
const REPORT: Duration = Duration::from_millis(50);
/// What the message from the worklet takes, at most.
const REPORT_DELAY_US: u64 = 3_000;

/// A picture that was on the screen.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// When it came up.
    pub at: Instant,
    /// When it was captured.
    pub captured: Instant,
    /// How much later than its sound it came up, microseconds, where there was sound.
    pub skew_us: Option<i64>,
    /// It stood in for pictures that came too late for their sound.
    pub still: bool,
}

/// A page that plays: jitter buffer, decoders, a display of 59.94 Hz and a sound card.
#[derive(Debug)]
pub struct Player {
    /// The buffer under test.
    pub buffer: JitterBuffer,
    /// What a picture takes to decode.
    decode: Duration,
    /// In the video decoder: when it is done, and the picture.
    decoding: VecDeque<(Instant, Picture)>,
    /// The decoder has had its sequence header, and since then a keyframe.
    configured: bool,
    keyed: bool,
    ready: VecDeque<Picture>,
    /// What one in twenty of the sound's frames takes to the sound card, at most.
    busy: Duration,
    /// On its way there: when it will be there, and its timestamp.
    sounding: VecDeque<(Instant, Timestamp)>,
    /// The sound card.
    pub sound: Option<SoundCard>,
    report_at: Instant,
    reports: VecDeque<(Instant, Timestamp)>,
    random: Random,
    /// Every picture that was shown.
    pub shown: Vec<Shown>,
    /// What the buffer has said.
    pub events: Vec<(Instant, Event)>,
    /// Skips of the position: when, and milliseconds forward.
    pub skips: Vec<(Instant, i32)>,
    rate: Rate,
}

#[derive(Clone, Copy, Debug)]
struct Picture {
    timestamp: Timestamp,
    captured: Instant,
    show: bool,
}

impl Player {
    /// A player that opens at `now`. `sound_ppm`: how much faster than the simulation's clock its sound card runs; `None`: it has none.
    pub fn new(
        config: Config,
        now: Instant,
        decode: Duration,
        busy: Duration,
        sound_ppm: Option<i64>,
        seed: u64,
    ) -> Self {
        let sound = sound_ppm.map(SoundCard::new);
        let mut buffer = JitterBuffer::new(config, now);
        if sound.is_some() {
            buffer.set_output_latency(now, SoundCard::LATENCY);
        }
        Self {
            buffer,
            decode,
            decoding: VecDeque::new(),
            configured: false,
            keyed: false,
            ready: VecDeque::new(),
            busy,
            sounding: VecDeque::new(),
            sound,
            report_at: now,
            reports: VecDeque::new(),
            random: Random::new(seed),
            shown: Vec::new(),
            events: Vec::new(),
            skips: Vec::new(),
            rate: Rate::NORMAL,
        }
    }

    /// Tells the buffer something.
    pub fn input(&mut self, now: Instant, input: Input) {
        self.buffer.handle_input(now, input);
        self.drain(now);
    }

    /// Its decoder is gone, with all that is inside it; there is another at once.
    pub fn reset_decoder(&mut self, now: Instant) {
        self.decoding.clear();
        self.configured = false;
        self.input(now, Input::DecoderReset);
    }

    /// When there is something to do.
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let decoded = self.decoding.front().map(|(at, _)| *at);
        let refresh = self.ready.front().map(|picture| {
            refresh_after(
                self.buffer
                    .show_at(now, picture.timestamp)
                    .saturating_sub(HALF)
                    .max(now),
            )
        });
        let report = self
            .sound
            .as_ref()
            .filter(|sound| sound.is_sounding())
            .map(|_| self.report_at.max(now));
        let sounding = self.sounding.front().map(|(at, _)| *at);
        let reported = self.reports.front().map(|(at, _)| *at);
        [
            self.buffer.poll_timeout(),
            decoded,
            refresh,
            sounding,
            report,
            reported,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(sound) = &mut self.sound {
            sound.advance(now);
        }
        while let Some(timestamp) = take_due(&mut self.sounding, now) {
            self.play(now, timestamp);
            self.drain(now);
        }
        while let Some(picture) = take_due(&mut self.decoding, now) {
            self.input(
                now,
                Input::Decoded {
                    timestamp: picture.timestamp,
                },
            );
            if picture.show {
                self.ready.push_back(picture);
            }
        }
        if let Some(sound) = &self.sound
            && sound.is_sounding()
            && now >= self.report_at
        {
            self.report_at = now + REPORT;
            if let Some(heard) = sound.heard_us() {
                let delay = Duration::from_micros(self.random.below(REPORT_DELAY_US));
                let timestamp = Timestamp::from_millis(heard.div_euclid(1000) as u32);
                self.reports.push_back((now + delay, timestamp));
            }
        }
        while let Some(timestamp) = take_due(&mut self.reports, now) {
            self.input(now, Input::Rendered { timestamp });
        }
        if self.buffer.poll_timeout().is_some_and(|at| at <= now) {
            self.buffer.handle_timeout(now);
            self.drain(now);
        }
        if now.as_micros().is_multiple_of(REFRESH_US) {
            self.refresh(now);
        }
    }

    /// Shows the picture that the buffer chooses.
    fn refresh(&mut self, now: Instant) {
        let ready = self.ready.iter().map(|picture| picture.timestamp);
        let choice = self.buffer.choose(now, ready, &|due| due <= now + HALF);
        let newest = self.ready.drain(..choice.gone).next_back();
        let Some(picture) = newest.filter(|_| choice.draw) else {
            return;
        };
        let heard = self
            .sound
            .as_ref()
            .filter(|sound| sound.is_sounding())
            .and_then(SoundCard::heard_us);
        let skew_us = heard.map(|heard| {
            let heard = Timestamp::from_millis(heard.div_euclid(1000) as u32);
            i64::from(heard.since(picture.timestamp)) * 1000
        });
        self.shown.push(Shown {
            at: now,
            captured: picture.captured,
            skew_us,
            still: choice.still,
        });
        self.input(
            now,
            Input::Shown {
                timestamp: picture.timestamp,
            },
        );
    }

    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.buffer.poll_output() {
            match output {
                Output::Decode(decode) => self.decode(now, decode),
                Output::Rate(rate) => {
                    self.rate = rate;
                }
                Output::Skipped { from, to } => {
                    self.skips.push((now, to.since(from)));
                    self.ready.clear();
                    self.sounding.clear();
                    if let Some(sound) = &mut self.sound {
                        sound.flush(now);
                    }
                }
                Output::Event(event) => self.events.push((now, event)),
            }
        }
    }

    fn decode(&mut self, now: Instant, Decode { tag, show }: Decode) {
        match tag.tag_type {
            TagType::Video if TagHeader::parse(&tag).is_sequence_header() => {
                (self.configured, self.keyed) = (true, false);
            }
            TagType::Video => {
                self.keyed |= TagHeader::parse(&tag).is_keyframe();
                assert!(
                    self.configured && self.keyed,
                    "a decoder begins with a sequence header and a keyframe"
                );
                let begins = self.decoding.back().map_or(now, |(at, _)| (*at).max(now));
                let picture = Picture {
                    timestamp: tag.timestamp,
                    captured: captured(&tag),
                    show: show != Show::Never,
                };
                self.decoding.push_back((begins + self.decode, picture));
            }
            TagType::Audio if TagHeader::parse(&tag).is_sequence_header() => {}
            TagType::Audio => self.decode_sound(now, tag.timestamp),
            TagType::Script => {}
        }
    }

    fn decode_sound(&mut self, now: Instant, timestamp: Timestamp) {
        let late = if self.busy > Duration::ZERO && self.random.below(20) == 0 {
            Duration::from_micros(self.random.below(self.busy.as_micros() as u64))
        } else {
            Duration::ZERO
        };
        let behind = self.sounding.back().map_or(now, |(at, _)| *at);
        if late > Duration::ZERO || behind > now {
            self.sounding.push_back((behind.max(now + late), timestamp));
        } else {
            self.play(now, timestamp);
        }
    }

    fn play(&mut self, now: Instant, timestamp: Timestamp) {
        let due = self.buffer.sound_at(now, timestamp);
        if let Some(sound) = &mut self.sound {
            sound.play(now, timestamp, due, self.rate.total());
            let delivered = Input::Delivered { timestamp, at: now };
            self.buffer.handle_input(now, delivered);
        }
    }
}

fn refresh_after(at: Instant) -> Instant {
    Instant::from_micros(at.as_micros().div_ceil(REFRESH_US) * REFRESH_US)
}

fn take_due<T>(waiting: &mut VecDeque<(Instant, T)>, now: Instant) -> Option<T> {
    if waiting.front()?.0 > now {
        return None;
    }
    waiting.pop_front().map(|(_, due)| due)
}
