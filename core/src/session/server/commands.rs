use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use super::stream::{Activity, Held, Stream};
use super::{Event, Phase, Purpose, ServerSession};
use crate::Instant;
use crate::amf0::{Object, Value};
use crate::message::Command;
use crate::session::arguments::Arguments;
use crate::session::{PeerError, PlayOptions, Status, StreamKey, Transition, code};

impl ServerSession {
    /// Obeys, answers or hands on a command of the client's.
    pub(super) fn command(
        &mut self,
        now: Instant,
        id: u32,
        command: &Command,
    ) -> Result<(), PeerError> {
        let Command {
            name,
            transaction_id,
            values,
            ..
        } = command;
        let transaction_id = *transaction_id;
        match (&self.phase, name.as_str()) {
            (_, "_result" | "_error") => {
                self.answered(now, name == "_result", transaction_id, values)
            }
            (Phase::Waiting, "connect") => self.connect_requested(transaction_id, values),
            (Phase::Connected, "connect") => self.refuse(id, transaction_id, "already connected"),
            (Phase::Connected, _) => return self.connected_command(now, id, command),
            _ => self.refuse(id, transaction_id, &format!("{name} before connect")),
        }
        Ok(())
    }

    fn connected_command(
        &mut self,
        now: Instant,
        id: u32,
        command: &Command,
    ) -> Result<(), PeerError> {
        let arguments = Arguments(&command.values);
        let transaction_id = command.transaction_id;
        match command.name.as_str() {
            "createStream" => return self.create_stream(transaction_id),
            "deleteStream" => {
                let id = arguments.number(0).map_or(id, |number| number as u32);
                self.stop(id);
                self.streams.remove(&id);
            }
            "closeStream" => self.end_use(id),
            "releaseStream" => self.answer(transaction_id, Value::Undefined),
            "FCPublish" => self.fc(
                transaction_id,
                arguments,
                "onFCPublish",
                code::PUBLISH_START,
            ),
            "FCUnpublish" => {
                self.fc(
                    transaction_id,
                    arguments,
                    "onFCUnpublish",
                    code::UNPUBLISH_SUCCESS,
                );
                self.unpublish(arguments.name(0));
            }
            "FCSubscribe" => self.fc(transaction_id, arguments, "onFCSubscribe", code::PLAY_START),
            "FCUnsubscribe" => self.fc(
                transaction_id,
                arguments,
                "onFCUnsubscribe",
                code::PLAY_STOP,
            ),
            "getStreamLength" => return self.stream_length(transaction_id, arguments),
            "_checkbw" => self.check_bandwidth(now, transaction_id, false),
            "checkBandwidth" => self.check_bandwidth(now, transaction_id, true),
            "publish" => self.publish(id, arguments),
            "play" => self.play(id, arguments),
            "play2" => self.play2(id, arguments),
            "pause" | "pauseRaw" | "seek" => self.playing_command(id, command, arguments),
            "receiveAudio" | "receiveVideo" => self.receive(id, &command.name, arguments),
            "onStatus" | "close" => self.transport.ignore(),
            _ => return self.called(id, command),
        }
        Ok(())
    }

    fn create_stream(&mut self, transaction_id: f64) -> Result<(), PeerError> {
        let limit = self.config.limits.streams;
        if self.streams.len() >= limit {
            let error = PeerError::TooManyStreams { limit };
            self.refuse(0, transaction_id, &error.to_string());
            return Err(error);
        }
        let id = self.next_stream;
        // After 2^32 streams one connection has had enough.
        let Some(next) = id.checked_add(1) else {
            self.refuse(0, transaction_id, "no stream ids left");
            return Ok(());
        };
        self.next_stream = next;
        self.streams.insert(id, Stream::default());
        self.answer(transaction_id, id.into());
        Ok(())
    }

