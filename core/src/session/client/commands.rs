use super::{ClientSession, Event, Phase, Purpose};
use crate::Instant;
use crate::amf0::{Object, Value};
use crate::message::Command;
use crate::session::arguments::Arguments;
use crate::session::{CloseReason, ObjectEncoding, Reply, Status, StreamKey, code};

impl ClientSession {
    /// Takes in an answer or a call of the server's.
    pub(super) fn command(&mut self, now: Instant, id: u32, command: Command) {
        let Command {
            name,
            transaction_id,
            mut values,
            ..
        } = command;
        match name.as_str() {
            "_result" | "_error" => self.answered(now, name == "_result", transaction_id, values),
            "onStatus" => {
                let information = Arguments(&values).value(0).cloned().unwrap_or(Value::Null);
                self.status(id, Status::from_value(information));
            }
            "_onbwcheck" => self.send_call(0, "_result", transaction_id, alloc::vec![0.0.into()]),
            "_onbwdone" => {}
            _ => {
                let arguments = values.drain(1.min(values.len())..).collect();
                let reply = (transaction_id != 0.0).then_some(Reply {
                    transaction_id,
                    message_stream_id: id,
                });
                self.transport.event(Event::Call {
                    stream: self.key(id),
                    name,
                    arguments,
                    reply,
                });
            }
        }
    }

    fn answered(
        &mut self,
        now: Instant,
        is_result: bool,
        transaction_id: f64,
        mut values: alloc::vec::Vec<Value>,
    ) {
        let value = Arguments(&values).value(0).cloned().unwrap_or(Value::Null);
        match self.calls.finish(transaction_id) {
            Some(Purpose::Connect) => {
                let properties = if values.is_empty() {
                    Value::Null
                } else {
                    values.swap_remove(0)
                };
                // Some servers put what they have to say about a refusal into the first object.
                let information = if value.is_nothing() {
                    properties.clone()
                } else {
                    value
                };
                let status = Status::from_value(information);
                if is_result {
                    self.connect_accepted(now, status, properties);
                } else {
                    self.connect_rejected(status);
                }
            }
            Some(Purpose::CreateStream(key)) => {
                let id = value
                    .as_number()
                    .filter(|id| is_result && *id >= 1.0)
                    .map(|id| id as u32);
                match id {
                    Some(id) => self.stream_created(key, id),
                    None => self.stream_refused(key, value),
                }
            }
            Some(Purpose::Call(id)) => {
                let result = if is_result { Ok(value) } else { Err(value) };
                self.transport.event(Event::CallResult { id, result });
            }
            // The answers to releaseStream and its kind are among them.
            None => {}
        }
    }

    fn connect_accepted(&mut self, now: Instant, mut status: Status, properties: Value) {
        if !matches!(self.phase, Phase::Connecting) {
            return self.transport.ignore();
        }
        if status.code.is_empty() {
            status.code = code::CONNECT_SUCCESS.into();
        }
        let object_encoding = match status
            .extra
            .get("objectEncoding")
            .and_then(Value::as_number)
        {
            Some(3.0) => ObjectEncoding::Amf3,
            _ => ObjectEncoding::Amf0,
        };
        let properties = match properties.into_amf0() {
            Value::Object(properties)
            | Value::EcmaArray(properties)
            | Value::TypedObject {
                object: properties, ..
            } => properties,
            _ => Object::new(),
        };
        self.transport
            .event(Event::Connected { status, properties });
        self.let_in(now, object_encoding);
    }

    fn connect_rejected(&mut self, mut status: Status) {
        if status.code.is_empty() {
            status.code = code::CONNECT_REJECTED.into();
        }
        status.level = crate::session::Level::Error;
        self.transport.event(Event::Status {
            stream: None,
            status: status.clone(),
        });
        self.end(CloseReason::Rejected(status));
    }

    /// onStatus, of a stream or of the connection.
    fn status(&mut self, id: u32, status: Status) {
        let stream = self.key(id).or_else(|| self.only_stream(&status));
        if let Some(key) = stream {
            self.stream_status(key, &status);
        }
        let ready = stream.filter(|_| status.code == code::PUBLISH_START);
        self.transport.event(Event::Status { stream, status });
        if let Some(stream) = ready {
            self.transport.event(Event::PublishReady { stream });
        }
    }

    /// Some servers send a stream's status on message stream 0; with one stream there is no doubt which is meant.
    fn only_stream(&self, status: &Status) -> Option<StreamKey> {
        let mut keys = self.streams.keys();
        match (keys.next(), keys.next()) {
            (Some(key), None) if status.code.starts_with("NetStream.") => Some(StreamKey(*key)),
            _ => None,
        }
    }
}
