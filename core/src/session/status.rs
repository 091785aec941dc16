use alloc::borrow::Cow;
use alloc::string::String;

use crate::amf0::{Object, Value};

/// The `level` of a status (§7.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Level {
    /// All is well.
    #[default]
    Status,
    /// Something to mention.
    Warning,
    /// What was asked for has failed.
    Error,
}

impl Level {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The information object of an onStatus, or of connect's `_result` and `_error` (§7.2.1.1, §7.2.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// How bad it is.
    pub level: Level,
    /// What it is: one of [`code`], or another server's own.
    pub code: Cow<'static, str>,
    /// The same for people.
    pub description: String,
    /// Every other property, in the order it had.
    pub extra: Object,
}

impl Status {
    /// A status with no other properties.
    pub fn new(
        level: Level,
        code: impl Into<Cow<'static, str>>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            level,
            code: code.into(),
            description: description.into(),
            extra: Object::default(),
        }
    }

    /// A status of level "status".
    pub fn ok(code: impl Into<Cow<'static, str>>, description: impl Into<String>) -> Self {
        Self::new(Level::Status, code, description)
    }

    /// A status of level "error".
    pub fn error(code: impl Into<Cow<'static, str>>, description: impl Into<String>) -> Self {
        Self::new(Level::Error, code, description)
    }

    /// This status with one more property.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name, value);
        self
    }
}

impl Status {
    /// The information object: level, code, description, and the rest.
    pub fn to_object(&self) -> Object {
        let mut object = Object::new()
            .with("level", self.level.as_str())
            .with("code", &*self.code)
            .with("description", self.description.as_str());
        object.0.extend(self.extra.iter().cloned());
        object
    }

    /// Reads an information object as forgivingly as peers write it: a missing level is told from the code, a string is a description.
    pub fn from_value(value: Value) -> Self {
        let mut object = match value.into_amf0() {
            Value::Object(object)
            | Value::EcmaArray(object)
            | Value::TypedObject { object, .. } => object,
            Value::String(description) => return Self::new(Level::Error, "", description),
            _ => Object::new(),
        };
        let mut take = |name| {
            object
                .remove(name)
                .and_then(|value| value.as_str().map(String::from))
        };
        let code = take("code").unwrap_or_default();
        let level = match take("level").as_deref() {
            Some("error") => Level::Error,
            Some("warning") => Level::Warning,
            Some(_) => Level::Status,
            None if [
                "Failed",
                "Rejected",
                "BadName",
                "StreamNotFound",
                "Denied",
                "InvalidApp",
            ]
            .iter()
            .any(|end| code.ends_with(end)) =>
            {
                Level::Error
            }
            None => Level::Status,
        };
        let description = take("description").unwrap_or_default();
        Self {
            level,
            code: Cow::Owned(code),
            description,
            extra: object,
        }
    }
}

