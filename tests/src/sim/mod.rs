//! A publisher, the shipped relay and a player, joined by seeded links on a fake clock.

mod figures;
mod player;
mod publisher;
pub mod rows;
mod sound;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use chalkcast_core::Instant;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::jitter::{Config, Input};
use chalkcast_gateway::relay::{self, Item, Key, Next, Relay};

pub use figures::Figures;
pub use player::{Player, Shown};
pub use publisher::{Publisher, Source};
pub use wire::Wire;

/// What the kernel and the network keep of what is sent, at most.
const SEND_BUFFER: usize = 256 * 1024;
/// Of that, what is in the network: a modem's queue, and what is not acknowledged.
const IN_FLIGHT: usize = 32 * 1024;
/// Of every link, one way.
const LATENCY: Duration = Duration::from_millis(5);
const EIGHTH: Duration = Duration::from_millis(125);
/// The relay acknowledges what a publisher sends in steps of this.
const WINDOW: u64 = 16 * 1024;
/// Ten and twenty megabits per second.
const UPLINK: u64 = 1_250_000;
const DOWNLINK: u64 = 2_500_000;

/// Something that happens during a lesson.
#[derive(Clone, Copy, Debug)]
pub enum Happening {
    /// The publisher's link carries this many bytes per second from now on.
    Uplink(u64),
    /// The viewer's link carries this many bytes per second from now on.
    Downlink(u64),
    /// The publisher goes.
    Unpublish,
    /// A publisher comes, whose first timestamp is this.
    Publish(u32),
    /// The browser takes the viewer's video decoder away, with all that is inside it.
    DecoderReset,
    /// The viewer's computer sleeps for so long, or its browser does not run the page; nothing is read meanwhile.
    Sleep(Duration),
    /// The viewer's connection is lost, and there is another at once; what was on the way is gone.
    Reconnect,
}

/// A lesson, its network and its viewer.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What the table calls it.
    pub name: &'static str,
    /// All chance follows from this.
    pub seed: u64,
    /// What is published from the beginning.
    pub source: Source,
    /// When the viewer comes.
    pub join: Duration,
    /// How long it all takes.
    pub length: Duration,
    /// Jitter of the viewer's link, at most.
    pub jitter: Duration,
    /// How the viewer's buffer is set; its `buffer_time` is told to the relay.
    pub config: Config,
    /// The viewer's sound card, in parts per million faster than the simulation's clock; `None`: no sound is played.
    pub sound_ppm: Option<i64>,
    /// What a picture takes to decode.
    pub decode: Duration,
    /// What one in twenty of the sound's frames takes from arrival to the sound card, at most; the others take nothing.
    pub busy: Duration,
    /// In order of time.
    pub happenings: Vec<(Duration, Happening)>,
}

impl Scenario {
    /// A minute of 640x360 at 30 pictures a second and 1 Mbit/s with sound, a viewer from the fifth second on, and nothing in the way.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            seed: 1,
            source: Source {
                frame_rate: 30,
                keyframe_interval: 2,
                bitrate: 1_000_000,
                audio: true,
                epoch: 0,
                ppm: 0,
            },
            join: Duration::from_secs(5),
            length: Duration::from_secs(65),
            jitter: Duration::ZERO,
            config: Config::default(),
            sound_ppm: Some(0),
            decode: Duration::from_millis(4),
            busy: Duration::ZERO,
            happenings: Vec::new(),
        }
    }

    /// Runs it.
    pub fn run(&self) -> Run {
        Simulation::new(self).run()
    }
}

/// What came of a [`Scenario`].
#[derive(Debug)]
pub struct Run {
    /// The viewer, as it was at the end.
    pub player: Player,
    /// When the simulation ended.
    pub end: Instant,
    /// Of each media tag that the viewer received: when, how long after its capture, microseconds, and whether it was sound.
    pub transits: Vec<(Instant, i64, bool)>,
    /// Pictures captured per second.
    pub frame_rate: u64,
}

struct Simulation<'a> {
    scenario: &'a Scenario,
    relay: Relay,
    stream: Option<Arc<relay::Stream>>,
    woken: Arc<Woken>,
    publisher: Option<Publisher>,
    ingest: Option<relay::Publisher>,
    viewer: Option<relay::Viewer>,
    up: Wire<Tag>,
    acknowledgements: Wire<u64>,
    received: u64,
    acknowledged: u64,
    down: Wire<Delivery>,
    player: Option<Player>,
    transits: Vec<(Instant, i64, bool)>,
    happened: usize,
    /// Until when the viewer sleeps, and what has come for it since.
    asleep: Instant,
    held: Vec<Delivery>,
    key: Key,
    publishers: u64,
}

