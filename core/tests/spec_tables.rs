//! Tables that the specifications print and no other test here goes through row by row: one test for each.

use bytes::Bytes;
use chalkcast_core::amf0::{self, Object, Value};
use chalkcast_core::flv::audio::{self, Audio, ChannelLayout, ChannelOrder, SoundFlags};
use chalkcast_core::flv::script::ScriptData;
use chalkcast_core::flv::video::{self, FrameType, Video};
use chalkcast_core::flv::{
    AudioCodec, Codec, Demuxer, Kind, Muxer, Tag, TagHeader, TagType, VideoCodec,
};
use chalkcast_core::session::{Enhanced, Level, Status, code};
use chalkcast_core::{Timestamp, amf3};

const DATA: Bytes = Bytes::from_static(b"data");

fn header(tag_type: TagType, payload: &Bytes) -> TagHeader {
    TagHeader::parse(&Tag::new(tag_type, Timestamp::ZERO, payload.clone()))
}

/// Video File Format 10.1 §E.2 (FLV header), §E.3 (file body) and §E.4.1 (FLV tag), both ways: signature, version, the two type flags,
/// DataOffset, PreviousTagSize0, then TagType, DataSize, Timestamp, TimestampExtended, StreamID and PreviousTagSize of each tag.
#[test]
fn flv_e2_e3_e4_1_header_body_and_tag() {
    let tags = [
        Tag::new(
            TagType::Script,
            Timestamp::ZERO,
            Bytes::from_static(b"\x05"),
        ),
        Tag::new(
            TagType::Audio,
            Timestamp::from_millis(0x00FF_FFFF),
            Bytes::from_static(b"\xAF\x01ab"),
        ),
        Tag::new(
            TagType::Video,
            Timestamp::from_millis(0x0100_0002),
            vec![0x27; 0x0102].into(),
        ),
    ];
    for (has_audio, has_video, flags) in [
        (true, true, 5),
        (true, false, 4),
        (false, true, 1),
        (false, false, 0),
    ] {
        let mut muxer = Muxer::new(has_audio, has_video);
        let mut file = Vec::new();
        for tag in &tags {
            muxer.encode(tag, &mut file).unwrap();
        }
        let expected = [
            b"FLV\x01",
            &[flags][..],
            b"\0\0\0\x09",
            b"\0\0\0\0",
            b"\x12\0\0\x01\0\0\0\0\0\0\0\x05",
            b"\0\0\0\x0C",
            b"\x08\0\0\x04\xFF\xFF\xFF\0\0\0\0\xAF\x01ab",
            b"\0\0\0\x0F",
            b"\x09\0\x01\x02\0\0\x02\x01\0\0\0",
            &[0x27; 0x0102],
            b"\0\0\x01\x0D",
        ]
        .concat();
        assert_eq!(file, expected);
        let mut demuxer = Demuxer::new();
        demuxer.push(&file);
        let found: Vec<_> = std::iter::from_fn(|| demuxer.next_tag()).collect();
        assert_eq!(found, tags);
    }
}

/// §E.4.2.1 (AUDIODATA): SoundFormat 0 to 15 with every SoundRate, SoundSize and SoundType; 9, 12 and 13 are reserved there.
#[test]
fn flv_e4_2_1_audio_data() {
    use AudioCodec::*;
    let formats = [
        Some(Pcm),
        Some(Adpcm),
        Some(Mp3),
        Some(PcmLittleEndian),
        Some(Nellymoser16Khz),
        Some(Nellymoser8Khz),
        Some(Nellymoser),
        Some(G711ALaw),
        Some(G711MuLaw),
        None,
        Some(Aac),
        Some(Speex),
        None,
        None,
        Some(Mp38Khz),
        Some(DeviceSpecific),
    ];
    for (id, codec) in formats.into_iter().enumerate() {
        for flags in 0..16_u8 {
            let mut payload = vec![(id as u8) << 4 | flags];
            if codec == Some(Aac) {
                payload.push(1);
            }
            payload.extend(b"data");
            let payload = Bytes::from(payload);
            let Some(codec) = codec else {
                // 9 has become the mark of an enhanced header.
                assert!(
                    id == 9 || Audio::parse(&payload).is_err(),
                    "SoundFormat {id}"
                );
                continue;
            };
            let rate = [5_512, 11_025, 22_050, 44_100][usize::from(flags >> 2)];
            let sound = SoundFlags::new(rate, flags & 2 != 0, flags & 1 != 0);
            assert_eq!(
                (
                    sound.sample_rate(),
                    sound.is_sixteen_bit(),
                    sound.is_stereo()
                ),
                (rate, flags & 2 != 0, flags & 1 != 0)
            );
            let audio = Audio::legacy(sound, codec, audio::PacketType::CodedFrames, DATA);
            assert_eq!(audio.encode().as_ref(), Ok(&payload));
            assert_eq!(Audio::parse(&payload), Ok(audio));
            assert_eq!(
                header(TagType::Audio, &payload).codec(),
                Some(Codec::Audio(codec))
            );
        }
    }
}

