use alloc::vec;
use alloc::vec::Vec;

use super::{ClientSession, Event, Purpose};
use crate::Instant;
use crate::amf0::{Object, Value};
use crate::message::Command;
use crate::session::arguments::Arguments;
use crate::session::{CloseReason, Level, ObjectEncoding, PeerError, Status, StreamKey, code};

impl ClientSession {
    /// Takes in an answer or a call of the server's.
    pub(super) fn command(
        &mut self,
        now: Instant,
        id: u32,
        command: Command,
    ) -> Result<(), PeerError> {
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
            "_onbwcheck" => {
                self.transport
                    .send_call(0, "_result", transaction_id, vec![0.0.into()]);
            }
            "_onbwdone" => {}
            "close" => self.end(CloseReason::Eof),
            _ => {
                let arguments = values.drain(1.min(values.len())..).collect();
                let reply = self.calls.reply(transaction_id, id)?;
                self.transport.event(Event::Call {
                    stream: self.key(id),
                    name,
                    arguments,
                    reply,
                });
            }
        }
        Ok(())
    }

    fn answered(
        &mut self,
        now: Instant,
        is_result: bool,
        transaction_id: f64,
        mut values: Vec<Value>,
    ) {
        let value = Arguments(&values).value(0).cloned().unwrap_or(Value::Null);
        let Some((id, purpose)) = self.calls.finish(transaction_id) else {
            return self.transport.ignore();
        };
        match purpose {
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
                // Some call a refusal a result.
                let is_refusal = status.level == Level::Error && !status.code.is_empty();
                if is_result && !is_refusal {
                    self.connect_accepted(now, status, properties);
                } else {
                    self.connect_rejected(status);
                }
            }
            Some(Purpose::CreateStream(key)) => {
                let id = value.as_number().filter(|_| is_result);
                // Some servers give the same id to all.
                let id = id
                    .map(|id| (id as u32, id))
                    .filter(|(id, number)| *id > 0 && f64::from(*id) == *number)
                    .filter(|(id, _)| self.key(*id).is_none());
                match id {
                    Some((id, _)) => self.stream_created(key, id),
                    None => self.stream_refused(key, value),
                }
            }
            Some(Purpose::Call) => {
                let result = if is_result { Ok(value) } else { Err(value) };
                self.transport.event(Event::CallResult { id, result });
            }
            // releaseStream and its kind.
            None => {}
        }
    }

    fn connect_accepted(&mut self, now: Instant, mut status: Status, properties: Value) {
        if status.code.is_empty() {
            status.code = code::CONNECT_SUCCESS.into();
            status.level = Level::Status;
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
        status.level = Level::Error;
        self.transport.event(Event::Status {
            stream: None,
            status: status.clone(),
        });
        self.end(CloseReason::Rejected(status));
    }

    /// onStatus, of a stream or of the connection.
    fn status(&mut self, id: u32, status: Status) {
        let is_of_stream = status.code.starts_with("NetStream.");
        let stream = match self.key(id) {
            None if id == 0 && is_of_stream => self.only_stream(),
            key => key,
        };
        let of_no_stream = is_of_stream && stream.is_none() && id != 0;
        if of_no_stream || (status.code.is_empty() && status.description.is_empty()) {
            return self.transport.ignore();
        }
        let ready = stream.filter(|key| self.stream_status(*key, &status));
        self.transport.event(Event::Status { stream, status });
        if let Some(stream) = ready {
            self.transport.event(Event::PublishReady { stream });
        }
    }

    /// Some servers send a stream's status on message stream 0; with one stream there is no doubt which is meant.
    fn only_stream(&self) -> Option<StreamKey> {
        let mut keys = self.streams.keys();
        match (keys.next(), keys.next()) {
            (Some(key), None) => Some(StreamKey(key)),
            _ => None,
        }
    }
}
