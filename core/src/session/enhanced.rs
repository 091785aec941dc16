use alloc::string::String;
use alloc::vec::Vec;

use crate::amf0::{Object, Value};

/// What a side can do beyond RTMP 1.0, told in connect and in its answer (Enhanced RTMP v2, "Enhancing NetConnection connect Command").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enhanced {
    /// `fourCcList`: the codecs this side handles in some way, "*" for all.
    pub four_cc_list: Vec<String>,
    /// `videoFourCcInfoMap`: what it does with each video codec, by [`CAN_DECODE`](Self::CAN_DECODE) and its kin.
    pub video_four_cc_info_map: Vec<(String, u32)>,
    /// `audioFourCcInfoMap`: the same for audio.
    pub audio_four_cc_info_map: Vec<(String, u32)>,
    /// `capsEx`: [`RECONNECT`](Self::RECONNECT) and its kin.
    pub caps_ex: u32,
}

impl Enhanced {
    /// FourCcInfoMask: can decode.
    pub const CAN_DECODE: u32 = 1;
    /// FourCcInfoMask: can encode.
    pub const CAN_ENCODE: u32 = 2;
    /// FourCcInfoMask: can pass it on.
    pub const CAN_FORWARD: u32 = 4;

    /// CapsExMask: understands NetConnection.Connect.ReconnectRequest.
    pub const RECONNECT: u32 = 1;
    /// CapsExMask: understands multitrack.
    pub const MULTITRACK: u32 = 2;
    /// CapsExMask: parses ModEx.
    pub const MOD_EX: u32 = 4;
    /// CapsExMask: understands the nanosecond offset.
    pub const TIMESTAMP_NANO_OFFSET: u32 = 8;
}

impl Enhanced {
    /// What a relay can do: pass every codec on, and survive all extensions.
    pub fn relay() -> Self {
        let all = || alloc::vec![("*".into(), Self::CAN_FORWARD)];
        Self {
            four_cc_list: alloc::vec!["*".into()],
            video_four_cc_info_map: all(),
            audio_four_cc_info_map: all(),
            caps_ex: Self::RECONNECT
                | Self::MULTITRACK
                | Self::MOD_EX
                | Self::TIMESTAMP_NANO_OFFSET,
        }
    }

    /// Reads the four properties from a command object, leaving what is absent or malformed empty.
    pub fn from_object(object: &Object) -> Self {
        let map = |name| {
            let entries = object
                .get(name)
                .and_then(Value::as_object)
                .into_iter()
                .flatten();
            entries
                .filter_map(|(four_cc, mask)| Some((four_cc.clone(), mask.as_number()? as u32)))
                .collect()
        };
        let list = object
            .get("fourCcList")
            .and_then(Value::as_array)
            .unwrap_or_default();
        Self {
            four_cc_list: list
                .iter()
                .filter_map(|value| Some(String::from(value.as_str()?)))
                .collect(),
            video_four_cc_info_map: map("videoFourCcInfoMap"),
            audio_four_cc_info_map: map("audioFourCcInfoMap"),
            caps_ex: object
                .get("capsEx")
                .and_then(Value::as_number)
                .map_or(0, |caps| caps as u32),
        }
    }

    /// Adds the properties to a command object, but for those that say nothing.
    pub fn write_to(&self, object: &mut Object) {
        if !self.four_cc_list.is_empty() {
            let list = self
                .four_cc_list
                .iter()
                .map(|four_cc| Value::from(four_cc.as_str()))
                .collect::<Vec<_>>();
            object.insert("fourCcList", list);
        }
        for (name, map) in [
            ("videoFourCcInfoMap", &self.video_four_cc_info_map),
            ("audioFourCcInfoMap", &self.audio_four_cc_info_map),
        ] {
            if !map.is_empty() {
                object.insert(
                    name,
                    map.iter()
                        .map(|(four_cc, mask)| (four_cc.as_str(), *mask))
                        .collect::<Object>(),
                );
            }
        }
        if self.caps_ex != 0 {
            object.insert("capsEx", self.caps_ex);
        }
    }
}
