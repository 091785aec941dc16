use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;

use super::stream::{Activity, Held, Stream};
use super::{Event, Phase, Purpose, ServerSession};
use crate::Instant;
use crate::amf0::{Object, Value};
use crate::message::Command;
use crate::session::arguments::Arguments;
use crate::session::{Reply, Status, StreamKey, code};

impl ServerSession {
    /// Obeys, answers or hands on a command of the client's.
    pub(super) fn command(&mut self, now: Instant, id: u32, command: Command) {
        let Command {
            ref name,
            transaction_id,
            ref values,
            ..
        } = command;
        let arguments = Arguments(values);
        match (&self.phase, name.as_str()) {
            (_, "_result" | "_error") => {
                self.answered(now, name == "_result", transaction_id, values)
            }
            (Phase::Waiting, "connect") => self.connect_requested(transaction_id, values),
            (Phase::Connected, "connect") => self.refuse(id, transaction_id, "already connected"),
            (Phase::Connected, _) => self.connected_command(now, id, &command, arguments),
            _ => self.refuse(id, transaction_id, &format!("{name} before connect")),
        }
    }

    fn connected_command(
        &mut self,
        now: Instant,
        id: u32,
        command: &Command,
        arguments: Arguments<'_>,
    ) {
        let transaction_id = command.transaction_id;
        match command.name.as_str() {
            "createStream" => self.create_stream(transaction_id),
            "deleteStream" => {
                let id = arguments.number(0).map_or(id, |number| number as u32);
                self.stop(id);
                self.streams.remove(&id);
            }
            "closeStream" => self.stop(id),
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
            "getStreamLength" => self.answer(transaction_id, 0.0.into()),
            "_checkbw" => self.check_bandwidth(now, transaction_id, false),
            "checkBandwidth" => self.check_bandwidth(now, transaction_id, true),
            "publish" => self.publish(id, arguments),
            "play" => self.play(id, arguments),
            "play2" => self.play2(id, arguments),
            "pause" | "pauseRaw" | "seek" => self.playing_command(id, command, arguments),
            "receiveAudio" | "receiveVideo" => self.receive(id, &command.name, arguments),
            "onStatus" | "close" => self.transport.ignore(),
            _ => self.called(id, command),
        }
    }

    fn create_stream(&mut self, transaction_id: f64) {
        let limit = self.config.limits.streams;
        if self.streams.len() >= limit {
            return self.refuse(
                0,
                transaction_id,
                &format!("{limit} streams are the limit of a connection"),
            );
        }
        let id = self.next_stream;
        // After 2^32 streams one connection has had enough.
        let Some(next) = id.checked_add(1) else {
            return self.refuse(0, transaction_id, "no stream ids left");
        };
        self.next_stream = next;
        self.streams.insert(id, Stream::default());
        self.answer(transaction_id, id.into());
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
            return self.stop(id);
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
                transition: false,
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

    /// play2: a play whose arguments are the properties of an object (§7.2.2.2, NetStreamPlayOptions).
    fn play2(&mut self, id: u32, arguments: Arguments<'_>) {
        let options = arguments.value(0).cloned().map(Value::into_amf0);
        let property = |name| {
            options
                .as_ref()
                .and_then(Value::as_object)
                .and_then(|options| options.get(name))
                .cloned()
        };
        let transition = property("transition");
        let transition = transition
            .as_ref()
            .and_then(Value::as_str)
            .unwrap_or("reset");
        if transition == "stop" {
            return self.stop(id);
        }
        let values = [
            Value::Null,
            Value::Null,
            property("start").unwrap_or(Value::Null),
            property("len").unwrap_or(Value::Null),
        ];
        let Some(name) = property("streamName")
            .as_ref()
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty())
            .map(String::from)
        else {
            return self.on_status(
                id,
                &Status::error(code::PLAY_FAILED, "play2 needs a streamName"),
            );
        };
        let reset = transition == "reset";
        let (start, duration) = (
            Arguments(&values).play_start(1),
            Arguments(&values).duration(2),
        );
        let switches = matches!(transition, "switch" | "swap");
        if self.begin(
            id,
            Activity::PlayRequested {
                name: name.clone(),
                reset,
                transition: switches,
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

    /// Puts a stream to a new use, which ends its old one; says so if there is no such stream.
    fn begin(&mut self, id: u32, activity: Activity) -> bool {
        self.stop(id);
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
            .send_command(0, confirmation, 0.0, vec![Value::Null, status.into()]);
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
            self.stop(id);
        }
    }

    /// A method of the owner's.
    fn called(&mut self, id: u32, command: &Command) {
        let stream = self.streams.contains_key(&id).then_some(StreamKey(id));
        let transaction_id = command.transaction_id;
        self.transport.event(Event::Call {
            stream,
            name: command.name.clone(),
            arguments: command.values.iter().skip(1).cloned().collect(),
            reply: (transaction_id != 0.0).then_some(Reply {
                transaction_id,
                message_stream_id: id,
            }),
        });
    }

    /// The answer to a call of this side's.
    fn answered(&mut self, now: Instant, is_result: bool, transaction_id: f64, values: &[Value]) {
        let value = Arguments(values).value(0).cloned().unwrap_or(Value::Null);
        match self.calls.finish(transaction_id) {
            Some(Purpose::Call(id)) => {
                let result = if is_result { Ok(value) } else { Err(value) };
                self.transport.event(Event::CallResult { id, result });
            }
            Some(Purpose::Bandwidth(step)) => self.bandwidth_answered(now, step),
            None => self.transport.ignore(),
        }
    }

    /// `_result`, where an answer is wanted.
    pub(super) fn answer(&mut self, transaction_id: f64, value: Value) {
        if transaction_id != 0.0 {
            self.transport
                .send_command(0, "_result", transaction_id, vec![Value::Null, value]);
        }
    }

    /// `_error`, where an answer is wanted.
    pub(super) fn refuse(&mut self, id: u32, transaction_id: f64, why: &str) {
        if transaction_id == 0.0 {
            return self.transport.ignore();
        }
        let status: Object = Status::error(code::CALL_FAILED, why).to_object();
        self.transport.send_command(
            id,
            "_error",
            transaction_id,
            vec![Value::Null, status.into()],
        );
    }
}
