use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::*;
use crate::flv::audio::SoundFlags;
use crate::flv::video::FrameType;
use crate::flv::{AudioCodec, VideoCodec};
use crate::wire::Reader;

const ASC: Bytes = Bytes::from_static(&[0x12, 0x10]);
/// x264, 160x120, High, as ffmpeg wrote it.
const AVCC: Bytes = Bytes::from_static(&[
    0x01, 0x64, 0x00, 0x0c, 0xff, 0xe1, 0x00, 0x1b, 0x67, 0x64, 0x00, 0x0c, 0xac, 0x76, 0x11, 0x0a,
    0x11, 0xf9, 0x70, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x1e, 0x0f, 0x14,
    0x29, 0x84, 0x60, 0x01, 0x00, 0x06, 0x68, 0xe8, 0x43, 0xb2, 0xc8, 0xb0, 0xfd, 0xf8, 0xf8, 0x00,
]);

fn picture(millis: u32, keyframe: bool, composition_time: i32) -> Tag {
    let frame_type = if keyframe {
        FrameType::Key
    } else {
        FrameType::Inter
    };
    let data = Bytes::copy_from_slice(&millis.to_be_bytes());
    let video = Video::legacy(
        frame_type,
        VideoCodec::Avc,
        video::PacketType::CodedFrames,
        composition_time,
        data,
    );
    Tag::new(
        TagType::Video,
        Timestamp::from_millis(millis),
        video.encode().unwrap(),
    )
}

fn video_header(record: Bytes) -> Tag {
    let video = Video::legacy(
        FrameType::Key,
        VideoCodec::Avc,
        video::PacketType::SequenceStart,
        0,
        record,
    );
    Tag::new(TagType::Video, Timestamp::ZERO, video.encode().unwrap())
}

fn sound(millis: u32) -> Tag {
    let audio = Audio::legacy(
        SoundFlags::AAC,
        AudioCodec::Aac,
        audio::PacketType::CodedFrames,
        Bytes::from_static(b"frame"),
    );
    Tag::new(
        TagType::Audio,
        Timestamp::from_millis(millis),
        audio.encode().unwrap(),
    )
}

fn audio_header(config: Bytes) -> Tag {
    let audio = Audio::legacy(
        SoundFlags::AAC,
        AudioCodec::Aac,
        audio::PacketType::SequenceStart,
        config,
    );
    Tag::new(TagType::Audio, Timestamp::ZERO, audio.encode().unwrap())
}

fn outputs(segmenter: &mut Segmenter, tags: impl IntoIterator<Item = Tag>) -> Vec<Output> {
    tags.into_iter().for_each(|tag| segmenter.push(&tag));
    core::iter::from_fn(|| segmenter.poll_output()).collect()
}

fn segments(outputs: &[Output]) -> Vec<&Segment> {
    outputs
        .iter()
        .filter_map(|output| {
            if let Output::Media(segment) = output {
                Some(segment)
            } else {
                None
            }
        })
        .collect()
}

/// The body of the box at this path.
fn find<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> &'a [u8] {
    let Some((name, deeper)) = path.split_first() else {
        return bytes;
    };
    let mut reader = Reader::new(bytes);
    loop {
        let size = reader.u32().unwrap() as usize;
        let found: [u8; 4] = reader.array().unwrap();
        let body = reader.take(size - 8).unwrap();
        if found == **name {
            return find(body, deeper);
        }
    }
}

/// Decoding time, then for each sample its duration, flags and composition time, and its data.
fn samples(segment: &Segment) -> (u64, Vec<(u32, u32, i32)>, Vec<u8>) {
    let tfdt = find(&segment.data, &[b"moof", b"traf", b"tfdt"]);
    let trun = find(&segment.data, &[b"moof", b"traf", b"trun"]);
    let mut reader = Reader::new(&trun[4..]);
    let (count, offset) = (reader.u32().unwrap(), reader.u32().unwrap());
    let mut samples = Vec::new();
    let mut size = 0;
    for _ in 0..count {
        let [duration, length, flags, composition] = [(); 4].map(|()| reader.u32().unwrap());
        samples.push((duration, flags, composition as i32));
        size += length as usize;
    }
    assert!(reader.is_empty());
    let data = &segment.data[offset as usize..][..size];
    assert_eq!(data, find(&segment.data, &[b"mdat"]));
    (
        u64::from_be_bytes(tfdt[4..].try_into().unwrap()),
        samples,
        data.to_vec(),
    )
}