    /// How long a recording is, which only the owner knows.
    fn stream_length(
        &mut self,
        transaction_id: f64,
        arguments: Arguments<'_>,
    ) -> Result<(), PeerError> {
        let Some(name) = arguments.name(0) else {
            self.refuse(0, transaction_id, "the name of a stream is missing");
            return Ok(());
        };
        match self.calls.reply(transaction_id, 0)? {
            Some(reply) => self.transport.event(Event::StreamLength {
                name: name.to_string(),
                reply,
            }),
            None => self.transport.ignore(),
        }
        Ok(())
    }

    fn publish(&mut self, id: u32, arguments: Arguments<'_>) {
        let Some(name) = arguments.name(0) else {
            return self.on_status(
                id,
                &Status::error(code::PUBLISH_BAD_NAME, "publish needs the name of a stream"),
            );
        };
        let activity = Activity::PublishRequested {
            name: name.to_string(),
            held: Held::default(),
        };
        if !self.begin(id, activity) {
            return;
        }
        let kind = arguments.publish_kind(1);
        self.transport.event(Event::Publish {
            stream: StreamKey(id),
            name: name.to_string(),
            kind,
        });
    }

    fn play(&mut self, id: u32, arguments: Arguments<'_>) {
        if arguments.value(0).and_then(Value::as_bool) == Some(false) {
            // Flash's play(false) stops.
            return self.stop_playing(id);
        }
        let Some(name) = arguments.name(0) else {
            return self.on_status(
                id,
                &Status::error(code::PLAY_FAILED, "play needs the name of a stream"),
            );
        };
        let reset = arguments.flag(3).unwrap_or(true);
        let (start, duration) = (arguments.play_start(1), arguments.duration(2));
        let name = name.to_string();
        if self.begin(
            id,
            Activity::PlayRequested {
                name: name.clone(),
                reset,
                transition: Transition::default(),
            },
        ) {
            self.transport.event(Event::Play {
                stream: StreamKey(id),
                name,
                start,
                duration,
                reset,
            });
        }
    }

    /// play2: a play whose arguments are the properties of an object (§7.2.2.2).
    fn play2(&mut self, id: u32, arguments: Arguments<'_>) {
        let options = PlayOptions::from_value(arguments.value(0).cloned().unwrap_or(Value::Null));
        if options.transition == Transition::Stop {
            return self.stop_playing(id);
        }
        if options.stream_name.is_empty() {
            return self.on_status(
                id,
                &Status::error(code::PLAY_FAILED, "play2 needs a streamName"),
            );
        }
        let activity = Activity::PlayRequested {
            name: options.stream_name.clone(),
            reset: options.transition == Transition::Reset,
            transition: options.transition,
        };
        if self.begin(id, activity) {
            self.transport.event(Event::Play2 {
                stream: StreamKey(id),
                options,
            });
        }
    }

    /// Ends a play because the client said so.
    fn stop_playing(&mut self, id: u32) {
        let playing = self
            .streams
            .get(&id)
            .is_some_and(|stream| matches!(stream.activity, Activity::Playing));
        self.stop(id);
        if playing {
            self.on_status(id, &Status::ok(code::PLAY_STOP, "Stopped playing."));
        }
    }

    /// Puts a stream to a new use, which ends its old one; says so if there is no such stream.
    fn begin(&mut self, id: u32, activity: Activity) -> bool {
        self.end_use(id);
        let Some(stream) = self.streams.get_mut(&id) else {
            self.on_status(
                id,
                &Status::error(
                    code::STREAM_FAILED,
                    format!("no stream {id}: createStream first"),
                ),
            );
            return false;
        };
        stream.activity = activity;
        true
    }

