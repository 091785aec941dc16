//! Headers as the specifications print them.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::audio::{self, Audio, ChannelLayout, ChannelOrder, SoundFlags};
use super::video::{self, FrameType, Video};
use super::*;
use crate::Timestamp;
use crate::amf0::{Object, Value};
use script::{ColorInfo, ScriptData};

/// Kind, keyframe and track id, as a relay sees them.
type Seen = (Kind, bool, u8);

const DATA: Bytes = Bytes::from_static(b"data");

fn header(tag_type: TagType, payload: &Bytes) -> TagHeader {
    TagHeader::parse(&Tag::new(tag_type, Timestamp::ZERO, payload.clone()))
}

fn ex(multitrack: Option<Multitrack>) -> video::Form {
    video::Form::Enhanced {
        mod_ex: vec![],
        multitrack,
    }
}

#[test]
fn video_headers_have_the_bytes_of_the_specifications() {
    use video::PacketType::*;
    let track = |track_id, codec, composition_time| video::Track {
        track_id,
        codec,
        composition_time,
        data: DATA,
    };
    let legacy = |frame_type, codec, packet_type, time| {
        Video::legacy(frame_type, codec, packet_type, time, DATA)
    };
    let enhanced = |frame_type, codec, packet_type, time| {
        Video::enhanced(frame_type, codec, packet_type, time, DATA)
    };
    let (key, inter) = (FrameType::Key, FrameType::Inter);
    let table: Vec<(Video, &[u8], Seen)> = vec![
        (
            legacy(key, VideoCodec::Avc, SequenceStart, 0),
            b"\x17\0\0\0\0data",
            (Kind::SequenceHeader, false, 0),
        ),
        (
            legacy(key, VideoCodec::Avc, CodedFrames, 66),
            b"\x17\x01\0\0\x42data",
            (Kind::CodedFrames, true, 0),
        ),
        (
            legacy(inter, VideoCodec::Avc, CodedFrames, -1),
            b"\x27\x01\xff\xff\xffdata",
            (Kind::CodedFrames, false, 0),
        ),
        (
            legacy(key, VideoCodec::Hevc, CodedFrames, 0),
            b"\x1c\x01\0\0\0data",
            (Kind::CodedFrames, true, 0),
        ),
        (
            legacy(FrameType::GeneratedKey, VideoCodec::Vp6, CodedFrames, 0),
            b"\x44data",
            (Kind::CodedFrames, true, 0),
        ),
        (
            legacy(
                FrameType::DisposableInter,
                VideoCodec::SorensonH263,
                CodedFrames,
                0,
            ),
            b"\x32data",
            (Kind::CodedFrames, false, 0),
        ),
        (
            Video {
                tracks: vec![],
                ..legacy(
                    FrameType::Command,
                    VideoCodec::Avc,
                    Command {
                        command: 1,
                        codec: 7,
                    },
                    0,
                )
            },
            b"\x57\x01",
            (Kind::Command, false, 0),
        ),
        (
            enhanced(key, VideoCodec::Avc, SequenceStart, 0),
            b"\x90avc1data",
            (Kind::SequenceHeader, false, 0),
        ),
        (
            enhanced(key, VideoCodec::Hevc, CodedFrames, 2),
            b"\x91hvc1\0\0\x02data",
            (Kind::CodedFrames, true, 0),
        ),
        (
            enhanced(inter, VideoCodec::Av1, CodedFrames, 0),
            b"\xa1av01data",
            (Kind::CodedFrames, false, 0),
        ),
        (
            enhanced(key, VideoCodec::Vp9, CodedFrames, 0),
            b"\x91vp09data",
            (Kind::CodedFrames, true, 0),
        ),
        (
            enhanced(key, VideoCodec::Vp8, SequenceEnd, 0),
            b"\x92vp08data",
            (Kind::EndOfSequence, false, 0),
        ),
        (
            enhanced(inter, VideoCodec::Avc, CodedFramesX, 0),
            b"\xa3avc1data",
            (Kind::CodedFrames, false, 0),
        ),
        (
            enhanced(FrameType::Reserved(0), VideoCodec::Hevc, Metadata, 0),
            b"\x84hvc1data",
            (Kind::VideoMetadata, false, 0),
        ),
        (
            enhanced(key, VideoCodec::Av1, Mpeg2TsSequenceStart, 0),
            b"\x95av01data",
            (Kind::SequenceHeader, false, 0),
        ),
        (
            Video {
                tracks: vec![],
                ..enhanced(
                    FrameType::Command,
                    VideoCodec::Avc,
                    Command {
                        command: 0,
                        codec: 0,
                    },
                    0,
                )
            },
            b"\xd0\0",
            (Kind::Command, false, 0),
        ),
        (
            Video {
                form: ex(Some(Multitrack::OneTrack)),
                tracks: vec![track(3, VideoCodec::Avc, 1)],
                ..enhanced(key, VideoCodec::Avc, CodedFrames, 0)
            },
            b"\x96\x01avc1\x03\0\0\x01data",
            (Kind::CodedFrames, true, 3),
        ),
        (
            Video {
                form: ex(Some(Multitrack::ManyTracks)),
                tracks: vec![track(1, VideoCodec::Avc, -2), track(2, VideoCodec::Avc, 0)],
                ..enhanced(inter, VideoCodec::Avc, CodedFrames, 0)
            },
            b"\xa6\x11avc1\x01\0\0\x07\xff\xff\xfedata\x02\0\0\x07\0\0\0data",
            (Kind::CodedFrames, false, 1),
        ),
        (
            Video {
                form: ex(Some(Multitrack::ManyTracksManyCodecs)),
                tracks: vec![track(0, VideoCodec::Vp9, 0), track(9, VideoCodec::Hevc, 0)],
                ..enhanced(key, VideoCodec::Vp9, SequenceStart, 0)
            },
            b"\x96\x20vp09\0\0\0\x04datahvc1\x09\0\0\x04data",
            (Kind::SequenceHeader, false, 0),
        ),
        (
            Video {
                form: video::Form::Enhanced {
                    mod_ex: vec![
                        ModEx::TimestampOffsetNano(999_999),
                        ModEx::Other {
                            kind: 2,
                            data: Bytes::from_static(b"m"),
                        },
                    ],
                    multitrack: None,
                },
                ..enhanced(key, VideoCodec::Avc, CodedFramesX, 0)
            },
            b"\x97\x02\x0f\x42\x3f\x07\0m\x23avc1data",
            (Kind::CodedFrames, true, 0),
        ),
    ];
    for (video, bytes, (kind, keyframe, track_id)) in table {
        let payload = video.encode().unwrap();
        assert_eq!(payload.as_ref(), bytes, "{video:?}");
        assert_eq!(Video::parse(&payload).as_ref(), Ok(&video));
        let header = header(TagType::Video, &payload);
        assert_eq!(
            (header.kind(), header.is_keyframe(), header.track_id()),
            (kind, keyframe, track_id),
            "{video:?}"
        );
        if let Some(track) = video.tracks.first() {
            assert_eq!(header.codec(), Some(Codec::Video(track.codec)));
            assert_eq!(header.composition_time(), track.composition_time);
        }
    }
}

