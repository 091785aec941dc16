//! Enhanced RTMP v2.

use bytes::Bytes;
use chalkcast_core::amf0::{Object, Value};
use chalkcast_core::flv::audio::{Audio, ChannelLayout, ChannelOrder};
use chalkcast_core::flv::video::{FrameType, Video};
use chalkcast_core::flv::{AudioCodec, Codec, Kind, TagType, VideoCodec, audio, video};
use chalkcast_core::session::{Enhanced, Level, Status, code};

use crate::{DATA, header};

/// E-RTMP v2, Enhanced Video: VideoPacketType 0 to 5 with every VideoFourCc; only avc1, hvc1 and vvc1 have a composition time, in CodedFrames.
#[test]
fn enhanced_video_packet_types_and_four_ccs() {
    use video::PacketType::*;
    let types = [
        (SequenceStart, Kind::SequenceHeader),
        (CodedFrames, Kind::CodedFrames),
        (SequenceEnd, Kind::EndOfSequence),
        (CodedFramesX, Kind::CodedFrames),
        (Metadata, Kind::VideoMetadata),
        (Mpeg2TsSequenceStart, Kind::SequenceHeader),
    ];
    let codecs = [
        (b"vp08", VideoCodec::Vp8, false),
        (b"vp09", VideoCodec::Vp9, false),
        (b"av01", VideoCodec::Av1, false),
        (b"avc1", VideoCodec::Avc, true),
        (b"hvc1", VideoCodec::Hevc, true),
        (b"vvc1", VideoCodec::Vvc, true),
    ];
    for ((packet_type, kind), id) in types.into_iter().zip(0_u8..) {
        for (four_cc, codec, has_time) in codecs {
            let (time, field): (i32, &[u8]) = match packet_type {
                CodedFrames if has_time => (7, b"\0\0\x07"),
                _ => (0, b""),
            };
            let payload = Bytes::from([&[0x90 | id], &four_cc[..], field, &DATA[..]].concat());
            let video = Video::enhanced(FrameType::Key, codec, packet_type, time, DATA);
            assert_eq!(video.encode().as_ref(), Ok(&payload));
            assert_eq!(Video::parse(&payload), Ok(video));
            let header = header(TagType::Video, &payload);
            assert_eq!(
                (header.kind(), header.codec()),
                (kind, Some(Codec::Video(codec)))
            );
        }
    }
}

/// E-RTMP v2, Enhanced Audio: AudioPacketType 0, 1, 2 and 4 with every AudioFourCc; 3 and 6 are reserved.
#[test]
fn enhanced_audio_packet_types_and_four_ccs() {
    use audio::PacketType::*;
    let types = [
        (0, SequenceStart, Kind::SequenceHeader),
        (1, CodedFrames, Kind::CodedFrames),
        (2, SequenceEnd, Kind::EndOfSequence),
        (4, MultichannelConfig, Kind::MultichannelConfig),
    ];
    let codecs = [
        (b"ac-3", AudioCodec::Ac3),
        (b"ec-3", AudioCodec::Eac3),
        (b"Opus", AudioCodec::Opus),
        (b".mp3", AudioCodec::Mp3),
        (b"fLaC", AudioCodec::Flac),
        (b"mp4a", AudioCodec::Aac),
    ];
    for (four_cc, codec) in codecs {
        for (id, packet_type, kind) in types {
            let payload = Bytes::from([&[0x90 | id], &four_cc[..], &DATA[..]].concat());
            let audio = Audio::enhanced(codec, packet_type, DATA);
            assert_eq!(audio.encode().as_ref(), Ok(&payload));
            assert_eq!(Audio::parse(&payload), Ok(audio));
            let header = header(TagType::Audio, &payload);
            assert_eq!(
                (header.kind(), header.codec()),
                (kind, Some(Codec::Audio(codec)))
            );
        }
        for reserved in [3_u8, 6, 8, 15] {
            let payload = Bytes::from([&[0x90 | reserved], &four_cc[..], &DATA[..]].concat());
            assert!(
                Audio::parse(&payload).is_err(),
                "AudioPacketType {reserved}"
            );
        }
    }
}

