//! The boxes of ISO/IEC 14496-12 that fragmented MP4 needs, with those of its codecs.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::flv::{AudioCodec, AudioConfig, opus::OpusHead};
use crate::wire::u24_bytes;

/// A coded frame. Times are in the track's timescale, but the composition time, which is in video's.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) time: u64,
    pub(super) duration: Option<u32>,
    pub(super) composition_time: i32,
    pub(super) keyframe: bool,
    pub(super) data: Bytes,
}

/// What a sample description says.
pub(super) enum SampleEntry<'a> {
    Video {
        name: &'static [u8; 4],
        width: u32,
        height: u32,
        config_box: &'static [u8; 4],
        record: Vec<u8>,
    },
    Audio {
        config: &'a AudioConfig,
    },
}

/// Each segment stream has one track, of this id.
const TRACK_ID: u32 = 1;

/// An initialization segment.
pub(super) fn init(timescale: u32, entry: &SampleEntry<'_>) -> Bytes {
    let mut out = Vec::with_capacity(1024);
    in_box(&mut out, b"ftyp", |out| {
        out.extend(b"iso6");
        u32s(out, &[1]);
        out.extend(b"iso6isommp41");
    });
    in_box(&mut out, b"moov", |out| {
        full(out, b"mvhd", 0, 0, |out| {
            // Times and duration, which is unknown.
            u32s(out, &[0, 0, 1000, 0]);
            // Rate 1.0, volume 1.0.
            u32s(out, &[0x0001_0000, 0x0100_0000, 0, 0]);
            matrix(out);
            u32s(out, &[0; 6]);
            u32s(out, &[TRACK_ID + 1]);
        });
        in_box(out, b"trak", |out| track(out, timescale, entry));
        in_box(out, b"mvex", |out| {
            full(out, b"trex", 0, 0, |out| u32s(out, &[TRACK_ID, 1, 0, 0, 0]))
        });
    });
    out.into()
}

/// A media segment.
pub(super) fn segment(sequence_number: u32, samples: &[Sample]) -> Bytes {
    let size: usize = samples.iter().map(|sample| sample.data.len()).sum();
    let mut out = Vec::with_capacity(size + samples.len() * 16 + 128);
    let mut data_offset = 0;
    in_box(&mut out, b"moof", |out| {
        full(out, b"mfhd", 0, 0, |out| u32s(out, &[sequence_number]));
        in_box(out, b"traf", |out| {
            // default-base-is-moof
            full(out, b"tfhd", 0, 0x02_0000, |out| u32s(out, &[TRACK_ID]));
            let start = samples.first().map_or(0, |sample| sample.time);
            full(out, b"tfdt", 1, 0, |out| out.extend(start.to_be_bytes()));
            // Data offset, then duration, size, flags and composition time of each sample.
            full(out, b"trun", 1, 0xf01, |out| {
                u32s(out, &[samples.len() as u32]);
                data_offset = out.len();
                u32s(out, &[0]);
                for sample in samples {
                    // Depends on no other sample, or depends on some and is not a sync sample.
                    let flags = if sample.keyframe {
                        0x0200_0000
                    } else {
                        0x0101_0000
                    };
                    let composition_time = sample.composition_time as u32;
                    u32s(
                        out,
                        &[
                            sample.duration.unwrap_or_default(),
                            sample.data.len() as u32,
                            flags,
                            composition_time,
                        ],
                    );
                }
            });
        });
    });
    let after_mdat_header = out.len() as u32 + 8;
    if let Some(field) = out.get_mut(data_offset..data_offset + 4) {
        field.copy_from_slice(&after_mdat_header.to_be_bytes());
    }
    in_box(&mut out, b"mdat", |out| {
        samples
            .iter()
            .for_each(|sample| out.extend(sample.data.iter()))
    });
    out.into()
}

fn track(out: &mut Vec<u8>, timescale: u32, entry: &SampleEntry<'_>) {
    let (width, height, volume) = match entry {
        SampleEntry::Video { width, height, .. } => (*width, *height, 0),
        SampleEntry::Audio { .. } => (0, 0, 0x0100_0000),
    };
    // Enabled, in the movie.
    full(out, b"tkhd", 0, 3, |out| {
        u32s(out, &[0, 0, TRACK_ID, 0, 0, 0, 0, 0, volume]);
        matrix(out);
        u32s(out, &[width << 16, height << 16]);
    });
    in_box(out, b"mdia", |out| {
        // Language "und".
        full(out, b"mdhd", 0, 0, |out| {
            u32s(out, &[0, 0, timescale, 0, 0x55c4_0000])
        });
        let (handler, name) = match entry {
            SampleEntry::Video { .. } => (b"vide", b"video\0"),
            SampleEntry::Audio { .. } => (b"soun", b"audio\0"),
        };
        full(out, b"hdlr", 0, 0, |out| {
            u32s(out, &[0]);
            out.extend(handler);
            u32s(out, &[0, 0, 0]);
            out.extend(name);
        });
        in_box(out, b"minf", |out| {
            match entry {
                SampleEntry::Video { .. } => full(out, b"vmhd", 0, 1, |out| u32s(out, &[0, 0])),
                SampleEntry::Audio { .. } => full(out, b"smhd", 0, 0, |out| u32s(out, &[0])),
            }
            // The data are in this file.
            in_box(out, b"dinf", |out| {
                full(out, b"dref", 0, 0, |out| {
                    u32s(out, &[1]);
                    full(out, b"url ", 0, 1, |_| {});
                });
            });
            in_box(out, b"stbl", |out| {
                full(out, b"stsd", 0, 0, |out| {
                    u32s(out, &[1]);
                    sample_entry(out, entry);
                });
                // The samples are in the fragments.
                full(out, b"stts", 0, 0, |out| u32s(out, &[0]));
                full(out, b"stsc", 0, 0, |out| u32s(out, &[0]));
                full(out, b"stsz", 0, 0, |out| u32s(out, &[0, 0]));
                full(out, b"stco", 0, 0, |out| u32s(out, &[0]));
            });
        });
    });
}