#[test]
fn audio_headers_have_the_bytes_of_the_specifications() {
    use audio::PacketType::*;
    let track = |track_id, codec| audio::Track {
        track_id,
        codec,
        data: DATA,
    };
    let many = |multitrack, tracks| Audio {
        form: audio::Form::Enhanced {
            mod_ex: vec![],
            multitrack: Some(multitrack),
        },
        packet_type: CodedFrames,
        tracks,
    };
    let table: Vec<(Audio, &[u8], (Kind, u8))> = vec![
        (
            Audio::legacy(SoundFlags::AAC, AudioCodec::Aac, SequenceStart, DATA),
            b"\xaf\0data",
            (Kind::SequenceHeader, 0),
        ),
        (
            Audio::legacy(SoundFlags::AAC, AudioCodec::Aac, CodedFrames, DATA),
            b"\xaf\x01data",
            (Kind::CodedFrames, 0),
        ),
        (
            Audio::legacy(
                SoundFlags::new(22_050, true, false),
                AudioCodec::Mp3,
                CodedFrames,
                DATA,
            ),
            b"\x2adata",
            (Kind::CodedFrames, 0),
        ),
        (
            Audio::legacy(
                SoundFlags::new(11_025, false, false),
                AudioCodec::Speex,
                CodedFrames,
                DATA,
            ),
            b"\xb4data",
            (Kind::CodedFrames, 0),
        ),
        (
            Audio {
                form: audio::Form::Silence,
                packet_type: SequenceEnd,
                tracks: vec![],
            },
            b"",
            (Kind::EndOfSequence, 0),
        ),
        (
            Audio::enhanced(AudioCodec::Aac, SequenceStart, DATA),
            b"\x90mp4adata",
            (Kind::SequenceHeader, 0),
        ),
        (
            Audio::enhanced(AudioCodec::Opus, CodedFrames, DATA),
            b"\x91Opusdata",
            (Kind::CodedFrames, 0),
        ),
        (
            Audio::enhanced(AudioCodec::Flac, SequenceEnd, Bytes::new()),
            b"\x92fLaC",
            (Kind::EndOfSequence, 0),
        ),
        (
            Audio::enhanced(AudioCodec::Ac3, MultichannelConfig, DATA),
            b"\x94ac-3data",
            (Kind::MultichannelConfig, 0),
        ),
        (
            Audio::enhanced(AudioCodec::Eac3, CodedFrames, DATA),
            b"\x91ec-3data",
            (Kind::CodedFrames, 0),
        ),
        (
            Audio::enhanced(AudioCodec::Mp3, CodedFrames, DATA),
            b"\x91.mp3data",
            (Kind::CodedFrames, 0),
        ),
        (
            many(Multitrack::OneTrack, vec![track(2, AudioCodec::Opus)]),
            b"\x95\x01Opus\x02data",
            (Kind::CodedFrames, 2),
        ),
        (
            many(
                Multitrack::ManyTracks,
                vec![track(1, AudioCodec::Opus), track(2, AudioCodec::Opus)],
            ),
            b"\x95\x11Opus\x01\0\0\x04data\x02\0\0\x04data",
            (Kind::CodedFrames, 1),
        ),
        (
            many(
                Multitrack::ManyTracksManyCodecs,
                vec![track(1, AudioCodec::Opus), track(2, AudioCodec::Aac)],
            ),
            b"\x95\x21Opus\x01\0\0\x04datamp4a\x02\0\0\x04data",
            (Kind::CodedFrames, 1),
        ),
    ];
    for (audio, bytes, (kind, track_id)) in table {
        let payload = audio.encode().unwrap();
        assert_eq!(payload.as_ref(), bytes, "{audio:?}");
        assert_eq!(Audio::parse(&payload).as_ref(), Ok(&audio));
        let header = header(TagType::Audio, &payload);
        assert_eq!(
            (header.kind(), header.is_keyframe(), header.track_id()),
            (kind, false, track_id),
            "{audio:?}"
        );
        assert_eq!(
            header.codec(),
            audio.tracks.first().map(|track| Codec::Audio(track.codec))
        );
    }
}

