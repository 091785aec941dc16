//! FLV files of real writers (`vectors/flv/README.md`, `examples/lesson`): read whole, typed, and written back byte for byte.

use chalkcast_core::flv::{
    AudioCodec, AudioConfig, Codec, Demuxer, Kind, Muxer, Skipped, Tag, TagHeader, TagType,
    VideoCodec, VideoConfig, audio::Audio, script::ScriptData, video::Video,
};

/// What ffprobe says of a file.
struct Expected {
    file: &'static str,
    video: Option<(VideoCodec, usize, (u32, u32), u32)>,
    audio: (AudioCodec, usize, u32, u8),
}

const FILES: [Expected; 5] = [
    Expected {
        file: "h264-bframes-aac.flv",
        video: Some((VideoCodec::Avc, 18, (160, 120), 2)),
        audio: (AudioCodec::Aac, 53, 44_100, 1),
    },
    Expected {
        file: "h263-mp3.flv",
        video: Some((VideoCodec::SorensonH263, 15, (160, 120), 0)),
        audio: (AudioCodec::Mp3, 40, 44_100, 1),
    },
    Expected {
        file: "nellymoser.flv",
        video: None,
        audio: (AudioCodec::Nellymoser, 88, 22_050, 1),
    },
    Expected {
        file: "speex.flv",
        video: None,
        audio: (AudioCodec::Speex, 50, 16_000, 1),
    },
    Expected {
        file: "../../../../examples/lesson/lesson.flv",
        video: Some((VideoCodec::Avc, 1792, (640, 360), 0)),
        audio: (AudioCodec::Aac, 3087, 44_100, 1),
    },
];

fn read(file: &str) -> Vec<u8> {
    let path = format!("{}/tests/vectors/flv/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn demuxed(bytes: &[u8]) -> (Vec<Tag>, Skipped) {
    let mut demuxer = Demuxer::new();
    let mut tags = Vec::new();
    for chunk in bytes.chunks(1460) {
        demuxer.push(chunk);
        tags.extend(std::iter::from_fn(|| demuxer.next_tag()));
    }
    demuxer.finish();
    tags.extend(std::iter::from_fn(|| demuxer.next_tag()));
    (tags, demuxer.skipped())
}

#[test]
fn every_tag_is_read_and_written_back() {
    for expected in &FILES {
        let bytes = read(expected.file);
        let (tags, skipped) = demuxed(&bytes);
        assert_eq!(skipped, Skipped::default(), "{}", expected.file);
        let mut muxer = Muxer::new(true, expected.video.is_some());
        let mut out = Vec::new();
        for tag in &tags {
            muxer
                .encode(tag, &mut out)
                .expect("a tag as ffmpeg writes them");
            let payload = match tag.tag_type {
                TagType::Video => Video::parse(&tag.payload)
                    .expect("a tag as ffmpeg writes them")
                    .encode()
                    .unwrap(),
                TagType::Audio => Audio::parse(&tag.payload)
                    .expect("a tag as ffmpeg writes them")
                    .encode()
                    .unwrap(),
                TagType::Script => ScriptData::parse(&tag.payload)
                    .expect("a tag as ffmpeg writes them")
                    .encode(),
            };
            assert_eq!(payload, tag.payload, "{}", expected.file);
        }
        assert!(out == bytes, "{}", expected.file);
    }
}

#[test]
fn frames_codecs_and_configurations_are_those_that_ffprobe_sees() {
    for expected in &FILES {
        let (tags, _) = demuxed(&read(expected.file));
        let headers: Vec<_> = tags.iter().map(TagHeader::parse).collect();
        let frames = |codec| {
            headers
                .iter()
                .filter(|header| {
                    header.kind() == Kind::CodedFrames && header.codec() == Some(codec)
                })
                .count()
        };
        assert_eq!(
            headers.iter().filter(|header| header.is_metadata()).count(),
            1,
            "{}",
            expected.file
        );
        let (codec, count, sample_rate, channels) = expected.audio;
        assert_eq!(frames(Codec::Audio(codec)), count, "{}", expected.file);
        if let Some(config) = audio_config(&tags) {
            assert_eq!(
                (config.codec, config.sample_rate, config.channels),
                (codec, sample_rate, channels)
            );
        }
        let Some((codec, count, size, reorder_frames)) = expected.video else {
            continue;
        };
        assert_eq!(frames(Codec::Video(codec)), count, "{}", expected.file);
        assert!(headers.iter().any(TagHeader::is_keyframe));
        if let Some(config) = video_config(&tags) {
            assert_eq!(
                (config.codec, config.size, config.reorder_frames),
                (codec, Some(size), Some(reorder_frames)),
                "{}",
                expected.file
            );
        }
    }
    let (tags, _) = demuxed(&read(FILES[0].file));
    assert!(video_config(&tags).is_some() && audio_config(&tags).is_some());
    let reordered = tags
        .iter()
        .map(TagHeader::parse)
        .filter(|header| header.composition_time() != 0)
        .count();
    assert!(reordered > 0);
}

fn video_config(tags: &[Tag]) -> Option<VideoConfig> {
    let header = tags
        .iter()
        .find(|tag| tag.tag_type == TagType::Video && TagHeader::parse(tag).is_sequence_header())?;
    let video = Video::parse(&header.payload).expect("a tag as ffmpeg writes them");
    Some(
        VideoConfig::parse(video.tracks[0].codec, &video.tracks[0].data)
            .expect("a tag as ffmpeg writes them"),
    )
}

fn audio_config(tags: &[Tag]) -> Option<AudioConfig> {
    let tag = tags.iter().find(|tag| tag.tag_type == TagType::Audio)?;
    let audio = Audio::parse(&tag.payload).expect("a tag as ffmpeg writes them");
    let track = &audio.tracks[0];
    if TagHeader::parse(tag).is_sequence_header() {
        return Some(
            AudioConfig::parse(track.codec, &track.data).expect("a tag as ffmpeg writes them"),
        );
    }
    AudioConfig::from_frame(track.codec, &track.data)
}

#[test]
fn a_file_with_a_tag_torn_out_loses_only_that() {
    let bytes = read("h264-bframes-aac.flv");
    let (whole, _) = demuxed(&bytes);
    for at in (1000..bytes.len() - 1000).step_by(501) {
        let mut torn = bytes.clone();
        torn.drain(at..at + 100);
        let (tags, skipped) = demuxed(&torn);
        let lost = whole.iter().filter(|tag| !tags.contains(tag)).count();
        assert!(
            tags.len() + lost >= whole.len()
                && lost <= 3
                && tags.iter().filter(|tag| !whole.contains(tag)).count() <= 1,
            "{at}: {lost} {skipped:?}"
        );
    }
}
