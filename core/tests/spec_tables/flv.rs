//! Video File Format 10.1, Annex E.

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::amf0::{Object, Value};
use chalkcast_core::flv::audio::{Audio, SoundFlags};
use chalkcast_core::flv::script::ScriptData;
use chalkcast_core::flv::video::{FrameType, Video};
use chalkcast_core::flv::{
    AudioCodec, Codec, Demuxer, Kind, Muxer, Tag, TagType, VideoCodec, audio, video,
};

use crate::{DATA, header};

/// §E.2 (FLV header), §E.3 (FLV File Body) and §E.4.1 (FLVTAG), both ways: signature, version, the two type flags, DataOffset,
/// PreviousTagSize0, then TagType, DataSize, Timestamp, TimestampExtended, StreamID and PreviousTagSize of each tag.
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

/// §E.4.1 (FLVTAG): a tag whose Filter bit says that it is encrypted (Annex F), or whose TagType is none of 8, 9 and 18, is passed over.
#[test]
fn flv_e4_1_filter_and_unknown_tag_types() {
    let plain = Tag::new(TagType::Audio, Timestamp::ZERO, DATA);
    for first in (0..0x40_u8).filter(|first| ![8, 9, 18].contains(first)) {
        let mut file = Vec::new();
        let mut muxer = Muxer::new(true, true);
        muxer.encode(&plain, &mut file).unwrap();
        let second = file.len();
        muxer.encode(&plain, &mut file).unwrap();
        muxer.encode(&plain, &mut file).unwrap();
        file[second] = first;
        let mut demuxer = Demuxer::new();
        demuxer.push(&file);
        let found: Vec<_> = std::iter::from_fn(|| demuxer.next_tag()).collect();
        assert_eq!(found, [plain.clone(), plain.clone()], "{first:#x}");
        assert_eq!(demuxer.skipped().tags, 1, "{first:#x}");
    }
}

/// §E.4.2.1 (AudioTagHeader): SoundFormat 0 to 15 with every SoundRate, SoundSize and SoundType; 9, 12 and 13 are reserved there.
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

/// §E.4.3.1 (VideoTagHeader, VideoTagBody): FrameType 1 to 5 with CodecID 2 to 7. Only AVC has a packet type behind them, and not in a
/// command: there the two specifications differ, and E-RTMP v2, the newer one, has the command right behind CodecID.
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

/// §E.4.3.1 (VideoTagHeader) and §E.4.3.2 (AVCVIDEOPACKET): AVCPacketType 0, 1 and 2, CompositionTime with sign.
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

/// §E.4.4.1 (ScriptTagBody) and §E.4.4.4 (SCRIPTDATAECMAARRAY): a name, and an ECMA array that its end marker closes.
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

/// §E.4.4.2 (SCRIPTDATAVALUE) with §E.4.4.3 to §E.4.4.10: each type that has a value, as the property of an ECMA array, both ways.
#[test]
fn flv_e4_4_2_script_data_values() {
    let long = "x".repeat(65_536);
    let long_bytes = [b"\x0C\0\x01\0\0", long.as_bytes()].concat();
    let types: [(&[u8], Value); 10] = [
        (b"\0\x40\0\0\0\0\0\0\0", 2.0.into()),
        (b"\x01\x01", true.into()),
        (b"\x02\0\x04text", "text".into()),
        (
            b"\x03\0\x01a\x05\0\0\x09",
            Object::new().with("a", Value::Null).into(),
        ),
        (b"\x05", Value::Null),
        (b"\x06", Value::Undefined),
        (
            b"\x08\0\0\0\x01\0\x01a\x06\0\0\x09",
            Value::EcmaArray(Object::new().with("a", Value::Undefined)),
        ),
        (
            b"\x0A\0\0\0\x02\x05\x06",
            vec![Value::Null, Value::Undefined].into(),
        ),
        (
            b"\x0B\x40\0\0\0\0\0\0\0\xFF\xC4",
            Value::Date {
                millis: 2.0,
                time_zone: -60,
            },
        ),
        (&long_bytes, long.as_str().into()),
    ];
    for (value_bytes, value) in types {
        let bytes = [
            b"\x02\0\x0AonMetaData\x08\0\0\0\x01\0\x01v" as &[u8],
            value_bytes,
            b"\0\0\x09",
        ]
        .concat();
        let script = ScriptData::metadata(Object::new().with("v", value));
        assert_eq!(script.encode(), bytes);
        assert_eq!(ScriptData::parse(&bytes), Ok(script));
    }
    // Type 7, Reference: entry 0 is the ECMA array itself, entry 1 the object.
    let bytes = b"\x02\0\x01n\x08\0\0\0\x02\0\x01a\x03\0\0\x09\0\x01b\x07\0\x01\0\0\x09";
    let script = ScriptData::parse(bytes).unwrap();
    let properties = script.properties().unwrap();
    assert_eq!(properties.get("b"), Some(&Object::new().into()));
    // The approximate length may be wrong, and any byte but 0 is true.
    let bytes = b"\x02\0\x01n\x08\0\0\0\x63\0\x01a\x01\x02\0\0\x09";
    let script = ScriptData::parse(bytes).unwrap();
    assert_eq!(
        script.properties().unwrap().get("a"),
        Some(&Value::Boolean(true))
    );
    // Types 4 and 9 are no values.
    for reserved in [4, 9] {
        assert!(ScriptData::parse(&[2, 0, 1, b'n', reserved]).is_err());
    }
}

/// §E.5 (onMetadata properties): each with its type, both ways.
#[test]
fn flv_e5_on_meta_data_properties() {
    let numbers = [
        "audiocodecid",
        "audiodatarate",
        "audiodelay",
        "audiosamplerate",
        "audiosamplesize",
        "duration",
        "filesize",
        "framerate",
        "height",
        "videocodecid",
        "videodatarate",
        "width",
    ];
    let properties = numbers
        .into_iter()
        .zip(1..)
        .fold(Object::new(), |object, (name, number)| {
            object.with(name, f64::from(number))
        })
        .with("canSeekToEnd", true)
        .with("stereo", false)
        .with("creationdate", "Mon Nov 23 2026");
    let payload = ScriptData::metadata(properties.clone()).encode();
    assert!(header(TagType::Script, &payload).is_metadata());
    let script = ScriptData::parse(&payload).unwrap();
    assert_eq!(script.name, "onMetaData");
    assert_eq!(script.values, [Value::EcmaArray(properties)]);
}