#[test]
fn mod_ex_sizes_go_from_one_byte_to_two() {
    for size in [1, 255, 256, 257, 65_536] {
        let mod_ex = vec![ModEx::Other {
            kind: 15,
            data: vec![7; size].into(),
        }];
        let video = Video {
            form: video::Form::Enhanced {
                mod_ex,
                multitrack: None,
            },
            ..Video::enhanced(
                FrameType::Key,
                VideoCodec::Av1,
                video::PacketType::CodedFrames,
                0,
                DATA,
            )
        };
        let payload = video.encode().unwrap();
        assert_eq!(
            payload.len(),
            1 + if size < 256 { 1 } else { 3 } + size + 1 + 4 + 4
        );
        assert_eq!(Video::parse(&payload), Ok(video));
    }
    // Modifiers without end are refused, not stored.
    assert_eq!(
        Video::parse(&Bytes::from(
            [b"\x97".as_slice(), &b"\0\x07\x07".repeat(1000)].concat()
        )),
        Err(Error::TooMany {
            what: "ModEx",
            limit: 16
        })
    );
}

#[test]
fn many_tracks_are_split_into_tags_of_one() {
    let payload = Bytes::from_static(b"\x96\x20vp09\0\0\0\x04datahvc1\x09\0\0\x04data");
    let tags = Tag::new(TagType::Video, Timestamp::from_millis(5), payload)
        .split_tracks()
        .unwrap();
    let bytes: Vec<_> = tags.iter().map(|tag| tag.payload.as_ref()).collect();
    assert_eq!(
        bytes,
        [b"\x96\0vp09\0data".as_slice(), b"\x96\0hvc1\x09data"]
    );
    assert!(tags.iter().all(|tag| tag.timestamp.as_millis() == 5));
    let malformed = Tag::new(
        TagType::Audio,
        Timestamp::ZERO,
        Bytes::from_static(b"\x95\x11Opus\x01\0\0\x09data"),
    );
    assert_eq!(malformed.split_tracks(), Err(Error::Truncated("track")));
}

