use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::amf0::{Object, Value};
use crate::flv::Tag;
use crate::message::SharedObject;
use crate::session::{CallId, CloseReason, Reply, Status, StreamKey};

/// What happened on a client's connection.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// connect was accepted: its status, and the properties of the server (fmsVer, capabilities, …).
    Connected {
        /// `NetConnection.Connect.Success`.
        status: Status,
        /// The first object of the answer; [`Enhanced::from_object`](crate::session::Enhanced::from_object) reads it.
        properties: Object,
    },
    /// A status of a stream's, or of the connection's.
    Status {
        /// The stream it is about; `None` for the connection.
        stream: Option<StreamKey>,
        /// What the server says.
        status: Status,
    },
    /// The answer to a `call`: `Err` holds what came with `_error`.
    CallResult {
        /// Which call.
        id: CallId,
        /// The first value of the answer.
        result: Result<Value, Value>,
    },
    /// The server calls a method of the client's.
    Call {
        /// The stream it came on; `None` for the connection.
        stream: Option<StreamKey>,
        /// The method.
        name: String,
        /// Its arguments, without the command object.
        arguments: Vec<Value>,
        /// To answer with, if the server waits for it.
        reply: Option<Reply>,
    },
    /// publish was accepted: tags can be sent.
    PublishReady {
        /// Which stream.
        stream: StreamKey,
    },
    /// A tag of a stream being played.
    Tag {
        /// Which stream.
        stream: StreamKey,
        /// The tag; script data is without `@setDataFrame`.
        tag: Tag,
    },
    /// `@clearDataFrame`: the server forgets the data of this name, `onMetaData` say.
    ClearDataFrame {
        /// Of which stream.
        stream: StreamKey,
        /// The name of the data.
        name: String,
    },
    /// User control Stream Begin (§7.1.7): the stream has become functional.
    StreamBegin {
        /// Which stream.
        stream: StreamKey,
    },
    /// User control Stream EOF: playback is over.
    StreamEof {
        /// Which stream.
        stream: StreamKey,
    },
    /// User control StreamDry: no data for a while.
    StreamDry {
        /// Which stream.
        stream: StreamKey,
    },
    /// User control StreamIsRecorded: not live.
    StreamIsRecorded {
        /// Which stream.
        stream: StreamKey,
    },
    /// The server answered a PingRequest.
    RoundTrip(Duration),
    /// A shared object message, as it came.
    SharedObject(SharedObject),
    /// The session has ended; nothing follows.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}
