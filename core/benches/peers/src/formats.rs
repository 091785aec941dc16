//! AMF0 and FLV: what a session does besides cutting chunks.

use chalkcast_core::Timestamp;
use chalkcast_core::amf0::{self, Object, Value};
use chalkcast_core::flv::{Demuxer, Muxer, Tag, TagHeader, TagType};

use crate::{Contestant, Host, race};

/// The command object of a connect and the metadata of an encoder, which between them have what commands and data messages have.
fn values() -> Vec<Value> {
    let connect = Object::new()
        .with("app", "conf/room1")
        .with("flashVer", "FMLE/3.0 (compatible; FMSc/1.0)")
        .with("tcUrl", "rtmp://school.example/conf/room1")
        .with("fpad", false)
        .with("capabilities", 239.0)
        .with("audioCodecs", 3575.0)
        .with("videoCodecs", 252.0)
        .with("videoFunction", 1.0)
        .with("objectEncoding", 0.0);
    let metadata = Object::new()
        .with("duration", 0.0)
        .with("width", 1280.0)
        .with("height", 720.0)
        .with("videodatarate", 2500.0)
        .with("framerate", 30.0)
        .with("videocodecid", 7.0)
        .with("audiodatarate", 128.0)
        .with("audiosamplerate", 44_100.0)
        .with("audiosamplesize", 16.0)
        .with("stereo", true)
        .with("audiocodecid", 10.0)
        .with("encoder", "Lavf59.27.100");
    vec![
        "connect".into(),
        1.0.into(),
        connect.into(),
        "onMetaData".into(),
        metadata.into(),
    ]
}

/// Reading and writing the values, a thousand times a pass.
pub fn amf0(host: &Host<'_>) {
    const TIMES: usize = 1000;
    let values = values();
    let bytes = amf0::encode_all(&values);
    let handled = TIMES * bytes.len();
    let rml_values = rml_amf0::deserialize(&mut &bytes[..]).expect("good values");
    let decode: Vec<Contestant<'_>> = vec![
        (
            "ours",
            repeat(TIMES, || {
                std::hint::black_box(amf0::decode_all(&bytes).expect("good values"));
                bytes.len()
            }),
        ),
        (
            "rml_amf0",
            repeat(TIMES, || {
                std::hint::black_box(rml_amf0::deserialize(&mut &bytes[..]).expect("good values"));
                bytes.len()
            }),
        ),
    ];
    let encode: Vec<Contestant<'_>> = vec![
        (
            "ours",
            repeat(TIMES, || {
                std::hint::black_box(amf0::encode_all(&values)).len()
            }),
        ),
        (
            "rml_amf0",
            repeat(TIMES, || {
                let encoded = rml_amf0::serialize(&rml_values).expect("good values");
                std::hint::black_box(encoded).len()
            }),
        ),
    ];
    row(host, "AMF0 decode", handled, decode);
    row(host, "AMF0 encode", handled, encode);
}

/// A minute of 30 pictures and 47 sounds a second as a file; no other crate here reads FLV.
pub fn flv(host: &Host<'_>) {
    let tag =
        |tag_type, millis, payload| Tag::new(tag_type, Timestamp::from_millis(millis), payload);
    let tags: Vec<Tag> = (0..300_u32)
        .flat_map(|number| {
            let picture = [&[0x27, 1, 0, 0, 0][..], &vec![number as u8; 5000]].concat();
            let sound = [&[0xAF, 1][..], &vec![number as u8; 200]].concat();
            [
                tag(TagType::Video, number * 33, picture.into()),
                tag(TagType::Audio, number * 33 + 10, sound.into()),
            ]
        })
        .collect();
    let mut file = Vec::new();
    let mut muxer = Muxer::new(true, true);
    for tag in &tags {
        muxer.encode(tag, &mut file).expect("a short tag");
    }
    let payload_bytes = tags.iter().map(|tag| tag.payload.len()).sum();
    let mut copy = vec![0; file.len()];
    let mut out = Vec::with_capacity(file.len());
    let demux: Vec<Contestant<'_>> = vec![
        (
            "memcpy",
            Box::new(|| {
                copy.copy_from_slice(&file);
                std::hint::black_box(&copy);
                payload_bytes
            }),
        ),
        (
            "ours",
            Box::new(|| {
                let mut demuxer = Demuxer::new();
                let mut handled = 0;
                for read in file.chunks(65_536) {
                    demuxer.push(read);
                    while let Some(tag) = demuxer.next_tag() {
                        std::hint::black_box(TagHeader::parse(&tag));
                        handled += tag.payload.len();
                    }
                }
                handled
            }),
        ),
    ];
    row(host, "FLV demux", payload_bytes, demux);
    let mux: Vec<Contestant<'_>> = vec![(
        "ours",
        Box::new(|| {
            out.clear();
            let mut muxer = Muxer::new(true, true);
            for tag in &tags {
                muxer.encode(tag, &mut out).expect("a short tag");
            }
            std::hint::black_box(&out);
            payload_bytes
        }),
    )];
    row(host, "FLV mux", payload_bytes, mux);
    (host.line)("");
}

fn repeat<'a>(
    times: usize,
    mut pass: impl FnMut() -> usize + 'a,
) -> Box<dyn FnMut() -> usize + 'a> {
    Box::new(move || (0..times).map(|_| pass()).sum())
}

/// One line of GB/s; one that does not handle every byte loses.
fn row(host: &Host<'_>, title: &str, bytes: usize, mut contestants: Vec<Contestant<'_>>) {
    let speeds = race(host, &mut contestants, bytes);
    let cells: Vec<String> = contestants
        .iter()
        .zip(speeds)
        .map(|((name, _), speed)| match speed {
            Some(speed) => format!("{name} {speed:.2}"),
            None => format!("{name} loses"),
        })
        .collect();
    (host.line)(&format!("{title}: {} GB/s", cells.join(", ")));
}