#[test]
fn what_cannot_be_written_is_refused() {
    let refused = |video: Video| {
        assert!(
            matches!(video.encode(), Err(Error::Unencodable(_))),
            "{video:?}"
        )
    };
    let key = FrameType::Key;
    refused(Video::legacy(
        key,
        VideoCodec::Av1,
        video::PacketType::CodedFrames,
        0,
        DATA,
    ));
    refused(Video::legacy(
        key,
        VideoCodec::Avc,
        video::PacketType::Metadata,
        0,
        DATA,
    ));
    refused(Video::legacy(
        key,
        VideoCodec::Avc,
        video::PacketType::CodedFrames,
        1 << 23,
        DATA,
    ));
    refused(Video::enhanced(
        key,
        VideoCodec::Vp9,
        video::PacketType::CodedFrames,
        1,
        DATA,
    ));
    refused(Video::enhanced(
        key,
        VideoCodec::Vp6,
        video::PacketType::CodedFrames,
        0,
        DATA,
    ));
    refused(Video::enhanced(
        FrameType::Command,
        VideoCodec::Avc,
        video::PacketType::CodedFrames,
        0,
        DATA,
    ));
    refused(Video {
        tracks: vec![],
        ..Video::enhanced(
            key,
            VideoCodec::Avc,
            video::PacketType::CodedFrames,
            0,
            DATA,
        )
    });
}

#[test]
fn malformed_headers_are_errors_and_answer_no() {
    for payload in [
        b"".as_slice(),
        b"\x17",
        b"\x17\x03\0\0\0",
        b"\x18",
        b"\x90avc",
        b"\x96",
        b"\x96\x31avc1",
        b"\x9favc1",
        b"\x91avc1\0",
    ] {
        let payload = Bytes::copy_from_slice(payload);
        assert!(Video::parse(&payload).is_err(), "{payload:?}");
        let header = header(TagType::Video, &payload);
        assert!(
            !header.is_sequence_header() && !header.is_keyframe() && !header.is_end_of_sequence(),
            "{payload:?}"
        );
    }
    for payload in [
        b"\xa0".as_slice(),
        b"\xa0\x02",
        b"\xc0",
        b"\x90Opu",
        b"\x95",
        b"\x93Opus",
    ] {
        let payload = Bytes::copy_from_slice(payload);
        assert!(Audio::parse(&payload).is_err(), "{payload:?}");
        assert!(
            !header(TagType::Audio, &payload).is_sequence_header(),
            "{payload:?}"
        );
    }
}

#[test]
fn a_channel_layout_goes_both_ways() {
    for (layout, bytes) in [
        (
            ChannelLayout {
                channels: 2,
                order: ChannelOrder::Unspecified,
            },
            b"\0\x02".as_slice(),
        ),
        (
            ChannelLayout {
                channels: 6,
                order: ChannelOrder::Native(0x3f),
            },
            b"\x01\x06\0\0\0\x3f",
        ),
        (
            ChannelLayout {
                channels: 3,
                order: ChannelOrder::Custom(vec![1, 0, 0xfe]),
            },
            b"\x02\x03\x01\0\xfe",
        ),
    ] {
        assert_eq!(layout.encode().as_ref(), bytes);
        assert_eq!(ChannelLayout::parse(bytes), Ok(layout));
    }
    assert_eq!(
        ChannelLayout::parse(b"\x02\x03\x01"),
        Err(Error::Truncated("channel layout"))
    );
}

#[test]
fn script_data_has_a_name_and_is_found_by_it() {
    let metadata = ScriptData::metadata(Object::new().with("width", 320.0));
    let payload = metadata.encode();
    assert_eq!(ScriptData::parse(&payload), Ok(metadata.clone()));
    assert_eq!(
        metadata.properties().and_then(|object| object.get("width")),
        Some(&Value::Number(320.0))
    );
    assert!(header(TagType::Script, &payload).is_metadata());
    assert_eq!(
        header(
            TagType::Script,
            &ScriptData::new("onTextData", vec![]).encode()
        )
        .kind(),
        Kind::Data
    );
    assert!(ScriptData::parse(b"\x05").is_err() && ScriptData::parse(b"").is_err());
    let trailing = [payload.as_ref(), b"\xff\xff"].concat();
    assert_eq!(ScriptData::parse(&trailing), Ok(metadata));
}

#[test]
fn color_info_goes_through_video_metadata() {
    let mut color = ColorInfo {
        bit_depth: Some(10.0),
        color_primaries: Some(9.0),
        max_cll: Some(1000.0),
        ..ColorInfo::default()
    };
    color.mastering[8] = Some(4000.0);
    let data = crate::amf0::encode_all(&["colorInfo".into(), color.to_value()]);
    assert_eq!(video::color_info(&data), Ok(Some(color)));
    let reset = crate::amf0::encode_all(&["colorInfo".into(), Value::Undefined]);
    assert_eq!(video::color_info(&reset), Ok(Some(ColorInfo::default())));
    assert_eq!(video::color_info(b""), Ok(None));
}