/// E-RTMP v2, Enhanced Audio: AudioChannelOrder 0, 1 and 2, the 24 bits of AudioChannelMask, and AudioChannel with its Unused and Unknown.
#[test]
fn enhanced_audio_channel_orders_masks_and_speakers() {
    let both_ways = |bytes: &[u8], layout: ChannelLayout| {
        assert_eq!(layout.encode(), bytes);
        assert_eq!(ChannelLayout::parse(bytes), Ok(layout));
    };
    both_ways(
        &[0, 8],
        ChannelLayout {
            channels: 8,
            order: ChannelOrder::Unspecified,
        },
    );
    for speaker in 0..24_u32 {
        let mask = 1 << speaker;
        both_ways(
            &[&[1, 1][..], &u32::to_be_bytes(mask)].concat(),
            ChannelLayout {
                channels: 1,
                order: ChannelOrder::Native(mask),
            },
        );
    }
    let speakers: Vec<u8> = (0..24).chain([0xFE, 0xFF]).collect();
    both_ways(
        &[&[2, 26][..], &speakers].concat(),
        ChannelLayout {
            channels: 26,
            order: ChannelOrder::Custom(speakers),
        },
    );
    assert!(ChannelLayout::parse(&[3, 1]).is_err());
}

/// E-RTMP v2, ModEx: TimestampOffsetNano from 0 to its greatest value, in audio and video; the last one said counts.
#[test]
fn enhanced_timestamp_offset_nano() {
    for nanos in [0_u32, 1, 999_999] {
        let bytes = &nanos.to_be_bytes()[1..];
        let mod_ex = [&[2], bytes, &[0x01]].concat();
        let audio = Bytes::from([b"\x97", &mod_ex[..], b"Opusdata"].concat());
        let audio = Audio::parse(&audio).unwrap();
        assert_eq!(
            (audio.nano_offset(), audio.packet_type),
            (nanos, audio::PacketType::CodedFrames)
        );
        let twice = [b"\x97", &[2, 0, 0, 5, 0x07][..], &mod_ex, b"av01data"].concat();
        let video = Bytes::from(twice);
        let parsed = Video::parse(&video).unwrap();
        assert_eq!(parsed.nano_offset(), nanos);
        assert_eq!(parsed.encode(), Ok(video));
    }
    let plain = Audio::enhanced(AudioCodec::Opus, audio::PacketType::CodedFrames, DATA);
    assert_eq!(plain.nano_offset(), 0);
}

/// E-RTMP v2, Enhancing NetConnection connect Command: the four properties with the values of the example column.
#[test]
fn enhanced_connect_properties() {
    let codecs = [
        "av01", "vp09", "vp08", "hvc1", "avc1", "ac-3", "ec-3", "Opus", ".mp3", "fLaC", "mp4a",
    ];
    let map = |name: &str| Object::new().with("*", 4.0).with(name, 3.0);
    let object = Object::new()
        .with("fourCcList", codecs.map(Value::from).to_vec())
        .with("videoFourCcInfoMap", map("vp09"))
        .with("audioFourCcInfoMap", map("Opus"))
        .with("capsEx", 3.0);
    let both = Enhanced::CAN_DECODE | Enhanced::CAN_ENCODE;
    let info = |name: &str| {
        vec![
            ("*".to_owned(), Enhanced::CAN_FORWARD),
            (name.to_owned(), both),
        ]
    };
    let enhanced = Enhanced {
        four_cc_list: codecs.map(String::from).to_vec(),
        video_four_cc_info_map: info("vp09"),
        audio_four_cc_info_map: info("Opus"),
        caps_ex: Enhanced::RECONNECT | Enhanced::MULTITRACK,
    };
    assert_eq!(Enhanced::from_object(&object), enhanced);
    let mut written = Object::new();
    enhanced.write_to(&mut written);
    assert_eq!(written, object);
    assert_eq!(
        (Enhanced::MOD_EX, Enhanced::TIMESTAMP_NANO_OFFSET),
        (0x04, 0x08)
    );
}

/// E-RTMP v2, Reconnect Request: the properties of the info object, of which tcUrl and description may be missing.
#[test]
fn reconnect_request_info_object() {
    let full = Object::new()
        .with("level", "status")
        .with("code", "NetConnection.Connect.ReconnectRequest")
        .with("description", "The streaming server is undergoing updates.")
        .with("tcUrl", "rtmp://foo.mydomain.com:1935/realtimeapp");
    let status = Status::from_value(full.clone().into());
    assert_eq!(
        (status.level, &*status.code),
        (Level::Status, code::CONNECT_RECONNECT_REQUEST)
    );
    assert_eq!(
        status.extra.get("tcUrl").and_then(Value::as_str),
        Some("rtmp://foo.mydomain.com:1935/realtimeapp")
    );
    assert_eq!(status.to_object(), full);
    let least = Object::new()
        .with("level", "status")
        .with("code", "NetConnection.Connect.ReconnectRequest");
    let status = Status::from_value(least.into());
    assert_eq!(status.code, code::CONNECT_RECONNECT_REQUEST);
    assert!(status.extra.iter().next().is_none());
}
