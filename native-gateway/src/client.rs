//! A connection to another server: a `ClientSession` and what carries it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use anyhow::Result;
use chalkcast_core::Instant;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::session::client::{self, ClientSession, Connect, Event};
use chalkcast_core::session::{CloseReason, Output, Timers};
use tokio::time::Sleep;

use crate::address::Endpoint;
use crate::clock::Clock;
use crate::gateway::seed;
use crate::transport::{Outbox, Transport, connect};

/// An RTMP client. Its owner calls methods of [`session`](Self::session) and polls for events, which moves the bytes.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
    outbox: Outbox,
    session: ClientSession,
    clock: Clock,
    events: VecDeque<Event>,
    timer: Pin<Box<Sleep>>,
    timer_at: Option<Instant>,
    ended: bool,
}

/// A server that hangs is to be noticed well before viewers give up: one that does not even answer a ping is left.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(15);
/// How long a client that ends may take to say so.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Client {
    /// Opens the transport and asks for the app. A server that hangs is noticed soon.
    pub async fn open(endpoint: &Endpoint, clock: Clock) -> Result<Self> {
        let mut timers = Timers::default();
        timers.ping_interval = PING_INTERVAL;
        timers.silence = SILENCE;
        Self::open_with(endpoint, clock, timers).await
    }

    /// Opens the transport and asks for the app, as patient as `timers` say.
    pub async fn open_with(endpoint: &Endpoint, clock: Clock, timers: Timers) -> Result<Self> {
        let transport = connect(endpoint).await?;
        let now = clock.now();
        let mut config = client::Config::new(seed());
        config.timers = timers;
        let mut session = ClientSession::new(config, now);
        let mut request = Connect::new(endpoint.connect_app(), endpoint.tc_url());
        request.flash_ver = concat!(
            "FMLE/3.0 (compatible; Chalkcast/",
            env!("CARGO_PKG_VERSION"),
            ")"
        )
        .to_owned();
        session.connect(now, request)?;
        Ok(Self {
            transport,
            outbox: Outbox::default(),
            session,
            clock,
            events: VecDeque::new(),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            timer_at: None,
            ended: false,
        })
    }

    /// The session. After calling it, poll for events, or nothing is sent.
    pub fn session(&mut self) -> &mut ClientSession {
        &mut self.session
    }

    /// Now, on the clock it was opened with.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Bytes that wait to be written.
    pub fn backlog(&self) -> usize {
        self.outbox.len()
    }

    /// The next event; the last one is [`Event::Closed`], after which this pends for ever.
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            if let Poll::Ready(Err(_)) = self.poll_flush(cx) {
                self.session.handle_eof(self.clock.now());
                self.drain();
            }
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(event);
            }
            if self.ended {
                return Poll::Pending;
            }
            let now = self.clock.now();
            let session = &mut self.session;
            match self
                .transport
                .poll_read(cx, |bytes| session.handle_input(now, bytes))
            {
                Poll::Ready(Ok(0) | Err(_)) => self.session.handle_eof(now),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => ready!(self.poll_timer(now, cx)),
            }
        }
    }

    /// Waits for the next event. May be dropped while it waits.
    pub async fn event(&mut self) -> Event {
        std::future::poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Writes what waits.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.drain();
        self.transport.poll_write(cx, &mut self.outbox)
    }

    /// Says goodbye and closes the connection.
    pub async fn close(mut self) {
        self.session.close(self.clock.now());
        let last_words = std::future::poll_fn(|cx| {
            ready!(self.poll_flush(cx))?;
            self.transport.poll_close(cx)
        });
        let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Transmit(transmit) => self.outbox.push(&transmit.head, &transmit.body),
                Output::Event(Event::Tag { tag, .. }) if is_about_session(&tag) => {}
                Output::Event(event) => {
                    self.ended |= matches!(event, Event::Closed { .. });
                    self.events.push_back(event);
                }
            }
        }
    }

    fn poll_timer(&mut self, now: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.session.poll_timeout() else {
            return Poll::Pending;
        };
        if at > now {
            if self.timer_at != Some(at) {
                self.timer_at = Some(at);
                self.timer.as_mut().reset(self.clock.deadline(at));
            }
            ready!(self.timer.as_mut().poll(cx));
        }
        self.session.handle_timeout(self.clock.now());
        Poll::Ready(())
    }
}

/// Servers send some script data that is not the publisher's: it is about this session, and would mislead the next.
fn is_about_session(tag: &Tag) -> bool {
    const NAMES: [&[u8]; 2] = [b"\x02\x00\x11|RtmpSampleAccess", b"\x02\x00\x08onStatus"];
    tag.tag_type == TagType::Script && NAMES.iter().any(|name| tag.payload.starts_with(name))
}

/// In words for people: what a server's refusal or a lost connection means.
pub(crate) fn explain(reason: &CloseReason) -> String {
    match reason {
        CloseReason::Rejected(status) => format!(
            "the server refused: {} ({})",
            status.description, status.code
        ),
        CloseReason::Eof => "the server closed the connection".to_owned(),
        CloseReason::Timeout { after, .. } => {
            format!("the server said nothing for {} s", after.as_secs())
        }
        other => other.to_string(),
    }
}
