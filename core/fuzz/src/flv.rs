//! FLV: files, tags, configuration records.

use bytes::Bytes;
use chalkcast_core::flv::{
    AudioCodec, AudioConfig, Codec, Demuxer, FourCc, Muxer, Tag, TagHeader, TagType, VideoCodec,
    VideoConfig, audio::Audio, audio::ChannelLayout, avc, opus, script::ScriptData, video,
    video::Video, vpx,
};
use chalkcast_core::fmp4::{Config, Segmenter};

/// The first byte says how the rest is cut: into a file read in pieces, or into the payload of one tag and a configuration record.
pub fn run(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    match choice {
        0..128 => check_file(rest, usize::from(choice) * 5 + 1),
        128..192 => check_tag(&Tag::new(
            [TagType::Audio, TagType::Video, TagType::Script][usize::from(choice % 3)],
            Default::default(),
            Bytes::copy_from_slice(rest),
        )),
        _ => check_records(&Bytes::copy_from_slice(rest)),
    }
}

/// Every tag that is found goes out and comes in again.
fn check_file(bytes: &[u8], piece: usize) {
    let read = |piece| {
        let mut demuxer = Demuxer::with_max_payload(4096);
        let mut tags = Vec::new();
        for piece in bytes.chunks(piece) {
            demuxer.push(piece);
            tags.extend(std::iter::from_fn(|| demuxer.next_tag()));
        }
        demuxer.finish();
        tags.extend(std::iter::from_fn(|| demuxer.next_tag()));
        assert!(demuxer.skipped().bytes <= bytes.len() as u64);
        tags
    };
    let tags = read(piece);
    let mut muxer = Muxer::new(true, true);
    let mut muxed = Vec::new();
    for tag in &tags {
        check_tag(tag);
        muxer
            .encode(tag, &mut muxed)
            .expect("a tag that was read is short enough");
    }
    let mut segmenter = Segmenter::new(Config::default());
    tags.iter().for_each(|tag| segmenter.push(tag));
    segmenter.flush();
    while segmenter.poll_output().is_some() {}
    let mut demuxer = Demuxer::new();
    demuxer.push(&muxed);
    assert!(std::iter::from_fn(|| demuxer.next_tag()).eq(tags));
}

fn check_tag(tag: &Tag) {
    let header = TagHeader::parse(tag);
    let split = tag.split_tracks();
    match tag.tag_type {
        TagType::Video => {
            let Ok(video) = Video::parse(&tag.payload) else {
                return;
            };
            let encoded = video.encode().expect("what was read can be written");
            assert_eq!(Video::parse(&encoded), Ok(video.clone()));
            assert!(split.is_ok());
            if let Some(track) = video.tracks.first() {
                assert_eq!(header.codec(), Some(Codec::Video(track.codec)));
                assert_eq!(
                    (header.track_id(), header.composition_time()),
                    (track.track_id, track.composition_time)
                );
                let _ = (
                    video::metadata(&track.data),
                    video::color_info(&track.data),
                    VideoConfig::parse(track.codec, &track.data),
                );
            }
        }
        TagType::Audio => {
            let Ok(audio) = Audio::parse(&tag.payload) else {
                return;
            };
            let encoded = audio.encode().expect("what was read can be written");
            assert_eq!(Audio::parse(&encoded), Ok(audio.clone()));
            assert!(split.is_ok());
            if let Some(track) = audio.tracks.first() {
                assert_eq!(
                    (header.codec(), header.track_id()),
                    (Some(Codec::Audio(track.codec)), track.track_id)
                );
                let _ = (
                    ChannelLayout::parse(&track.data),
                    AudioConfig::parse(track.codec, &track.data),
                );
            }
        }
        TagType::Script => {
            let _ = ScriptData::parse(&tag.payload);
        }
    }
}

fn check_records(record: &Bytes) {
    for fourcc in [
        FourCc::AVC,
        FourCc::HEVC,
        FourCc::VP8,
        FourCc::VP9,
        FourCc::AV1,
    ] {
        let _ = VideoConfig::parse(VideoCodec::from_fourcc(fourcc), record);
    }
    for fourcc in [FourCc::AAC, FourCc::OPUS, FourCc::FLAC, FourCc::MP3] {
        let codec = AudioCodec::from_fourcc(fourcc);
        let _ = (
            AudioConfig::parse(codec, record),
            AudioConfig::from_frame(codec, record),
        );
    }
    let _ = (
        avc::Sps::parse(record),
        opus::packet_duration(record),
        vpx::vp8_frame_size(record),
        vpx::vp9_frame_size(record),
    );
    if let Ok(config) = avc::DecoderConfig::parse(record) {
        assert_eq!(avc::DecoderConfig::parse(&config.encode()), Ok(config));
    }
    let lengths = avc::annex_b_to_length_prefixed(record);
    let back = avc::length_prefixed_to_annex_b(&lengths, 4).expect("lengths that were written");
    assert!(avc::nal_units(&back).eq(avc::nal_units(record)));
    for size in 0..=4 {
        let _ = avc::length_prefixed_to_annex_b(record, size);
    }
}
