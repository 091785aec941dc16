//! One RTMP connection: a task around a `ServerSession`.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chalkcast_core::session::server::{self, ConnectRequest, Event, ServerSession};
use chalkcast_core::session::{CloseReason, Output, PlayStart, Status, StreamKey, code};
use chalkcast_core::{Instant, amf0};
use tokio::sync::mpsc;
use tokio::time::Sleep;
use tracing::{debug, info, warn};

use crate::gateway::{Command, Connections, Gateway, Place, seed};
use crate::publication::{Publication, TAKEN_OVER};
use crate::publishers::Newcomer;
use crate::relay::{Ask, InFlight, Key, WINDOW};
use crate::transport::{Outbox, Transport};
use crate::view::View;

/// How long a connection that ends may take to write what it has left to say.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves one RTMP connection to its end. `app` is what the path of a WebSocket says.
pub(crate) async fn serve(gateway: Arc<Gateway>, transport: Transport, app: Option<String>) {
    let place = Connections::enter(&gateway);
    let mut connection = Connection::new(gateway, place, transport, app);
    debug!("{connection} opened");
    let end = std::future::poll_fn(|cx| connection.poll(cx)).await;
    connection.finish(end).await;
}

struct Connection {
    gateway: Arc<Gateway>,
    place: Place,
    transport: Transport,
    outbox: Outbox,
    session: ServerSession,
    /// From the path, until connect; then the one that counts.
    app: Option<String>,
    /// It has asked for an app: it is no scanner, and no health check.
    is_client: bool,
    publications: Vec<Publication>,
    views: Vec<View>,
    in_flight: InFlight,
    /// Who is to know when something comes from the client.
    proofs: Vec<mpsc::UnboundedSender<()>>,
    timer: Pin<Box<Sleep>>,
    timer_at: Option<Instant>,
    closed: Option<CloseReason>,
    label: String,
}

/// Why a connection has ended.
enum End {
    Session(CloseReason),
    Peer,
    Broken(io::Error),
}

impl Connection {
    fn new(gateway: Arc<Gateway>, place: Place, transport: Transport, app: Option<String>) -> Self {
        let mut config = server::Config::new(seed());
        config.chunk_size = gateway.config.relay.chunk_size;
        let session = ServerSession::new(config, gateway.clock.now());
        let peer = transport
            .peer()
            .map_or_else(|| "?".to_owned(), |peer| peer.to_string());
        let label = format!("#{} {} {peer}", place.id, transport.kind());
        Self {
            gateway,
            place,
            transport,
            outbox: Outbox::default(),
            session,
            app: app.filter(|app| !app.is_empty()),
            is_client: false,
            publications: Vec::new(),
            views: Vec::new(),
            in_flight: InFlight::default(),
            proofs: Vec::new(),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            timer_at: None,
            closed: None,
            label,
        }
    }

