use std::time::Duration;

use chalkcast_core::session::{Output, client, server};
use chalkcast_core::{ClientSession, Instant, ServerSession};

use crate::{Link, LinkConfig};

/// A client and a server session at the two ends of a simulated connection, on a fake clock.
///
/// After driving a session by hand, call [`pump`](Self::pump), so that what it wants sent gets sent.
#[derive(Debug)]
pub struct Pair {
    /// The fake clock.
    pub now: Instant,
    /// The client's end.
    pub client: ClientSession,
    /// The server's end.
    pub server: ServerSession,
    /// From client to server.
    pub up: Link,
    /// From server to client.
    pub down: Link,
    /// What the client told, oldest first; take out what was looked at.
    pub client_events: Vec<client::Event>,
    /// What the server told, oldest first; take out what was looked at.
    pub server_events: Vec<server::Event>,
}

impl Pair {
    /// Two sessions that have not said anything yet.
    pub fn new(
        client: client::Config,
        server: server::Config,
        link: LinkConfig,
        seed: u64,
    ) -> Self {
        let now = Instant::ZERO;
        let mut pair = Self {
            now,
            client: ClientSession::new(client, now),
            server: ServerSession::new(server, now),
            up: Link::new(link, seed),
            down: Link::new(link, seed ^ 0x5EED),
            client_events: Vec::new(),
            server_events: Vec::new(),
        };
        pair.pump();
        pair
    }

    /// Drains both sessions' outputs into the links and the lists of events.
    pub fn pump(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    self.up.send(self.now, &transmit.head);
                    self.up.send(self.now, &transmit.body);
                }
                Output::Event(event) => self.client_events.push(event),
            }
        }
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    self.down.send(self.now, &transmit.head);
                    self.down.send(self.now, &transmit.body);
                }
                Output::Event(event) => self.server_events.push(event),
            }
        }
    }

    /// Hands over whatever has arrived, and calls whatever timers are due, at the present instant.
    pub fn deliver(&mut self) {
        loop {
            self.pump();
            if let Some(bytes) = self.up.receive(self.now) {
                self.server.handle_input(self.now, &bytes);
            } else if let Some(bytes) = self.down.receive(self.now) {
                self.client.handle_input(self.now, &bytes);
            } else if self.client.poll_timeout().is_some_and(|at| at <= self.now) {
                self.client.handle_timeout(self.now);
            } else if self.server.poll_timeout().is_some_and(|at| at <= self.now) {
                self.server.handle_timeout(self.now);
            } else {
                return;
            }
        }
    }

    /// Lets time pass until nothing is on the way. Timers that are due before that are called.
    pub fn settle(&mut self) {
        self.deliver();
        while let Some(at) = [self.up.poll_arrival(), self.down.poll_arrival()]
            .into_iter()
            .flatten()
            .min()
        {
            self.advance_to(at);
        }
    }

    /// Lets this much time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.advance_to(self.now + time);
    }

    /// Lets time pass until `end`.
    pub fn advance_to(&mut self, end: Instant) {
        self.deliver();
        loop {
            let wakeups = [
                self.up.poll_arrival(),
                self.down.poll_arrival(),
                self.client.poll_timeout(),
                self.server.poll_timeout(),
            ];
            match wakeups.into_iter().flatten().min() {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => break,
            }
            self.deliver();
        }
        self.now = self.now.max(end);
    }

    /// The client's events so far.
    pub fn take_client_events(&mut self) -> Vec<client::Event> {
        std::mem::take(&mut self.client_events)
    }

    /// The server's events so far.
    pub fn take_server_events(&mut self) -> Vec<server::Event> {
        std::mem::take(&mut self.server_events)
    }
}