/// The codes a status carries, as Flash Media Server spells them.
pub mod code {
    #![allow(missing_docs)]
    macro_rules! codes {
        ($($name:ident = $code:literal,)*) => { $(#[doc = concat!("`", $code, "`")] pub const $name: &str = $code;)* };
    }

    codes! {
        CONNECT_SUCCESS = "NetConnection.Connect.Success",
        CONNECT_REJECTED = "NetConnection.Connect.Rejected",
        CONNECT_FAILED = "NetConnection.Connect.Failed",
        CONNECT_CLOSED = "NetConnection.Connect.Closed",
        CONNECT_INVALID_APP = "NetConnection.Connect.InvalidApp",
        CONNECT_APP_SHUTDOWN = "NetConnection.Connect.AppShutdown",
        CONNECT_IDLE_TIMEOUT = "NetConnection.Connect.IdleTimeOut",
        CONNECT_NETWORK_CHANGE = "NetConnection.Connect.NetworkChange",
        CONNECT_RECONNECT_REQUEST = "NetConnection.Connect.ReconnectRequest",
        CALL_FAILED = "NetConnection.Call.Failed",
        CALL_BAD_VERSION = "NetConnection.Call.BadVersion",
        CALL_PROHIBITED = "NetConnection.Call.Prohibited",
        STREAM_FAILED = "NetStream.Failed",
        PUBLISH_START = "NetStream.Publish.Start",
        PUBLISH_BAD_NAME = "NetStream.Publish.BadName",
        PUBLISH_DENIED = "NetStream.Publish.Denied",
        PUBLISH_IDLE = "NetStream.Publish.Idle",
        UNPUBLISH_SUCCESS = "NetStream.Unpublish.Success",
        RECORD_START = "NetStream.Record.Start",
        RECORD_STOP = "NetStream.Record.Stop",
        RECORD_NO_ACCESS = "NetStream.Record.NoAccess",
        RECORD_FAILED = "NetStream.Record.Failed",
        RECORD_ALREADY_EXISTS = "NetStream.Record.AlreadyExists",
        RECORD_DISK_QUOTA_EXCEEDED = "NetStream.Record.DiskQuotaExceeded",
        PLAY_START = "NetStream.Play.Start",
        PLAY_RESET = "NetStream.Play.Reset",
        PLAY_STOP = "NetStream.Play.Stop",
        PLAY_FAILED = "NetStream.Play.Failed",
        PLAY_DENIED = "NetStream.Play.Denied",
        PLAY_STREAM_NOT_FOUND = "NetStream.Play.StreamNotFound",
        PLAY_PUBLISH_NOTIFY = "NetStream.Play.PublishNotify",
        PLAY_UNPUBLISH_NOTIFY = "NetStream.Play.UnpublishNotify",
        PLAY_INSUFFICIENT_BW = "NetStream.Play.InsufficientBW",
        PLAY_TRANSITION = "NetStream.Play.Transition",
        PLAY_TRANSITION_COMPLETE = "NetStream.Play.TransitionComplete",
        PLAY_SWITCH = "NetStream.Play.Switch",
        PLAY_COMPLETE = "NetStream.Play.Complete",
        PLAY_FILE_STRUCTURE_INVALID = "NetStream.Play.FileStructureInvalid",
        PLAY_NO_SUPPORTED_TRACK_FOUND = "NetStream.Play.NoSupportedTrackFound",
        DATA_START = "NetStream.Data.Start",
        PAUSE_NOTIFY = "NetStream.Pause.Notify",
        UNPAUSE_NOTIFY = "NetStream.Unpause.Notify",
        SEEK_NOTIFY = "NetStream.Seek.Notify",
        SEEK_FAILED = "NetStream.Seek.Failed",
        SEEK_INVALID_TIME = "NetStream.Seek.InvalidTime",
        STEP_NOTIFY = "NetStream.Step.Notify",
        SHARED_OBJECT_BAD_PERSISTENCE = "SharedObject.BadPersistence",
        SHARED_OBJECT_NO_READ_ACCESS = "SharedObject.NoReadAccess",
        SHARED_OBJECT_NO_WRITE_ACCESS = "SharedObject.NoWriteAccess",
        SHARED_OBJECT_URI_MISMATCH = "SharedObject.UriMismatch",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_survives_the_wire() {
        let status = Status::error(code::PUBLISH_BAD_NAME, "conf is taken").with("clientid", 7.0);
        assert_eq!(Status::from_value(status.to_object().into()), status);
    }

    #[test]
    fn a_status_is_understood_without_its_level_or_as_mere_text() {
        let rejected = Object::new().with("code", code::CONNECT_REJECTED);
        assert_eq!(Status::from_value(rejected.into()).level, Level::Error);
        let started = Object::new()
            .with("code", code::PLAY_START)
            .with("level", 3.0);
        assert_eq!(Status::from_value(started.into()).level, Level::Status);
        assert_eq!(Status::from_value("no".into()).description, "no");
        assert_eq!(Status::from_value(Value::Null), Status::ok("", ""));
    }
}