    /// Runs until the connection has ended. Everything that can happen wakes the same task.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.take_back();
        loop {
            let now = self.gateway.clock.now();
            self.drain(now);
            let written = match self.transport.poll_write(cx, &mut self.outbox) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(error)) => return Poll::Ready(End::Broken(error)),
                Poll::Pending => false,
            };
            if let Some(reason) = self.closed.take() {
                return Poll::Ready(End::Session(reason));
            }
            let mut progress = written && self.pull(now, cx);

            let session = &mut self.session;
            match self
                .transport
                .poll_read(cx, |bytes| session.handle_input(now, bytes))
            {
                Poll::Ready(Ok(0)) => {
                    self.session.handle_eof(now);
                    self.drain(now);
                    return Poll::Ready(self.closed.take().map_or(End::Peer, End::Session));
                }
                Poll::Ready(Ok(_)) => {
                    progress = true;
                    for proof in self.proofs.drain(..) {
                        let _ = proof.send(());
                    }
                    if self.views.is_empty() {
                        self.transport.socket().acknowledge_at_once();
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(End::Broken(error)),
                Poll::Pending => {}
            }
            while let Poll::Ready(Some(command)) = self.place.commands.poll_recv(cx) {
                self.obey(now, command);
                progress = true;
            }
            progress |= self.poll_revoked(now, cx);
            progress |= self.poll_timer(now, cx);
            if !progress {
                self.entrust(now, cx);
                return Poll::Pending;
            }
        }
    }

    /// While there is nothing else to do for it, the relay writes to a viewer by itself.
    fn entrust(&mut self, now: Instant, cx: &mut Context<'_>) {
        let [view] = &mut self.views[..] else { return };
        if !self.outbox.is_empty() || self.in_flight.is_concerned() {
            return;
        }
        if let Some(lane) = self.transport.lane()
            && view.entrust(now, cx.waker(), lane)
        {
            self.outbox.rest();
        }
    }

    fn take_back(&mut self) {
        for view in &mut self.views {
            if let Some(back) = view.viewer.take_back() {
                self.session.sent_shared(back.sent);
                if !back.rest.is_empty() {
                    self.transport.resume(&back.rest, &mut self.outbox);
                }
            }
        }
    }

    /// Takes from the relay what is due for this connection's viewers. True if there is something to write.
    fn pull(&mut self, now: Instant, cx: &mut Context<'_>) -> bool {
        let lags = self.views.iter().any(|view| view.viewer.lags());
        if let Some(ask) = self.in_flight.look(now, lags) {
            self.session.announce_window(match ask {
                Ask::Often => WINDOW,
                Ask::Seldom => server::Config::new(0).window,
            });
        }
        let stats = self.session.stats();
        if self
            .in_flight
            .admits(now, stats.bytes_sent, stats.bytes_acknowledged)
        {
            for view in &mut self.views {
                view.pull(now, cx.waker(), &mut self.session);
            }
        }
        if let Some(limit) = self.views.iter().map(View::unsent_limit).max() {
            self.transport.socket().limit_unsent(limit);
        }
        self.drain(now);
        !self.outbox.is_empty()
    }

    /// Does what the session wants done.
    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Transmit(transmit) => self.outbox.push(&transmit.head, &transmit.body),
                Output::Event(event) => self.handle(now, event),
            }
        }
    }

    fn handle(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connect(request) => self.connect(now, request),
            Event::Publish { stream, name, .. } => self.publish(now, stream, name, false),
            Event::Play {
                stream,
                name,
                start,
                ..
            } => self.play(now, stream, &name, start),
            Event::Play2 { stream, options } => {
                self.play(now, stream, &options.stream_name, options.start);
            }
            Event::StreamLength { reply, .. } => {
                // All that is played here is live.
                let _ = self.session.reply(now, reply, Ok(0.0.into()));
            }
            Event::Tag { stream, tag } => {
                if let Some(publication) = self
                    .publications
                    .iter_mut()
                    .find(|publication| publication.stream == stream)
                {
                    publication.append(now, &tag);
                }
            }
            Event::SetBufferLength { stream, length } => {
                self.view(stream, |view, _| view.viewer.set_buffer_length(length));
            }
            Event::ReceiveAudio { stream, on } => {
                self.view(stream, |view, _| view.viewer.receive_audio(on))
            }
            Event::ReceiveVideo { stream, on } => {
                self.view(stream, |view, _| view.viewer.receive_video(on))
            }
            Event::Pause { stream, paused, .. } => self.view(stream, |view, session| {
                view.viewer.pause(paused);
                let code = if paused {
                    code::PAUSE_NOTIFY
                } else {
                    code::UNPAUSE_NOTIFY
                };
                let _ = session.send_status(
                    now,
                    stream,
                    Status::ok(code, view.viewer.key().to_string()),
                );
            }),
            Event::Seek { stream, .. } => self.view(stream, |view, session| {
                let status = Status::error(
                    code::SEEK_FAILED,
                    format!("{} is live: there is nothing to seek in", view.viewer.key()),
                );
                let _ = session.send_status(now, stream, status);
            }),
            Event::StreamClosed { stream } => self.close_stream(now, stream),
            Event::Call {
                name,
                reply: Some(reply),
                ..
            } => {
                let description = format!("the method {name} is not known here");
                let status = amf0::Object::from_iter([
                    ("level".to_owned(), amf0::Value::from("error")),
                    ("code".to_owned(), amf0::Value::from(code::CALL_FAILED)),
                    (
                        "description".to_owned(),
                        amf0::Value::from(description.as_str()),
                    ),
                ]);
                let _ = self.session.reply(now, reply, Err(status.into()));
            }
            Event::Closed { reason } => self.closed = Some(reason),
            _ => {}
        }
    }

    fn connect(&mut self, now: Instant, request: ConnectRequest) {
        let named = request
            .app
            .split('?')
            .next()
            .unwrap_or_default()
            .trim_matches('/')
            .to_owned();
        let app = self.app.take().unwrap_or(named);
        self.is_client = true;
        if self.gateway.config.allows(&app) {
            info!("{self} connected to {app}");
            let _ = self.session.accept_connect(now);
            self.app = Some(app);
            return;
        }
        let apps = &self.gateway.config.apps;
        let served = if apps.is_empty() {
            "any name, at the end of the address".to_owned()
        } else {
            apps.join(", ")
        };
        warn!("{self} turned away: it asked for the app `{app}`; served: {served}");
        let description = format!("the app `{app}` is not served here; served: {served}");
        let _ = self
            .session
            .reject_connect(now, Status::error(code::CONNECT_REJECTED, description));
    }

    fn publish(&mut self, now: Instant, stream: StreamKey, name: String, takes_over: bool) {
        let key = self.key(&name);
        let newcomer = Newcomer {
            stream,
            name: name.clone(),
            sender: self.place.sender.clone(),
        };
        match Publication::open(&self.gateway, now, key, newcomer, takes_over) {
            Ok(publication) => {
                self.publications.push(publication);
                self.accept_publish(now, stream);
            }
            Err(status) => self.refuse_publish(now, stream, &name, status),
        }
    }

    /// Lets the client send, if the publication is ready for it.
    fn accept_publish(&mut self, now: Instant, stream: StreamKey) {
        let Some(publication) = self
            .publications
            .iter()
            .find(|publication| publication.stream == stream)
        else {
            return;
        };
        if publication.is_open() {
            info!("{self} publishes {}", publication.key);
            let _ = self.session.accept_publish(now, stream);
        }
    }

    fn refuse_publish(&mut self, now: Instant, stream: StreamKey, name: &str, status: Status) {
        warn!(
            "{self} may not publish {}: {} ({})",
            self.key(name),
            status.code,
            status.description
        );
        self.publications
            .retain(|publication| publication.stream != stream);
        let _ = self.session.reject_publish(now, stream, status);
    }

    fn play(&mut self, now: Instant, stream: StreamKey, name: &str, start: PlayStart) {
        let key = self.key(name);
        self.views.retain(|view| view.stream != stream);
        info!("{self} plays {key}");
        let view = View::open(
            &self.gateway,
            now,
            stream,
            key,
            name,
            start,
            &mut self.session,
        );
        self.views.push(view);
    }

    fn close_stream(&mut self, now: Instant, stream: StreamKey) {
        if let Some(at) = self
            .publications
            .iter()
            .position(|publication| publication.stream == stream)
        {
            let publication = self.publications.swap_remove(at);
            info!("{self} no longer publishes {}", publication.key);
            publication.finish(now);
        }
        if let Some(at) = self.views.iter().position(|view| view.stream == stream) {
            let view = self.views.swap_remove(at);
            info!(
                "{self} no longer plays {}{}",
                view.viewer.key(),
                view.summary()
            );
        }
    }

    fn obey(&mut self, now: Instant, command: Command) {
        match command {
            Command::Shutdown => {
                let status = Status::ok(code::CONNECT_APP_SHUTDOWN, "the gateway is being stopped");
                self.session.close(now, Some(status));
            }
            Command::PublishAnswered { stream, answer } => {
                let Some(publication) = self
                    .publications
                    .iter_mut()
                    .find(|publication| publication.stream == stream)
                else {
                    return;
                };
                let name = publication.key.name.clone();
                match answer.and_then(|()| publication.begin(&self.gateway, now)) {
                    Ok(()) => self.accept_publish(now, stream),
                    Err(status) => self.refuse_publish(now, stream, &name, status),
                }
            }
            Command::ShowLife { proof } => {
                self.session.ping(now);
                self.proofs.push(proof);
            }
            Command::NameGivenUp {
                stream,
                name,
                takes_over,
            } => {
                let waits = |publication: &Publication| {
                    publication.stream == stream && !publication.is_open()
                };
                if let Some(at) = self.publications.iter().position(waits) {
                    self.publications.swap_remove(at);
                    self.publish(now, stream, name, takes_over);
                }
            }
            Command::PublishEnded { stream, status } => self.end_publication(now, stream, status),
            Command::Notice { key, status } => {
                for view in self
                    .views
                    .iter_mut()
                    .filter(|view| *view.viewer.key() == key)
                {
                    view.notify(now, &mut self.session, &status);
                }
            }
        }
    }

    /// Ends publications that somebody else has taken over.
    fn poll_revoked(&mut self, now: Instant, cx: &mut Context<'_>) -> bool {
        let revoked = |publication: &&Publication| publication.poll_revoked(cx).is_ready();
        let Some(stream) = self
            .publications
            .iter()
            .find(revoked)
            .map(|publication| publication.stream)
        else {
            return false;
        };
        let status = Status::error(code::PUBLISH_BAD_NAME, TAKEN_OVER);
        self.end_publication(now, stream, status);
        true
    }

    fn end_publication(&mut self, now: Instant, stream: StreamKey, status: Status) {
        let Some(at) = self
            .publications
            .iter()
            .position(|publication| publication.stream == stream)
        else {
            return;
        };
        let publication = self.publications.swap_remove(at);
        warn!(
            "{self} can no longer publish {}: {} ({})",
            publication.key, status.code, status.description
        );
        publication.finish(now);
        let _ = self.session.send_status(now, stream, status);
    }

    fn poll_timer(&mut self, now: Instant, cx: &mut Context<'_>) -> bool {
        let Some(at) = self.session.poll_timeout() else {
            return false;
        };
        if at <= now {
            self.session.handle_timeout(now);
            return true;
        }
        if self.timer_at != Some(at) {
            self.timer_at = Some(at);
            self.timer.as_mut().reset(self.gateway.clock.deadline(at));
        }
        self.timer.as_mut().poll(cx).is_ready()
    }

    fn view(&mut self, stream: StreamKey, change: impl FnOnce(&mut View, &mut ServerSession)) {
        if let Some(view) = self.views.iter_mut().find(|view| view.stream == stream) {
            change(view, &mut self.session);
        }
    }

    fn key(&self, name: &str) -> Key {
        Key::new(self.app.as_deref().unwrap_or_default(), name)
    }

    /// Gives up what it publishes and plays, says its last words, and logs why it ended.
    async fn finish(mut self, end: End) {
        let now = self.gateway.clock.now();
        let streams: Vec<_> = self
            .publications
            .iter()
            .map(|publication| publication.stream)
            .collect();
        let views: Vec<_> = self.views.iter().map(|view| view.stream).collect();
        streams
            .into_iter()
            .chain(views)
            .for_each(|stream| self.close_stream(now, stream));
        match &end {
            // Ports that the world can see are knocked at all day.
            End::Session(CloseReason::Peer(error)) if !self.is_client => {
                info!("{self} closed for what it sent: {error}");
            }
            _ if !self.is_client => debug!("{self} has gone before it asked for anything"),
            End::Session(CloseReason::Peer(error)) => {
                warn!("{self} closed for what it sent: {error}")
            }
            End::Session(reason) => info!("{self} closed: {reason}"),
            End::Broken(error) if error.kind() == io::ErrorKind::InvalidData => {
                warn!("{self} closed for what it sent: {error}");
            }
            End::Peer => info!("{self} has gone"),
            End::Broken(error) => info!("{self} has gone: {error}"),
        }
        if !matches!(end, End::Broken(_)) {
            let last_words = std::future::poll_fn(|cx| {
                std::task::ready!(self.transport.poll_write(cx, &mut self.outbox))?;
                self.transport.poll_close(cx)
            });
            let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
        }
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}