#[test]
fn frames_keep_their_times_and_keyframes_start_segments() {
    let mut segmenter = Segmenter::new(Config {
        segment_duration: Duration::from_secs(1),
        ..Config::default()
    });
    let tags = [
        video_header(AVCC),
        picture(100, true, 80),
        picture(140, false, -40),
        picture(181, false, 0),
        picture(220, true, 80),
        picture(260, false, 0),
    ];
    let outputs = outputs(&mut segmenter, tags);
    let Output::Init(init) = &outputs[0] else {
        panic!("{outputs:?}")
    };
    assert_eq!(
        (init.stream, init.mime_type.as_str()),
        (Stream::Video, "video/mp4; codecs=\"avc1.64000c\"")
    );
    let stsd = find(
        &init.data,
        &[b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"],
    );
    assert!(stsd.windows(AVCC.len()).any(|window| window == AVCC));
    let segments = segments(&outputs);
    assert_eq!(segments.len(), 1);
    assert_eq!(
        (segments[0].start, segments[0].duration),
        (Duration::from_millis(100), Duration::from_millis(120))
    );
    let (start, samples, data) = samples(segments[0]);
    assert_eq!(
        (start, samples),
        (
            100,
            vec![
                (40, 0x0200_0000, 80),
                (41, 0x0101_0000, -40),
                (39, 0x0101_0000, 0)
            ]
        )
    );
    assert_eq!(data, [0, 0, 0, 100, 0, 0, 0, 140, 0, 0, 0, 181]);
    segmenter.flush();
    let Some(Output::Media(last)) = segmenter.poll_output() else {
        panic!()
    };
    assert_eq!(
        (last.start, last.duration, last.starts_with_keyframe),
        (Duration::from_millis(220), Duration::from_millis(80), true)
    );
}

#[test]
fn time_goes_on_across_the_wrap_for_both_streams() {
    let mut segmenter = Segmenter::new(Config {
        segment_duration: Duration::ZERO,
        ..Config::default()
    });
    let before = u32::MAX - 9;
    let tags = [
        video_header(AVCC),
        audio_header(ASC),
        picture(before, true, 0),
        sound(before),
        sound(before.wrapping_add(23)),
        picture(before.wrapping_add(40), false, 0),
        picture(before.wrapping_add(80), false, 0),
    ];
    let outputs = outputs(&mut segmenter, tags);
    let starts: Vec<_> = segments(&outputs)
        .iter()
        .map(|segment| (segment.stream, segment.start.as_millis()))
        .collect();
    let start = u128::from(before);
    assert_eq!(
        starts,
        [
            (Stream::Audio, start),
            (Stream::Video, start),
            (Stream::Video, start + 40)
        ]
    );
    let wrapped = |millis| Timestamp::from_millis(before.wrapping_add(millis));
    let start = i64::from(before);
    assert_eq!(segmenter.millis(wrapped(100)), Some(start + 100));
    assert_eq!(
        segmenter.millis(wrapped(0u32.wrapping_sub(9000))),
        Some(start - 9000)
    );
}

#[test]
fn a_position_before_the_stream_is_below_zero() {
    let mut segmenter = Segmenter::new(Config::default());
    assert_eq!(segmenter.millis(Timestamp::ZERO), None);
    outputs(&mut segmenter, [video_header(AVCC), picture(5, true, 0)]);
    let before = Timestamp::from_millis(5u32.wrapping_sub(9000));
    assert_eq!(segmenter.millis(before), Some(-8995));
}

#[test]
fn sound_is_timed_in_samples_until_a_gap() {
    let mut segmenter = Segmenter::new(Config {
        segment_duration: Duration::from_secs(10),
        ..Config::default()
    });
    // Timestamps round 23.22 ms; then half a second is missing; then the clock is put back.
    let millis = [0, 23, 46, 70, 93, 616, 639, 100];
    let outputs = outputs(
        &mut segmenter,
        [audio_header(ASC)].into_iter().chain(millis.map(sound)),
    );
    let found: Vec<_> = segments(&outputs)
        .into_iter()
        .map(samples)
        .map(|(start, samples, _)| (start, samples))
        .collect();
    let frame = (1024, 0x0200_0000, 0);
    assert_eq!(
        found,
        [
            (0, vec![frame; 5]),
            ((616 * 441_u64).div_ceil(10), vec![frame; 2])
        ]
    );
}

#[test]
fn a_short_silence_leaves_no_hole() {
    let mut segmenter = Segmenter::new(Config {
        prompt: true,
        ..Config::default()
    });
    // Two frames are missing, and later five.
    let millis = [0, 23, 93, 116, 255];
    let outputs = outputs(
        &mut segmenter,
        [audio_header(ASC)].into_iter().chain(millis.map(sound)),
    );
    let mut found = Vec::new();
    for segment in segments(&outputs) {
        let (start, samples, _) = samples(segment);
        found.push((start, start + u64::from(samples[0].0)));
    }
    let back = |millis: u64| (millis * 441).div_ceil(10);
    let end = back(93) + 1024;
    let expected = [
        (0, 1024),
        (1024, 2048),
        (2048, end),
        (end, end + 1024),
        (back(255), back(255) + 1024),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_changed_configuration_gives_a_new_initialization_and_waits_for_a_keyframe() {
    let mut other = AVCC.to_vec();
    other[3] = 31;
    let mut segmenter = Segmenter::new(Config {
        segment_duration: Duration::ZERO,
        ..Config::default()
    });
    let tags = [
        picture(0, true, 0),
        video_header(AVCC),
        picture(40, false, 0),
        picture(80, true, 0),
        video_header(AVCC),
        picture(120, false, 0),
        video_header(other.into()),
        picture(160, false, 0),
        picture(200, true, 0),
        picture(240, false, 0),
    ];
    let outputs = outputs(&mut segmenter, tags);
    let kinds = outputs.iter().map(|output| match output {
        Output::Init(_) => None,
        Output::Media(segment) => Some(segment.start.as_millis()),
    });
    let kinds: Vec<_> = kinds.collect();
    assert_eq!(kinds, [None, Some(80), Some(120), None, Some(200)]);
    assert_eq!(
        segmenter.skipped(),
        Skipped {
            early: 3,
            ..Skipped::default()
        }
    );
}

#[test]
fn what_has_no_place_is_counted() {
    let mut segmenter = Segmenter::new(Config::default());
    let speex = Audio::legacy(
        SoundFlags::AAC,
        AudioCodec::Speex,
        audio::PacketType::CodedFrames,
        Bytes::from_static(b"x"),
    );
    let h263 = Video::legacy(
        FrameType::Key,
        VideoCodec::SorensonH263,
        video::PacketType::CodedFrames,
        0,
        Bytes::from_static(b"x"),
    );
    let tags = [
        Tag::new(TagType::Audio, Timestamp::ZERO, speex.encode().unwrap()),
        Tag::new(TagType::Video, Timestamp::ZERO, h263.encode().unwrap()),
        Tag::new(
            TagType::Video,
            Timestamp::ZERO,
            Bytes::from_static(b"\x17\x09"),
        ),
        video_header(Bytes::from_static(b"\x01")),
        sound(0),
        Tag::new(TagType::Script, Timestamp::ZERO, Bytes::new()),
    ];
    assert_eq!(outputs(&mut segmenter, tags), []);
    assert_eq!(
        segmenter.skipped(),
        Skipped {
            malformed: 2,
            unsupported: 2,
            early: 1
        }
    );
}

#[test]
fn frames_that_stand_still_in_time_are_bounded() {
    let mut segmenter = Segmenter::new(Config {
        segment_duration: Duration::from_secs(3600),
        ..Config::default()
    });
    let outputs = outputs(
        &mut segmenter,
        [video_header(AVCC), picture(0, true, 0)]
            .into_iter()
            .chain((0..100).map(|_| picture(5, false, 0))),
    );
    assert!(segments(&outputs).len() >= 99);
    let forward = core::iter::once(picture(10, true, 0))
        .chain((11..5000).map(|millis| picture(millis, false, 0)));
    assert!(
        self::segments(&self::outputs(&mut segmenter, forward))
            .iter()
            .all(|segment| segment.data.len() < 32_000)
    );
}

/// Start, duration and composition time of each segment, where frames come out at once.
fn prompt_times(millis: &[u32]) -> Vec<(u64, u32, i32)> {
    let mut segmenter = Segmenter::new(Config {
        prompt: true,
        ..Config::default()
    });
    let pictures = millis
        .iter()
        .enumerate()
        .map(|(i, &millis)| picture(millis, i == 0, 0));
    let outputs = outputs(
        &mut segmenter,
        [video_header(AVCC)].into_iter().chain(pictures),
    );
    segments(&outputs)
        .into_iter()
        .map(|segment| {
            let (start, samples, _) = samples(segment);
            assert_eq!(samples.len(), 1);
            (start, samples[0].0, samples[0].2)
        })
        .collect()
}

#[test]
fn a_prompt_frame_is_as_long_as_those_before_it() {
    let found = prompt_times(&[0, 33, 67, 100, 133, 167]);
    let expected = [
        (0, 40, 0),
        (33, 33, 0),
        (67, 34, 0),
        (100, 33, 0),
        (133, 33, 0),
        (167, 33, 0),
    ];
    assert_eq!(found, expected);
}

#[test]
fn pictures_that_are_missing_make_no_gap_in_decoding_times() {
    let found = prompt_times(&[0, 40, 80, 120, 1120, 1160, 1200, 1200, 1240]);
    for (before, after) in found.iter().zip(&found[1..]) {
        let step = after.0 - before.0;
        assert!(step > 0 && step <= 2 * u64::from(before.1), "{found:?}");
    }
    let presentation: Vec<_> = found
        .iter()
        .map(|(start, _, composition)| *start as i64 + i64::from(*composition))
        .collect();
    assert_eq!(presentation, [0, 40, 80, 120, 1120, 1160, 1200, 1200, 1240]);
}

#[test]
fn prompt_frames_far_apart_keep_their_times() {
    let found = prompt_times(&[0, 40, 20_000, 20_040, 10]);
    let starts: Vec<_> = found.iter().map(|found| (found.0, found.2)).collect();
    assert_eq!(starts, [(0, 0), (40, 0), (20_000, 0), (20_040, 0), (10, 0)]);
}

#[test]
fn mp3_comes_as_it_is_where_that_is_asked_for() {
    // MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes, 1152 samples.
    let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
    frame.resize(417, 0);
    let mut segmenter = Segmenter::new(Config {
        prompt: true,
        bare_mp3: true,
        ..Config::default()
    });
    let tags = [0, 26, 52].map(|millis| {
        let audio = Audio::legacy(
            SoundFlags::AAC,
            AudioCodec::Mp3,
            audio::PacketType::CodedFrames,
            frame.clone().into(),
        );
        Tag::new(
            TagType::Audio,
            Timestamp::from_millis(millis),
            audio.encode().unwrap(),
        )
    });
    let outputs = outputs(&mut segmenter, tags);
    let Output::Init(init) = &outputs[0] else {
        panic!("{outputs:?}")
    };
    assert_eq!(
        (init.mime_type.as_str(), init.data.len()),
        ("audio/mpeg", 0)
    );
    let segments = segments(&outputs);
    assert_eq!(segments.len(), 3);
    assert!(segments.iter().all(|segment| segment.data == frame));
    assert_eq!(segments[1].start.as_micros(), 1152 * 1_000_000 / 44_100);
}
