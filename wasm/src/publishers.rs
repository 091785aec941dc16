//! What a connection publishes: a file of its own, which a page that only plays never loads.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use chalkcast_core::Instant;
use chalkcast_core::session::Stats;
use js_sys::Function;
use wasm_bindgen::prelude::*;

use crate::handle::{self, Owner};
use crate::page::ToWorker;
use crate::publish::Publisher;
use crate::timer::Timer;

const STATS_EVERY: Duration = Duration::from_millis(250);

#[wasm_bindgen]
extern "C" {
    /// The engine that has the session.
    pub type Session;
    #[wasm_bindgen(method, structural)]
    fn send(this: &Session, stream: u32, tag_type: u8, timestamp: u32, payload: &[u8]);
    /// Bytes that are still on their way out of the browser.
    #[wasm_bindgen(method, structural)]
    fn queued(this: &Session) -> u32;
    #[wasm_bindgen(method, structural)]
    fn sent(this: &Session) -> f64;
    #[wasm_bindgen(method, structural)]
    fn acknowledged(this: &Session) -> Option<f64>;
}

/// The publishers of one NetConnection, made by the Worker when its page first publishes. It must not be called from within a call of the engine's.
#[wasm_bindgen]
pub struct Publishers {
    handle: Handle,
    /// Callbacks hold it weakly: when this goes, so does everything.
    _all: Rc<RefCell<All>>,
}

#[wasm_bindgen]
impl Publishers {
    /// `load_aac` imports the AAC encoder's module (`js/src/aac.ts`) and returns a promise of it.
    #[wasm_bindgen(constructor)]
    pub fn new(session: Session, load_aac: Function) -> Self {
        let all = Rc::new_cyclic(|weak| {
            RefCell::new(All::new(Handle::new(weak.clone()), session, load_aac))
        });
        let handle = all.borrow().handle.clone();
        Self { handle, _all: all }
    }

    /// A message of the page's about what a stream publishes.
    pub fn handle(&self, message: JsValue) {
        let message: ToWorker = message.unchecked_into();
        self.handle.with(|all, now| all.told(now, &message));
    }

    /// The server waits for a stream's tags; `buffer_time` in seconds.
    pub fn start(&self, stream: u32, buffer_time: f64) {
        self.handle.with(|all, now| {
            let publisher = all.find_or_add(stream);
            publisher.set_buffer_time(duration(buffer_time));
            publisher.start(now);
        });
    }

    /// Nothing more of a stream is sent.
    pub fn stop(&self, stream: u32) {
        self.of(stream, Publisher::stop);
    }

    /// The most media that may wait to be sent, in seconds.
    #[wasm_bindgen(js_name = "setBufferTime")]
    pub fn set_buffer_time(&self, stream: u32, buffer_time: f64) {
        self.of(stream, |publisher| {
            publisher.set_buffer_time(duration(buffer_time))
        });
    }

    /// The peer has acknowledged more of what was sent.
    pub fn acknowledged(&self) {
        self.handle.with(|_, _| {});
    }

    /// Lets go of a stream's camera and microphone.
    pub fn remove(&self, stream: u32) {
        self.handle
            .with(|all, _| all.streams.retain(|(number, _)| *number != stream));
    }

    fn of(&self, stream: u32, f: impl FnOnce(&mut Publisher)) {
        self.handle.with(|all, _| {
            if let Some(publisher) = all.find(stream) {
                f(publisher);
            }
        });
    }
}

/// What the callbacks of publishers hold.
pub(crate) type Handle = handle::Handle<All>;

/// The publishers, by the page's number for their stream.
pub(crate) struct All {
    handle: Handle,
    session: Session,
    load_aac: Function,
    streams: Vec<(u32, Publisher)>,
    timer: Timer,
    next_stats: Instant,
}

impl All {
    fn new(handle: Handle, session: Session, load_aac: Function) -> Self {
        let timer = Timer::new(handle.callback(|all: &mut Self, _, _: JsValue| all.timer.fired()));
        Self {
            handle,
            session,
            load_aac,
            streams: Vec::new(),
            timer,
            next_stats: Instant::ZERO,
        }
    }

    pub(crate) fn find(&mut self, stream: u32) -> Option<&mut Publisher> {
        self.streams
            .iter_mut()
            .find(|(number, _)| *number == stream)
            .map(|(_, publisher)| publisher)
    }

    fn find_or_add(&mut self, stream: u32) -> &mut Publisher {
        let known = self
            .streams
            .iter()
            .position(|(number, _)| *number == stream);
        let at = known.unwrap_or_else(|| {
            let publisher = Publisher::new(stream, self.handle.clone(), self.load_aac.clone());
            self.streams.push((stream, publisher));
            self.streams.len() - 1
        });
        &mut self.streams[at].1
    }

    fn told(&mut self, now: Instant, message: &ToWorker) {
        let Some(stream) = message.stream() else {
            return;
        };
        match message.kind().as_str() {
            "videoSource" => self
                .find_or_add(stream)
                .video_source(&message.settings(), message.readable()),
            "audioSource" => self.find_or_add(stream).audio_source(
                &message.settings(),
                message.readable(),
                message.port(),
            ),
            "videoFrame" => match self.find(stream) {
                Some(publisher) => publisher.video_frame(now, message.frame()),
                None => message.frame().close(),
            },
            "videoSettings" => {
                if let Some(publisher) = self.find(stream) {
                    publisher.video_settings(&message.settings());
                }
            }
            "sourceEnded" => {
                if let Some(publisher) = self.find(stream) {
                    publisher.source_ended(&message.what());
                }
            }
            _ => {}
        }
    }
}

impl Owner for All {
    fn settle(&mut self, now: Instant) {
        let queued = self.session.queued();
        let mut stats = Stats::default();
        stats.bytes_sent = self.session.sent() as u64;
        stats.bytes_acknowledged = self.session.acknowledged().map(|bytes| bytes as u64);
        for (number, publisher) in &mut self.streams {
            publisher.settle(now, &stats, queued, |tag| {
                self.session.send(
                    *number,
                    tag.tag_type as u8,
                    tag.timestamp.as_millis(),
                    &tag.payload,
                );
            });
        }
        if now >= self.next_stats {
            self.next_stats = now + STATS_EVERY;
            for (number, publisher) in &mut self.streams {
                if publisher.is_live() {
                    publisher.stats(now, queued).post_as_stats(*number);
                }
            }
        }
        let streams = self.streams.iter();
        let due = streams.filter_map(|(_, publisher)| publisher.poll_timeout());
        let live = self
            .streams
            .iter()
            .any(|(_, publisher)| publisher.is_live());
        self.timer
            .set(now, due.chain(live.then_some(self.next_stats)).min());
    }
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
