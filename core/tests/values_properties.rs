//! AMF values, FLV headers and FLV files go both ways, whatever they hold.

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, dead_code)]
mod targets;

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::amf0::{self, Object, Value};
use chalkcast_core::amf3;
use chalkcast_core::flv::audio::{self, Audio, ChannelLayout, ChannelOrder, SoundFlags};
use chalkcast_core::flv::script::ScriptData;
use chalkcast_core::flv::video::{self, FrameType, Video};
use chalkcast_core::flv::{
    AudioCodec, Demuxer, FourCc, ModEx, Multitrack, Muxer, Tag, TagType, VideoCodec, aac, avc, opus,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Any double but NaN, which differs from itself.
fn number() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("NaN", |number| !number.is_nan())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![9 => ".{0,12}", 1 => Just("课".repeat(30_000))]
}

fn amf0_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        number().prop_map(Value::Number),
        any::<bool>().prop_map(Value::Boolean),
        text().prop_map(Value::String),
        Just(Value::Null),
        Just(Value::Undefined),
        Just(Value::Unsupported),
        (number(), any::<i16>()).prop_map(|(millis, time_zone)| Value::Date { millis, time_zone }),
        text().prop_map(Value::Xml),
        amf3_value().prop_map(|value| Value::AvmPlus(Box::new(value))),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let object = vec((".{0,8}", inner.clone()), 0..6).prop_map(Object);
        prop_oneof![
            object.clone().prop_map(Value::Object),
            object.clone().prop_map(Value::EcmaArray),
            (".{0,8}", object)
                .prop_map(|(class_name, object)| Value::TypedObject { class_name, object }),
            vec(inner, 0..6).prop_map(Value::StrictArray),
        ]
    })
}

fn amf3_value() -> impl Strategy<Value = amf3::Value> {
    use amf3::Value;
    let leaf = prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        (-(1_i32 << 28)..1 << 28).prop_map(Value::Integer),
        number().prop_map(Value::Double),
        text().prop_map(Value::String),
        text().prop_map(Value::XmlDocument),
        text().prop_map(Value::Xml),
        number().prop_map(Value::Date),
        vec(any::<u8>(), 0..20).prop_map(Value::ByteArray),
        (any::<bool>(), vec(any::<i32>(), 0..5))
            .prop_map(|(fixed, values)| Value::VectorInt { fixed, values }),
        (any::<bool>(), vec(any::<u32>(), 0..5))
            .prop_map(|(fixed, values)| Value::VectorUint { fixed, values }),
        (any::<bool>(), vec(number(), 0..5))
            .prop_map(|(fixed, values)| Value::VectorDouble { fixed, values }),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let named = vec((".{1,8}", inner.clone()), 0..5);
        let object = (".{0,8}", named.clone(), proptest::option::of(named.clone())).prop_map(
            |(class_name, sealed, dynamic)| amf3::Object {
                class_name,
                sealed,
                dynamic,
            },
        );
        prop_oneof![
            (named, vec(inner.clone(), 0..5))
                .prop_map(|(associative, dense)| Value::Array { associative, dense }),
            object.prop_map(Value::Object),
            inner.clone().prop_map(|value| Value::Externalizable {
                class_name: "flex.messaging.io.ObjectProxy".into(),
                value: Box::new(value)
            }),
            (any::<bool>(), ".{0,8}", vec(inner.clone(), 0..5)).prop_map(
                |(fixed, type_name, values)| Value::VectorObject {
                    fixed,
                    type_name,
                    values
                }
            ),
            (any::<bool>(), vec((inner.clone(), inner), 0..5))
                .prop_map(|(weak, entries)| Value::Dictionary { weak, entries }),
        ]
    })
}

fn data() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn mod_ex() -> impl Strategy<Value = Vec<ModEx>> {
    let one = prop_oneof![
        (0_u32..1 << 24).prop_map(ModEx::TimestampOffsetNano),
        (1_u8..16, vec(any::<u8>(), 1..600)).prop_map(|(kind, data)| ModEx::Other {
            kind,
            data: data.into()
        }),
    ];
    vec(one, 0..4)
}

fn fourcc(known: &'static [FourCc]) -> impl Strategy<Value = FourCc> {
    prop_oneof![4 => proptest::sample::select(known), 1 => any::<[u8; 4]>().prop_map(FourCc)]
}

/// Multitrack type, and the tracks it allows: an id and a codec each.
fn tracks(
    known: &'static [FourCc],
) -> impl Strategy<Value = (Option<Multitrack>, Vec<(u8, FourCc)>)> {
    prop_oneof![
        fourcc(known).prop_map(|codec| (None, vec![(0, codec)])),
        (any::<u8>(), fourcc(known))
            .prop_map(|(id, codec)| (Some(Multitrack::OneTrack), vec![(id, codec)])),
        (vec(any::<u8>(), 1..5), fourcc(known)).prop_map(|(ids, codec)| (
            Some(Multitrack::ManyTracks),
            ids.into_iter().map(|id| (id, codec)).collect()
        )),
        vec((any::<u8>(), fourcc(known)), 1..5)
            .prop_map(|tracks| (Some(Multitrack::ManyTracksManyCodecs), tracks)),
    ]
}