    /// pause and seek, for which something must be playing.
    fn playing_command(&mut self, id: u32, command: &Command, arguments: Arguments<'_>) {
        let stream = StreamKey(id);
        let playing = self
            .streams
            .get(&id)
            .is_some_and(|stream| matches!(stream.activity, Activity::Playing));
        let event = match command.name.as_str() {
            _ if !playing => Err((code::STREAM_FAILED, "nothing is playing")),
            "seek" => match arguments.timestamp(0) {
                Some(position) => Ok(Event::Seek { stream, position }),
                None => Err((code::SEEK_FAILED, "seek needs milliseconds")),
            },
            _ => {
                let position = arguments.timestamp(1).unwrap_or_default();
                match arguments.flag(0) {
                    Some(paused) => Ok(Event::Pause {
                        stream,
                        paused,
                        position,
                    }),
                    None => Err((code::STREAM_FAILED, "pause needs true or false")),
                }
            }
        };
        match event {
            Ok(event) => self.transport.event(event),
            Err((code, why)) => self.on_status(id, &Status::error(code, why)),
        }
    }

    fn receive(&mut self, id: u32, name: &str, arguments: Arguments<'_>) {
        let stream = StreamKey(id);
        let (Some(on), true) = (arguments.flag(0), self.streams.contains_key(&id)) else {
            return self.transport.ignore();
        };
        self.transport.event(match name {
            "receiveAudio" => Event::ReceiveAudio { stream, on },
            _ => Event::ReceiveVideo { stream, on },
        });
    }

    /// The Flash Media Live Encoder's commands, which name a stream outside of any NetStream, and the call that confirms each.
    fn fc(
        &mut self,
        transaction_id: f64,
        arguments: Arguments<'_>,
        confirmation: &str,
        code: &'static str,
    ) {
        let Some(name) = arguments.name(0) else {
            return self.refuse(0, transaction_id, "the name of a stream is missing");
        };
        self.answer(transaction_id, Value::Undefined);
        let status = Status::ok(code, name).to_object();
        self.transport
            .send_call(0, confirmation, 0.0, vec![status.into()]);
    }

    /// Ends what is published under `name`.
    fn unpublish(&mut self, name: Option<&str>) {
        let published = self
            .streams
            .iter()
            .find_map(|(id, stream)| match &stream.activity {
                Activity::Publishing { name: own }
                | Activity::PublishRequested { name: own, .. } => {
                    (Some(own.as_str()) == name).then_some(*id)
                }
                _ => None,
            });
        if let Some(id) = published {
            self.end_use(id);
        }
    }

    /// A method of the owner's.
    fn called(&mut self, id: u32, command: &Command) -> Result<(), PeerError> {
        let reply = self.calls.reply(command.transaction_id, id)?;
        self.transport.event(Event::Call {
            stream: self.streams.contains_key(&id).then_some(StreamKey(id)),
            name: command.name.clone(),
            arguments: command.values.iter().skip(1).cloned().collect(),
            reply,
        });
        Ok(())
    }

    /// The answer to a call of this side's.
    fn answered(&mut self, now: Instant, is_result: bool, transaction_id: f64, values: &[Value]) {
        let value = Arguments(values).value(0).cloned().unwrap_or(Value::Null);
        match self.calls.finish(transaction_id) {
            Some((id, Some(Purpose::Call))) => {
                let result = if is_result { Ok(value) } else { Err(value) };
                self.transport.event(Event::CallResult { id, result });
            }
            Some((_, Some(Purpose::Bandwidth(step)))) => self.bandwidth_answered(now, step),
            _ => self.transport.ignore(),
        }
    }

    /// `_result`, where an answer is wanted.
    pub(super) fn answer(&mut self, transaction_id: f64, value: Value) {
        if transaction_id != 0.0 {
            self.transport
                .send_call(0, "_result", transaction_id, vec![value]);
        }
    }

    /// `_error`, where an answer is wanted.
    pub(super) fn refuse(&mut self, id: u32, transaction_id: f64, why: &str) {
        if transaction_id == 0.0 {
            return self.transport.ignore();
        }
        let status: Object = Status::error(code::CALL_FAILED, why).to_object();
        self.transport
            .send_call(id, "_error", transaction_id, vec![status.into()]);
    }
}
