use alloc::vec::Vec;

use bytes::Bytes;

use super::PeerError;
use crate::Timestamp;
use crate::amf0::{self, Value};
use crate::flv::{Tag, TagType};
use crate::message::{Error, Message, Raw, message_type};

/// What a media or data message, or one inside an aggregate, is to its session.
#[derive(Debug, PartialEq)]
pub(super) enum Media {
    /// Audio, video, or script data in AMF0 without `@setDataFrame`.
    Tag(Tag),
    /// `@clearDataFrame` and the name it is about.
    ClearDataFrame(alloc::string::String),
    /// Nothing that can be understood.
    Malformed,
}

/// Takes a message of type 8, 9, 15, 18 or 22 apart.
///
/// Fails if values are over a limit.
pub(super) fn each_media(
    raw: Raw,
    limits: &amf0::Limits,
    mut take: impl FnMut(Media),
) -> Result<(), PeerError> {
    let mut take_one = |raw: Result<Raw, Error>| {
        match raw.and_then(|raw| media(raw, limits)) {
            Ok(media) => take(media),
            Err(error) if error.is_limit() => return Err(error.into()),
            Err(_) => take(Media::Malformed),
        }
        Ok(())
    };
    if raw.message_type == message_type::AGGREGATE
        && let Ok(Message::Aggregate(aggregate)) = Message::decode_with(&raw, limits)
    {
        return aggregate.messages().try_for_each(take_one);
    }
    take_one(Ok(raw))
}

/// Whether a message of this type is one for [`each_media`].
pub(super) const fn is_media(message_type: u8) -> bool {
    use message_type::{AGGREGATE, AUDIO, DATA_AMF0, DATA_AMF3, VIDEO};
    matches!(
        message_type,
        AUDIO | VIDEO | DATA_AMF0 | DATA_AMF3 | AGGREGATE
    )
}

/// A script tag of these values.
pub(super) fn script_tag(timestamp: Timestamp, name: &str, values: &[Value]) -> Tag {
    let mut payload = Vec::new();
    Value::from(name).encode(&mut payload);
    for value in values {
        value.encode(&mut payload);
    }
    Tag {
        tag_type: TagType::Script,
        timestamp,
        payload: payload.into(),
    }
}

/// Whether the script data's first value is the string `name`.
pub(super) fn is_script(payload: &[u8], name: &str) -> bool {
    after_string(payload, name).is_some()
}

/// `tag`, if it is `onMetaData`, behind the `@setDataFrame` with which it is published; servers keep what comes so.
pub(super) fn as_data_frame(tag: &Tag) -> Option<Tag> {
    if tag.tag_type != TagType::Script || !is_script(&tag.payload, "onMetaData") {
        return None;
    }
    let mut payload = Vec::with_capacity(tag.payload.len() + 16);
    Value::from(SET_DATA_FRAME).encode(&mut payload);
    payload.extend_from_slice(&tag.payload);
    Some(Tag {
        payload: payload.into(),
        ..*tag
    })
}

const SET_DATA_FRAME: &str = "@setDataFrame";
const CLEAR_DATA_FRAME: &str = "@clearDataFrame";

fn media(raw: Raw, limits: &amf0::Limits) -> Result<Media, Error> {
    let Raw {
        message_type,
        timestamp,
        ..
    } = raw;
    let script = match message_type {
        message_type::AUDIO | message_type::VIDEO => {
            return Ok(raw.into_tag().map_or(Media::Malformed, Media::Tag));
        }
        message_type::DATA_AMF0 => raw.payload,
        message_type::DATA_AMF3 => match Message::decode_with(&raw, limits)? {
            Message::Data(data) => {
                let values: Vec<_> = data.values.into_iter().map(Value::into_amf0).collect();
                script_tag(timestamp, &data.name, &values).payload
            }
            _ => return Ok(Media::Malformed),
        },
        _ => return Ok(Media::Malformed),
    };
    if let Some(at) = after_string(&script, CLEAR_DATA_FRAME) {
        let name = Value::decode(&mut &script[at..], limits).map_err(|error| Error::Value {
            message_type,
            error,
        })?;
        return Ok(name
            .as_str()
            .map_or(Media::Malformed, |name| Media::ClearDataFrame(name.into())));
    }
    let payload: Bytes = match after_string(&script, SET_DATA_FRAME) {
        Some(at) => script.slice(at..),
        None => script,
    };
    // A player dispatches on the name, so there must be one.
    if payload.first() != Some(&STRING) {
        return Ok(Media::Malformed);
    }
    Ok(Media::Tag(Tag {
        tag_type: TagType::Script,
        timestamp,
        payload,
    }))
}

/// AMF0's type marker of a string.
const STRING: u8 = 2;

/// Where the string `expected`, if it is the first value, ends.
fn after_string(payload: &[u8], expected: &str) -> Option<usize> {
    let [STRING, high, low, rest @ ..] = payload else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    (rest.get(..length)? == expected.as_bytes()).then_some(3 + length)
}