fn sample_entry(out: &mut Vec<u8>, entry: &SampleEntry<'_>) {
    match entry {
        SampleEntry::Video {
            name,
            width,
            height,
            config_box,
            record,
        } => in_box(out, name, |out| {
            // Reserved, data reference 1, reserved.
            u32s(out, &[0, 1, 0, 0, 0, 0]);
            out.extend((*width as u16).to_be_bytes());
            out.extend((*height as u16).to_be_bytes());
            // 72 dpi both ways, one frame a sample, no compressor's name.
            u32s(out, &[0x0048_0000, 0x0048_0000, 0]);
            out.extend(1_u16.to_be_bytes());
            out.extend([0; 32]);
            // Colour without alpha; predefined.
            out.extend([0, 0x18, 0xff, 0xff]);
            in_box(out, config_box, |out| out.extend(record));
        }),
        SampleEntry::Audio { config } => {
            let name = match config.codec {
                AudioCodec::Opus => b"Opus",
                AudioCodec::Flac => b"fLaC",
                _ => b"mp4a",
            };
            in_box(out, name, |out| {
                u32s(out, &[0, 1, 0, 0]);
                out.extend(u16::from(config.channels).to_be_bytes());
                // 16 bits, predefined, reserved; the rate in 16.16, zero if it does not fit.
                out.extend([0, 16, 0, 0, 0, 0]);
                let rate = u16::try_from(config.sample_rate).unwrap_or_default();
                u32s(out, &[u32::from(rate) << 16]);
                audio_config(out, config);
            });
        }
    }
}

fn audio_config(out: &mut Vec<u8>, config: &AudioConfig) {
    match config.codec {
        AudioCodec::Opus => {
            let head = OpusHead::parse(&config.description)
                .unwrap_or_else(|_| OpusHead::new(config.channels, 0, 48_000));
            in_box(out, b"dOps", |out| out.extend(head.to_dops()));
        }
        AudioCodec::Flac => full(out, b"dfLa", 0, 0, |out| {
            // STREAMINFO alone, marked as the last block: four bytes of header and 34 of content.
            let blocks = config.description.get(4..4 + 38).unwrap_or_default();
            if let [kind, rest @ ..] = blocks {
                out.push(kind | 0x80);
                out.extend(rest);
            }
        }),
        codec => full(out, b"esds", 0, 0, |out| {
            elementary_stream(out, codec, &config.description)
        }),
    }
}

/// ES_Descriptor (ISO/IEC 14496-1 §7.2.6.5) with the decoder's configuration in it.
fn elementary_stream(out: &mut Vec<u8>, codec: AudioCodec, specific: &[u8]) {
    const AAC: u8 = 0x40;
    const MPEG_1_AUDIO: u8 = 0x6b;
    let object_type = if codec == AudioCodec::Aac {
        AAC
    } else {
        MPEG_1_AUDIO
    };
    let mut config = alloc::vec![object_type, 0x15];
    // Buffer size and bit rates: unknown.
    config.extend([0; 11]);
    if !specific.is_empty() {
        descriptor(&mut config, 5, specific);
    }
    // ES_ID zero, no flags.
    let mut stream = alloc::vec![0, 0, 0];
    descriptor(&mut stream, 4, &config);
    descriptor(&mut stream, 6, &[2]);
    descriptor(out, 3, &stream);
}

/// A descriptor behind its tag and a length in groups of seven bits.
fn descriptor(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    out.push(tag);
    let length = body.len() as u32 & 0x0fff_ffff;
    out.extend([21, 14, 7].map(|shift| 0x80 | (length >> shift & 0x7f) as u8));
    out.push((length & 0x7f) as u8);
    out.extend(body);
}

/// A box: its size, its type, and what `body` appends.
fn in_box(out: &mut Vec<u8>, name: &[u8; 4], body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 4]);
    out.extend(name);
    body(out);
    let size = (out.len() - start) as u32;
    if let Some(field) = out.get_mut(start..start + 4) {
        field.copy_from_slice(&size.to_be_bytes());
    }
}

/// A box with version and flags.
fn full(
    out: &mut Vec<u8>,
    name: &[u8; 4],
    version: u8,
    flags: u32,
    body: impl FnOnce(&mut Vec<u8>),
) {
    in_box(out, name, |out| {
        out.push(version);
        out.extend(u24_bytes(flags));
        body(out);
    });
}

fn u32s(out: &mut Vec<u8>, values: &[u32]) {
    out.extend(values.iter().flat_map(|value| value.to_be_bytes()));
}

/// The transformation that changes nothing.
fn matrix(out: &mut Vec<u8>) {
    u32s(
        out,
        &[0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000],
    );
}
