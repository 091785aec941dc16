use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::{ConnectRequest, Event, Phase, Purpose, ServerSession};
use crate::Instant;
use crate::amf0::{Object, Value};
use crate::message::{LimitType, Message, SharedObject};
use crate::session::{
    CallId, CloseReason, Enhanced, ObjectEncoding, Reply, Status, StreamKey, UsageError, code,
};

impl ServerSession {
    /// Lets the client in.
    pub fn accept_connect(&mut self, now: Instant) -> Result<(), UsageError> {
        let (transaction_id, encoding, early) = self.requested()?;
        self.phase = Phase::Connected;
        self.transport.connected(now);
        self.transport.announce_window(self.config.window);
        let bandwidth = Message::SetPeerBandwidth {
            window: self.config.peer_bandwidth,
            limit_type: LimitType::Dynamic,
        };
        self.transport.send(&bandwidth.encode());
        self.transport.announce_chunk_size(self.config.chunk_size);

        let mut properties = Object::new()
            .with("fmsVer", self.config.fms_version.as_str())
            .with("capabilities", 31.0)
            .with("mode", 1.0);
        self.config.enhanced.write_to(&mut properties);
        let number = match encoding {
            ObjectEncoding::Amf0 => 0.0,
            ObjectEncoding::Amf3 => 3.0,
        };
        let status = Status::ok(code::CONNECT_SUCCESS, "Connection succeeded.")
            .with("objectEncoding", number);
        // The answer is in AMF0 still: it tells the client the encoding.
        self.transport.send_command(
            0,
            "_result",
            transaction_id,
            vec![properties.into(), status.to_object().into()],
        );
        self.transport.set_object_encoding(encoding);
        if self.config.bandwidth_done {
            self.transport.send_call(0, "onBWDone", 0.0, Vec::new());
        }
        for raw in early {
            if let Err(error) = self.message(now, raw) {
                self.end(error.into());
            }
        }
        Ok(())
    }

    /// Turns the client away, as `_error` with this status (`NetConnection.Connect.Rejected`), and ends the session.
    pub fn reject_connect(&mut self, _now: Instant, status: Status) -> Result<(), UsageError> {
        let (transaction_id, ..) = self.requested()?;
        let why = vec![status.to_object().into()];
        self.transport.send_call(0, "_error", transaction_id, why);
        self.transport.send_call(0, "close", 0.0, Vec::new());
        self.end(CloseReason::Rejected(status));
        Ok(())
    }

    /// Calls a method of the client's NetConnection, or of a NetStream. Answered by [`Event::CallResult`].
    pub fn call(
        &mut self,
        _now: Instant,
        stream: Option<StreamKey>,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<CallId, UsageError> {
        self.open()?;
        if let Some(stream) = stream {
            self.activity(stream)?;
        }
        let id = self.calls.begin(Purpose::Call)?;
        let stream_id = stream.map_or(0, |stream| stream.0);
        self.transport
            .send_call(stream_id, name, id.transaction_id(), arguments);
        Ok(id)
    }

    /// Answers an [`Event::Call`] or an [`Event::StreamLength`]: `Ok` as `_result`, `Err` as `_error`.
    pub fn reply(
        &mut self,
        _now: Instant,
        reply: Reply,
        result: Result<Value, Value>,
    ) -> Result<(), UsageError> {
        self.open()?;
        self.transport.reply(&reply, result);
        Ok(())
    }

    /// Sends a shared object message.
    pub fn send_shared_object(
        &mut self,
        _now: Instant,
        object: &SharedObject,
    ) -> Result<(), UsageError> {
        self.open()?;
        self.transport
            .send(&Message::SharedObject(object.clone()).encode());
        Ok(())
    }

    /// Asks the client to connect again, to `tc_url` or where it is connected now (Enhanced RTMP v2).
    ///
    /// Fails with [`UsageError::Unsupported`] if the client did not say that it can.
    pub fn request_reconnect(
        &mut self,
        _now: Instant,
        tc_url: Option<&str>,
        description: &str,
    ) -> Result<(), UsageError> {
        self.open()?;
        if !self.can_reconnect {
            return Err(UsageError::Unsupported("ReconnectRequest"));
        }
        let mut status = Status::ok(code::CONNECT_RECONNECT_REQUEST, description);
        if let Some(tc_url) = tc_url {
            status = status.with("tcUrl", tc_url);
        }
        self.on_status(0, &status);
        Ok(())
    }

    /// Ends the session: a last status of the connection's, if there is one (`NetConnection.Connect.AppShutdown`), then [`Event::Closed`].
    pub fn close(&mut self, _now: Instant, status: Option<Status>) {
        if let (Ok(()), Some(status)) = (self.open(), status) {
            self.on_status(0, &status);
        }
        self.end(CloseReason::Local);
    }

    /// The client's connect, of which nothing is needed but that it came.
    pub(super) fn connect_requested(&mut self, transaction_id: f64, values: &[Value]) {
        let object = match values.first().cloned().map(Value::into_amf0) {
            Some(
                Value::Object(object)
                | Value::EcmaArray(object)
                | Value::TypedObject { object, .. },
            ) => object,
            _ => Object::new(),
        };
        let text = |name| object.get(name).and_then(Value::as_str).map(String::from);
        let object_encoding = match object.get("objectEncoding").and_then(Value::as_number) {
            Some(3.0) => ObjectEncoding::Amf3,
            _ => ObjectEncoding::Amf0,
        };
        let enhanced = Enhanced::from_object(&object);
        self.can_reconnect = enhanced.caps_ex & Enhanced::RECONNECT != 0;
        self.phase = Phase::Requested {
            transaction_id,
            object_encoding,
            early: super::Early::default(),
        };
        self.transport.expect_nothing();
        self.transport.event(Event::Connect(ConnectRequest {
            app: text("app")
                .unwrap_or_default()
                .trim_matches('/')
                .to_string(),
            tc_url: text("tcUrl").unwrap_or_default(),
            page_url: text("pageUrl"),
            swf_url: text("swfUrl"),
            flash_ver: text("flashVer"),
            object_encoding,
            enhanced,
            arguments: values.iter().skip(1).cloned().collect(),
            object,
        }));
    }

    /// What accept and reject need of the client's connect.
    fn requested(
        &mut self,
    ) -> Result<
        (
            f64,
            ObjectEncoding,
            alloc::collections::VecDeque<crate::message::Raw>,
        ),
        UsageError,
    > {
        if self.transport.is_closed() {
            return Err(UsageError::Closed);
        }
        match &mut self.phase {
            Phase::Waiting => Err(UsageError::NotConnected),
            Phase::Requested {
                transaction_id,
                object_encoding,
                early,
            } => Ok((*transaction_id, *object_encoding, early.take())),
            Phase::Connected => Err(UsageError::AlreadyConnected),
        }
    }
}