/// §E.4.2.2 (AACAUDIODATA): AACPacketType 0 and 1.
#[test]
fn flv_e4_2_2_aac_audio_data() {
    for (byte, packet_type, kind) in [
        (0, audio::PacketType::SequenceStart, Kind::SequenceHeader),
        (1, audio::PacketType::CodedFrames, Kind::CodedFrames),
    ] {
        let payload = Bytes::from([&[0xAF, byte], &DATA[..]].concat());
        let audio = Audio::legacy(SoundFlags::AAC, AudioCodec::Aac, packet_type, DATA);
        assert_eq!(Audio::parse(&payload), Ok(audio));
        assert_eq!(header(TagType::Audio, &payload).kind(), kind);
    }
    assert!(Audio::parse(&Bytes::from_static(b"\xAF\x02data")).is_err());
}

/// §E.4.3.1 (VIDEODATA): FrameType 1 to 5 with CodecID 2 to 7. Only AVC has a packet type behind them.
#[test]
fn flv_e4_3_1_video_data() {
    use VideoCodec::*;
    let codecs = [SorensonH263, ScreenVideo, Vp6, Vp6Alpha, ScreenVideo2, Avc];
    let frames = [
        FrameType::Key,
        FrameType::Inter,
        FrameType::DisposableInter,
        FrameType::GeneratedKey,
    ];
    for (codec, id) in codecs.into_iter().zip(2_u8..) {
        for (frame_type, frame) in frames.into_iter().zip(1_u8..) {
            let avc: &[u8] = if codec == Avc { b"\x01\0\0\0" } else { b"" };
            let payload = Bytes::from([&[frame << 4 | id], avc, &DATA[..]].concat());
            let video = Video::legacy(frame_type, codec, video::PacketType::CodedFrames, 0, DATA);
            assert_eq!(video.encode().as_ref(), Ok(&payload));
            assert_eq!(Video::parse(&payload), Ok(video));
            let header = header(TagType::Video, &payload);
            assert_eq!(header.codec(), Some(Codec::Video(codec)));
            assert_eq!(header.is_keyframe(), matches!(frame, 1 | 4));
        }
        for command in 0..2 {
            let payload = Bytes::from(vec![0x50 | id, command]);
            let video = Video::parse(&payload).unwrap();
            assert_eq!(
                (video.frame_type, video.packet_type),
                (
                    FrameType::Command,
                    video::PacketType::Command { command, codec: id }
                )
            );
            assert_eq!(video.encode(), Ok(payload));
        }
    }
    for id in [0_u8, 1, 8, 9, 10, 11, 13, 14, 15] {
        let payload = Bytes::from(vec![0x10 | id, 1, 0, 0, 0]);
        assert!(Video::parse(&payload).is_err(), "CodecID {id}");
    }
}