fn enhanced_video() -> impl Strategy<Value = Video> {
    use video::PacketType::*;
    let frame_type = proptest::sample::select(vec![
        FrameType::Key,
        FrameType::Inter,
        FrameType::GeneratedKey,
        FrameType::Reserved(6),
    ]);
    let packet_type = proptest::sample::select(vec![
        SequenceStart,
        CodedFrames,
        SequenceEnd,
        CodedFramesX,
        Metadata,
        Mpeg2TsSequenceStart,
    ]);
    let codecs = &[
        FourCc::AVC,
        FourCc::HEVC,
        FourCc::VVC,
        FourCc::VP8,
        FourCc::VP9,
        FourCc::AV1,
    ];
    (
        frame_type,
        packet_type,
        mod_ex(),
        tracks(codecs),
        data(),
        -(1_i32 << 23)..1 << 23,
    )
        .prop_map(
            |(frame_type, packet_type, mod_ex, (multitrack, tracks), data, time)| Video {
                form: video::Form::Enhanced { mod_ex, multitrack },
                frame_type,
                packet_type,
                tracks: tracks
                    .into_iter()
                    .map(|(track_id, fourcc)| {
                        let codec = VideoCodec::from_fourcc(fourcc);
                        let timed = packet_type == CodedFrames && codec.has_composition_time();
                        video::Track {
                            track_id,
                            codec,
                            composition_time: if timed { time } else { 0 },
                            data: data.clone(),
                        }
                    })
                    .collect(),
            },
        )
}

fn enhanced_audio() -> impl Strategy<Value = Audio> {
    use audio::PacketType::*;
    let packet_type = proptest::sample::select(vec![
        SequenceStart,
        CodedFrames,
        SequenceEnd,
        MultichannelConfig,
    ]);
    let codecs = &[
        FourCc::AAC,
        FourCc::OPUS,
        FourCc::FLAC,
        FourCc::AC3,
        FourCc::EAC3,
        FourCc::MP3,
    ];
    (packet_type, mod_ex(), tracks(codecs), data()).prop_map(
        |(packet_type, mod_ex, (multitrack, tracks), data)| Audio {
            form: audio::Form::Enhanced { mod_ex, multitrack },
            packet_type,
            tracks: tracks
                .into_iter()
                .map(|(track_id, fourcc)| audio::Track {
                    track_id,
                    codec: AudioCodec::from_fourcc(fourcc),
                    data: data.clone(),
                })
                .collect(),
        },
    )
}

fn tag() -> impl Strategy<Value = Tag> {
    let tag_type = proptest::sample::select(vec![TagType::Audio, TagType::Video, TagType::Script]);
    (tag_type, any::<u32>(), vec(any::<u8>(), 0..300)).prop_map(|(tag_type, millis, payload)| {
        Tag::new(tag_type, Timestamp::from_millis(millis), payload.into())
    })
}

fn muxed(tags: &[Tag]) -> Vec<u8> {
    let mut muxer = Muxer::new(true, true);
    let mut out = Vec::new();
    muxer.start(&mut out);
    tags.iter()
        .for_each(|tag| muxer.encode(tag, &mut out).expect("a short tag"));
    out
}

fn demuxed(bytes: &[u8], piece: usize) -> Vec<Tag> {
    let mut demuxer = Demuxer::new();
    let mut tags = Vec::new();
    for piece in bytes.chunks(piece) {
        demuxer.push(piece);
        tags.extend(std::iter::from_fn(|| demuxer.next_tag()));
    }
    demuxer.finish();
    tags.extend(std::iter::from_fn(|| demuxer.next_tag()));
    tags
}

