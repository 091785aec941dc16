use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::Timestamp;
use crate::amf0::{Object, Value};
use crate::flv::Tag;
use crate::message::SharedObject;
use crate::session::{
    CallId, CloseReason, Enhanced, ObjectEncoding, PlayOptions, PlayStart, PublishKind, Reply,
    StreamKey,
};

/// What happened on a server's connection.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The client wants in: answer with `accept_connect` or `reject_connect`.
    Connect(ConnectRequest),
    /// The client wants to publish: answer with `accept_publish` or `reject_publish`.
    Publish {
        /// On which stream.
        stream: StreamKey,
        /// Under which name, its query string included.
        name: String,
        /// What to do with it.
        kind: PublishKind,
    },
    /// The client wants to play: answer with `accept_play` or `reject_play`.
    Play {
        /// On which stream.
        stream: StreamKey,
        /// What, its query string included.
        name: String,
        /// From where.
        start: PlayStart,
        /// How much; `None` until the stream ends.
        duration: Option<Duration>,
        /// Whether what was playing on this stream stops.
        reset: bool,
    },
    /// The client wants to play, or to change from what it plays to something else (§7.2.2.2): answer as a [`Play`](Self::Play).
    /// A transition of [`Stop`](crate::session::Transition::Stop) is a [`StreamClosed`](Self::StreamClosed) instead.
    Play2 {
        /// On which stream.
        stream: StreamKey,
        /// What, from where and how.
        options: PlayOptions,
    },
    /// The client asks how long a recording is: answer with `reply`, in seconds; zero is what is live.
    StreamLength {
        /// Of which stream, its query string included.
        name: String,
        /// To answer with.
        reply: Reply,
    },
    /// A tag of a stream being published.
    Tag {
        /// Which stream.
        stream: StreamKey,
        /// The tag; script data is without `@setDataFrame`.
        tag: Tag,
    },
    /// `@clearDataFrame`: the client forgets the data of this name, `onMetaData` say.
    ClearDataFrame {
        /// Of which stream.
        stream: StreamKey,
        /// The name of the data.
        name: String,
    },
    /// The client's buffer, which is to be kept filled (§7.1.7).
    SetBufferLength {
        /// Of which stream.
        stream: StreamKey,
        /// How long it is.
        length: Duration,
    },
    /// The client pauses or resumes; `send_status` with `NetStream.Pause.Notify` or `NetStream.Unpause.Notify` answers.
    Pause {
        /// Which stream.
        stream: StreamKey,
        /// Whether it pauses.
        paused: bool,
        /// Where the client is.
        position: Timestamp,
    },
    /// The client seeks; `send_status` with `NetStream.Seek.Notify` or `.Failed` answers.
    Seek {
        /// Which stream.
        stream: StreamKey,
        /// To where.
        position: Timestamp,
    },
    /// The client wants audio, or no longer.
    ReceiveAudio {
        /// Of which stream.
        stream: StreamKey,
        /// Whether it wants it.
        on: bool,
    },
    /// The client wants video, or no longer.
    ReceiveVideo {
        /// Of which stream.
        stream: StreamKey,
        /// Whether it wants it.
        on: bool,
    },
    /// A stream that published or played, or asked to, no longer does: closeStream, deleteStream, another publish or play on it,
    /// FCUnpublish, or the end of the session.
    StreamClosed {
        /// Which stream.
        stream: StreamKey,
    },
    /// The client calls a method that the session does not answer itself.
    Call {
        /// The stream it came on; `None` for the connection.
        stream: Option<StreamKey>,
        /// The method.
        name: String,
        /// Its arguments, without the command object.
        arguments: Vec<Value>,
        /// To answer with, if the client waits for it.
        reply: Option<Reply>,
    },
    /// The answer to a `call`: `Err` holds what came with `_error`.
    CallResult {
        /// Which call.
        id: CallId,
        /// The first value of the answer.
        result: Result<Value, Value>,
    },
    /// The client answered a PingRequest.
    RoundTrip(Duration),
    /// A shared object message, as it came.
    SharedObject(SharedObject),
    /// The session has ended; nothing follows.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// What a client says in connect (§7.2.1.1).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ConnectRequest {
    /// The application, with its instance, without slashes at its ends.
    pub app: String,
    /// The whole URL, as the client has it.
    pub tc_url: String,
    /// The page the client is in.
    pub page_url: Option<String>,
    /// The program the client is.
    pub swf_url: Option<String>,
    /// The client's version.
    pub flash_ver: Option<String>,
    /// The AMF of its commands.
    pub object_encoding: ObjectEncoding,
    /// What it can do beyond RTMP 1.0.
    pub enhanced: Enhanced,
    /// The arguments after the command object.
    pub arguments: Vec<Value>,
    /// The whole command object.
    pub object: Object,
}