/// §E.4.3.2 (AVCVIDEOPACKET): AVCPacketType 0, 1 and 2, CompositionTime with sign.
#[test]
fn flv_e4_3_2_avc_video_packet() {
    use video::PacketType::*;
    let data = DATA;
    for (bytes, packet_type, time, kind) in [
        (
            b"\x17\0\0\0\0data" as &[u8],
            SequenceStart,
            0,
            Kind::SequenceHeader,
        ),
        (b"\x17\x01\0\0\0data", CodedFrames, 0, Kind::CodedFrames),
        (
            b"\x17\x01\x7F\xFF\xFFdata",
            CodedFrames,
            0x7F_FFFF,
            Kind::CodedFrames,
        ),
        (
            b"\x17\x01\x80\0\0data",
            CodedFrames,
            -0x80_0000,
            Kind::CodedFrames,
        ),
        (
            b"\x17\x01\xFF\xFF\xFFdata",
            CodedFrames,
            -1,
            Kind::CodedFrames,
        ),
        (b"\x17\x02\0\0\0data", SequenceEnd, 0, Kind::EndOfSequence),
    ] {
        let payload = Bytes::copy_from_slice(bytes);
        let video = Video::legacy(
            FrameType::Key,
            VideoCodec::Avc,
            packet_type,
            time,
            data.clone(),
        );
        assert_eq!(video.encode().as_ref(), Ok(&payload));
        assert_eq!(Video::parse(&payload), Ok(video));
        let header = header(TagType::Video, &payload);
        assert_eq!((header.kind(), header.composition_time()), (kind, time));
    }
    assert!(Video::parse(&Bytes::from_static(b"\x17\x03\0\0\0data")).is_err());
}

/// §E.4.4 (SCRIPTDATA) with an onMetaData of §E.5: a name, and an ECMA array that its end marker closes.
#[test]
fn flv_e4_4_script_data() {
    let bytes = [
        b"\x02\0\x0AonMetaData" as &[u8],
        b"\x08\0\0\0\x03",
        b"\0\x05width\0\x40\x94\0\0\0\0\0\0",
        b"\0\x06stereo\x01\x01",
        b"\0\x0Ccreationdate\x02\0\x04then",
        b"\0\0\x09",
    ]
    .concat();
    let properties = Object::new()
        .with("width", 1280.0)
        .with("stereo", true)
        .with("creationdate", "then");
    let script = ScriptData::metadata(properties);
    assert_eq!(script.encode(), bytes);
    assert_eq!(ScriptData::parse(&bytes), Ok(script));
}

/// AMF0 §2.1: every type marker. 0x04 (movie clip) and 0x0E (record set) are reserved, and so is everything from 0x12.
#[test]
fn amf0_2_1_type_markers() {
    for marker in 0..=u8::MAX {
        let mut bytes = vec![marker];
        bytes.resize(64, 0);
        let first = amf0::Decoder::new(&bytes, &amf0::Limits::default()).next();
        let unknown = matches!(marker, 4 | 9 | 0x0E | 0x12..);
        assert_eq!(
            first == Some(Err(amf0::Error::Marker(marker))),
            unknown,
            "{marker:#x}: {first:?}"
        );
    }
}

/// AMF3 §3.1: every type marker; everything from 0x12 is unknown.
#[test]
fn amf3_3_1_type_markers() {
    for marker in 0..=u8::MAX {
        // A zero-length value of each kind where there is one.
        let mut bytes = vec![marker, 1];
        bytes.resize(64, 1);
        let mut input = &bytes[..];
        let value = amf3::Value::decode(&mut input, &amf0::Limits::default());
        assert_eq!(
            matches!(value, Err(amf0::Error::Marker(_))),
            marker >= 0x12,
            "{marker:#x}: {value:?}"
        );
    }
}

/// AMF3 §1.3.1: the U29 table, at both ends of each of its four rows.
#[test]
fn amf3_1_3_1_u29() {
    for (value, bytes) in [
        (0x0000_0000, &[0x00][..]),
        (0x0000_007F, &[0x7F]),
        (0x0000_0080, &[0x81, 0x00]),
        (0x0000_3FFF, &[0xFF, 0x7F]),
        (0x0000_4000, &[0x81, 0x80, 0x00]),
        (0x001F_FFFF, &[0xFF, 0xFF, 0x7F]),
        (0x0020_0000, &[0x80, 0xC0, 0x80, 0x00]),
        (0x1FFF_FFFF, &[0xFF, 0xFF, 0xFF, 0xFF]),
    ] {
        let bytes = [&[4], bytes].concat();
        // Integers are signed, in 29 bits.
        let integer = amf3::Value::Integer((value << 3) >> 3);
        assert_eq!(amf3::encode_all([&integer]), bytes);
        assert_eq!(amf3::decode_all(&bytes), Ok(vec![integer]));
    }
}

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
