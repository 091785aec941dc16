use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use super::{ClientSession, Connect, Phase, Purpose};
use crate::Instant;
use crate::amf0::{Object, Value};
use crate::message::{Message, SharedObject};
use crate::session::{CallId, CloseReason, ObjectEncoding, Reply, StreamKey, Timeout, UsageError};

impl ClientSession {
    /// Asks to be let in, once the handshake is over. Answered by [`Event::Connected`](super::Event::Connected), or by an
    /// [`Event::Status`](super::Event::Status) and [`Event::Closed`](super::Event::Closed).
    pub fn connect(&mut self, now: Instant, connect: Connect) -> Result<(), UsageError> {
        self.open()?;
        match &mut self.phase {
            Phase::Handshake(waiting @ None) => *waiting = Some(Box::new(connect)),
            Phase::Ready => self.send_connect(now, connect),
            _ => return Err(UsageError::AlreadyConnected),
        }
        Ok(())
    }

    /// Calls a method of the server's. Answered by [`Event::CallResult`](super::Event::CallResult).
    pub fn call(
        &mut self,
        _now: Instant,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<CallId, UsageError> {
        self.connected()?;
        let id = self.calls.begin(Purpose::Call)?;
        self.transport
            .send_call(0, name, id.transaction_id(), arguments);
        Ok(id)
    }

    /// Answers an [`Event::Call`](super::Event::Call): `Ok` as `_result`, `Err` as `_error`.
    pub fn reply(
        &mut self,
        _now: Instant,
        reply: Reply,
        result: Result<Value, Value>,
    ) -> Result<(), UsageError> {
        self.connected()?;
        self.transport.reply(&reply, result);
        Ok(())
    }

    /// Sends a shared object message.
    pub fn send_shared_object(
        &mut self,
        _now: Instant,
        object: &SharedObject,
    ) -> Result<(), UsageError> {
        self.connected()?;
        self.transport
            .send(&Message::SharedObject(object.clone()).encode());
        Ok(())
    }

    /// Ends the session: every stream is given up, then comes [`Event::Closed`](super::Event::Closed).
    pub fn close(&mut self, now: Instant) {
        for key in self.streams.keys().collect::<Vec<_>>() {
            // It is there, and a stream that is there can be given up.
            let _ = self.delete_stream(now, StreamKey(key));
        }
        self.end(CloseReason::Local);
    }

    pub(super) fn handshake_done(&mut self, now: Instant) {
        self.transport.announce_chunk_size(self.config.chunk_size);
        if let Phase::Handshake(Some(connect)) = mem::replace(&mut self.phase, Phase::Ready) {
            self.send_connect(now, *connect);
        }
    }

    /// The server has let this client in: what waited for it is sent.
    pub(super) fn let_in(&mut self, now: Instant, object_encoding: ObjectEncoding) {
        self.phase = Phase::Connected;
        self.transport.connected(now);
        self.transport.set_object_encoding(object_encoding);
        self.transport.announce_window(self.config.window);
        for key in self.streams.keys().collect::<Vec<_>>() {
            self.send_create_stream(StreamKey(key));
        }
    }

    fn send_connect(&mut self, now: Instant, connect: Connect) {
        // It is the first call, for which there is always room, but for a limit of zero.
        let transaction_id = self
            .calls
            .begin(Purpose::Connect)
            .map_or(1.0, CallId::transaction_id);
        let Connect {
            app,
            tc_url,
            page_url,
            swf_url,
            flash_ver,
            object_encoding,
            arguments,
            extra,
            enhanced,
        } = connect;
        let encoding = match object_encoding {
            ObjectEncoding::Amf0 => 0.0,
            ObjectEncoding::Amf3 => 3.0,
        };
        let mut object = Object::new().with("app", app).with("flashVer", flash_ver);
        let mut optional = |name, text: Option<String>| {
            if let Some(text) = text {
                object.insert(name, text);
            }
        };
        optional("swfUrl", swf_url);
        optional("tcUrl", Some(tc_url));
        optional("pageUrl", page_url);
        let mut object = object
            .with("fpad", false)
            .with("capabilities", 239.0)
            .with("audioCodecs", 3575.0)
            .with("videoCodecs", 252.0)
            .with("videoFunction", 1.0)
            .with("objectEncoding", encoding);
        if let Some(enhanced) = enhanced {
            enhanced.write_to(&mut object);
        }
        for (name, value) in extra {
            object.insert(name, value);
        }
        let mut values = vec![Value::from(object)];
        values.extend(arguments);
        self.transport
            .send_command(0, "connect", transaction_id, values);
        self.transport.expect(now, Timeout::Connect);
        self.phase = Phase::Connecting;
    }
}