#[derive(Debug)]
enum Delivery {
    Tag(Tag),
    Begin,
    End,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<'a> Simulation<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let seed = scenario.seed;
        Self {
            scenario,
            relay: Relay::new(relay::Config::default(), |_| {}),
            stream: None,
            woken: Arc::new(Woken(AtomicBool::new(false))),
            publisher: None,
            ingest: None,
            viewer: None,
            up: Wire::new(UPLINK, LATENCY, Duration::ZERO, SEND_BUFFER, seed + 1),
            acknowledgements: Wire::new(UPLINK, LATENCY, Duration::ZERO, SEND_BUFFER, seed + 2),
            received: 0,
            acknowledged: 0,
            down: downlink(scenario),
            player: None,
            transits: Vec::new(),
            happened: 0,
            asleep: Instant::ZERO,
            held: Vec::new(),
            key: Key::new("live", "lesson"),
            publishers: 0,
        }
    }

    fn run(mut self) -> Run {
        let mut now = Instant::ZERO;
        let end = now + self.scenario.length;
        self.publish(now, self.scenario.source.epoch);
        while now < end {
            self.happen(now);
            self.send(now);
            self.relay(now);
            self.play(now);
            now = self.next(now).max(now).min(end);
        }
        let player = self.player.expect("the viewer came before the end");
        Run {
            player,
            end,
            transits: self.transits,
            frame_rate: self.scenario.source.frame_rate,
        }
    }

    fn next(&self, now: Instant) -> Instant {
        let mut next = self
            .scenario
            .happenings
            .get(self.happened)
            .map(|(at, _)| Instant::ZERO + *at);
        let mut also = |at: Option<Instant>| next = next.into_iter().chain(at).min();
        also(self.publisher.as_ref().map(Publisher::poll_timeout));
        also(self.up.poll_timeout());
        also(self.acknowledgements.poll_timeout());
        also(
            self.stream
                .as_ref()
                .and_then(|stream| stream.poll_timeout(Waker::noop())),
        );
        also(self.down.poll_timeout());
        if now < self.asleep {
            also(Some(self.asleep));
        } else {
            also(
                self.player
                    .as_ref()
                    .and_then(|player| player.poll_timeout(now)),
            );
        }
        if self.player.is_none() {
            also(Some(Instant::ZERO + self.scenario.join));
        }
        next.unwrap_or(Instant::from_micros(u64::MAX))
    }

    fn happen(&mut self, now: Instant) {
        while let Some(&(at, happening)) = self.scenario.happenings.get(self.happened) {
            if Instant::ZERO + at > now {
                return;
            }
            self.happened += 1;
            match happening {
                Happening::Uplink(rate) => self.up.set_rate(now, rate),
                Happening::Downlink(rate) => self.down.set_rate(now, rate),
                Happening::Unpublish => {
                    self.publisher = None;
                    self.ingest = None;
                }
                Happening::Publish(epoch) => self.publish(now, epoch),
                Happening::DecoderReset => {
                    if let Some(player) = &mut self.player {
                        player.reset_decoder(now);
                    }
                }
                Happening::Sleep(time) => {
                    self.asleep = now + time;
                    // What nobody reads is soon not sent: TCP's window closes.
                    self.down.set_rate(now, 0);
                }
                Happening::Reconnect => {
                    self.down = downlink(self.scenario);
                    self.held.clear();
                    self.viewer = Some(self.watch(now));
                    if let Some(player) = &mut self.player {
                        player.input(now, Input::Begin);
                    }
                }
            }
        }
    }

    fn publish(&mut self, now: Instant, epoch: u32) {
        let source = Source {
            epoch,
            ..self.scenario.source.clone()
        };
        self.publishers += 1;
        self.publisher = Some(Publisher::new(
            source,
            now,
            self.scenario.seed * 100 + self.publishers,
        ));
        self.ingest = Some(
            self.relay
                .publish(now, &self.key, relay::Source::Local)
                .expect("nobody else publishes"),
        );
        self.stream = self.relay.find(&self.key);
        self.received = 0;
        self.acknowledged = 0;
    }

    /// From the publisher to the relay.
    fn send(&mut self, now: Instant) {
        while let Some((_, total)) = self.acknowledgements.receive(now) {
            if let Some(publisher) = &mut self.publisher {
                publisher.acknowledged(now, total);
            }
        }
        if let Some(publisher) = &mut self.publisher {
            // What the kernel does not take waits in front of the socket, where the page sees it.
            while let Some(tag) =
                publisher.poll(now, self.up.buffered().saturating_sub(SEND_BUFFER))
            {
                self.up.send(now, publisher::size(&tag), tag);
            }
        }
        while let Some((size, tag)) = self.up.receive(now) {
            self.received += size as u64;
            if self.received - self.acknowledged >= WINDOW {
                self.acknowledged = self.received;
                self.acknowledgements.send(now, 16, self.received);
            }
            if let Some(ingest) = &mut self.ingest {
                ingest.append(now, &tag).expect("nobody takes over");
            }
        }
    }

    /// From the relay towards the viewer.
    fn relay(&mut self, now: Instant) {
        if let Some(stream) = &self.stream {
            stream.handle_timeout(now);
        }
        let Some(viewer) = &mut self.viewer else {
            return;
        };
        let waker = Waker::from(Arc::clone(&self.woken));
        loop {
            // As the gateway does: an eighth of a second may be unsent in the kernel (TCP_NOTSENT_LOWAT), and another is pulled at a time.
            let rate = match viewer.bits_per_second() {
                0 => 1_000_000,
                known => known,
            };
            let bytes_in = |time: Duration| {
                (rate as usize / 8 * time.as_millis() as usize / 1000).clamp(4 * 1024, SEND_BUFFER)
            };
            let unsent = self.down.buffered().saturating_sub(IN_FLIGHT);
            if unsent >= bytes_in(EIGHTH) || !self.down.is_writable() {
                break;
            }
            let limit = bytes_in(EIGHTH.max(viewer.budget() * 2));
            let mut items = Vec::new();
            let next = viewer.pull(now, &waker, limit, |item| match item {
                Item::Tag(tag, _) => items.push((publisher::size(tag), Delivery::Tag(tag.clone()))),
                Item::Begin => items.push((18, Delivery::Begin)),
                Item::End => items.push((18, Delivery::End)),
                Item::NotFound => {}
            });
            for (size, item) in items {
                self.down.send(now, size, item);
            }
            if next == Next::Wait {
                break;
            }
        }
    }

    fn play(&mut self, now: Instant) {
        if self.player.is_none() && now >= Instant::ZERO + self.scenario.join {
            self.viewer = Some(self.watch(now));
            let Scenario {
                config,
                decode,
                busy,
                sound_ppm,
                seed,
                ..
            } = self.scenario;
            self.player = Some(Player::new(
                config.clone(),
                now,
                *decode,
                *busy,
                *sound_ppm,
                seed + 9,
            ));
            self.relay(now);
        }
        let Some(player) = &mut self.player else {
            return;
        };
        while let Some((_, delivery)) = self.down.receive(now) {
            self.held.push(delivery);
        }
        if now < self.asleep {
            return;
        }
        if self.asleep > Instant::ZERO {
            self.asleep = Instant::ZERO;
            self.down.set_rate(now, DOWNLINK);
        }
        for delivery in self.held.drain(..) {
            let input = match delivery {
                Delivery::Tag(tag) => {
                    let took = (now - publisher::captured(&tag)).as_micros() as i64;
                    self.transits
                        .push((now, took, tag.tag_type == TagType::Audio));
                    Input::Tag(tag)
                }
                Delivery::Begin => Input::Begin,
                Delivery::End => Input::End,
            };
            player.input(now, input);
        }
        player.handle_timeout(now);
    }

    fn watch(&self, now: Instant) -> relay::Viewer {
        let mut viewer = self.relay.play(now, &self.key);
        viewer.set_buffer_length(self.scenario.config.buffer_time);
        viewer
    }
}

fn downlink<T>(scenario: &Scenario) -> Wire<T> {
    let Scenario { jitter, seed, .. } = *scenario;
    Wire::new(DOWNLINK, LATENCY, jitter, SEND_BUFFER, seed + 3)
}