proptest! {
    #[test]
    fn amf0_goes_both_ways(values in vec(amf0_value(), 0..4)) {
        prop_assert_eq!(amf0::decode_all(&amf0::encode_all(&values)), Ok(values));
    }

    #[test]
    fn amf3_goes_both_ways(values in vec(amf3_value(), 0..4)) {
        prop_assert_eq!(amf3::decode_all(&amf3::encode_all(&values)), Ok(values));
    }

    #[test]
    fn script_data_goes_both_ways(name in text(), values in vec(amf0_value(), 0..3)) {
        let data = ScriptData { name, values };
        prop_assert_eq!(ScriptData::parse(&data.encode()), Ok(data));
    }

    #[test]
    fn enhanced_video_goes_both_ways(video in enhanced_video()) {
        prop_assert_eq!(Video::parse(&video.encode().unwrap()), Ok(video));
    }

    #[test]
    fn enhanced_audio_goes_both_ways(audio in enhanced_audio()) {
        prop_assert_eq!(Audio::parse(&audio.encode().unwrap()), Ok(audio));
    }

    #[test]
    fn legacy_headers_go_both_ways(id in 0_u8..16, packet in 0_usize..3, time in -(1_i32 << 23)..1 << 23, rate in 0_u32..50_000, flags in any::<(bool, bool)>(), data in data()) {
        if let Some(codec) = VideoCodec::from_id(id) {
            let timed = codec.has_composition_time();
            let packets = [video::PacketType::CodedFrames, video::PacketType::SequenceStart, video::PacketType::SequenceEnd];
            let video = Video::legacy(FrameType::Key, codec, packets[if timed { packet } else { 0 }], if timed { time } else { 0 }, data.clone());
            prop_assert_eq!(Video::parse(&video.encode().unwrap()), Ok(video));
        }
        if let Some(codec) = AudioCodec::from_id(id) {
            let packets = [audio::PacketType::CodedFrames, audio::PacketType::SequenceStart];
            let packet_type = packets[if codec == AudioCodec::Aac { packet % 2 } else { 0 }];
            let audio = Audio::legacy(SoundFlags::new(rate, flags.0, flags.1), codec, packet_type, data);
            prop_assert_eq!(Audio::parse(&audio.encode().unwrap()), Ok(audio));
        }
    }

    #[test]
    fn configuration_records_go_both_ways(
        layout in (any::<u8>(), prop_oneof![Just(ChannelOrder::Unspecified), any::<u32>().prop_map(ChannelOrder::Native), vec(any::<u8>(), 0..9).prop_map(ChannelOrder::Custom)]),
        head in (1_u8..9, any::<u16>(), any::<u32>(), any::<i16>()),
        (sample_rate, channels, object_type, short_frames) in (1_u32..1 << 24, prop_oneof![1_u8..7, Just(8)], prop_oneof![1_u8..5, Just(17)], any::<bool>()),
        extension in proptest::option::of((1_u32..1 << 24, any::<bool>(), any::<bool>())),
        (profile, sets) in (any::<u8>(), vec(data(), 0..4)),
    ) {
        let channels_of = |order: &ChannelOrder| if let ChannelOrder::Custom(speakers) = order { speakers.len() as u8 } else { layout.0 };
        let layout = ChannelLayout { channels: channels_of(&layout.1), order: layout.1.clone() };
        prop_assert_eq!(ChannelLayout::parse(&layout.encode()), Ok(layout));

        let opus = opus::OpusHead { output_gain: head.3, ..opus::OpusHead::new(head.0, head.1, head.2) };
        prop_assert_eq!(opus::OpusHead::parse(&opus.encode()), Ok(opus));

        let extension = extension.map(|(sample_rate, parametric_stereo, hierarchical)| aac::Extension { sample_rate, parametric_stereo, hierarchical });
        let config = aac::AudioSpecificConfig { object_type, sample_rate, channels, short_frames, extension };
        prop_assert_eq!(aac::AudioSpecificConfig::parse(&config.encode().unwrap()), Ok(config));

        let high = matches!(profile, 100 | 110 | 122 | 144 | 244).then(|| avc::High { chroma_format: 1, bit_depth_luma: 8, bit_depth_chroma: 10, sps_ext: sets.clone() });
        let avc = avc::DecoderConfig { profile, compatibility: 0, level: 31, nal_length_size: 4, sps: sets.clone(), pps: sets, high };
        prop_assert_eq!(avc::DecoderConfig::parse(&avc.encode()), Ok(avc));
    }

    #[test]
    fn files_go_both_ways_in_pieces(tags in vec(tag(), 0..12), piece in 1_usize..400) {
        prop_assert_eq!(demuxed(&muxed(&tags), piece), tags);
    }

    /// Noise between tags that is no tag by accident costs none of them.
    #[test]
    fn noise_costs_no_tags(tags in vec(tag(), 2..12), at in 1_usize..11, noise in vec(0x40_u8..0xff, 1..200), piece in 1_usize..400) {
        let at = at.min(tags.len() - 1);
        let mut bytes = muxed(&tags);
        let position = muxed(&tags[..at]).len();
        bytes.splice(position..position, noise);
        prop_assert_eq!(demuxed(&bytes, piece), tags);
    }

    /// What is fuzzed holds for what is nearly sound, too.
    #[test]
    fn damaged_values_and_files_break_nothing(
        values in vec(amf0_value(), 1..3), amf3_values in vec(amf3_value(), 1..3), video in enhanced_video(), audio in enhanced_audio(),
        tags in vec(tag(), 1..6), damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), choice in any::<u8>(),
    ) {
        let damaged = |mut bytes: Vec<u8>| {
            for (index, byte) in damage.iter().filter(|_| !bytes.is_empty()).collect::<Vec<_>>() {
                let at = index.index(bytes.len());
                bytes[at] = *byte;
            }
            bytes
        };
        targets::amf0::run(&damaged(amf0::encode_all(&values)));
        targets::amf3::run(&damaged(amf3::encode_all(&amf3_values)));
        for (first, payload) in [(choice, muxed(&tags)), (130, video.encode().unwrap().to_vec()), (129, audio.encode().unwrap().to_vec())] {
            targets::flv::run(&damaged([&[first], payload.as_slice()].concat()));
        }
    }
}
