//! Splits an FLV file into the two streams of fragmented MP4 that a page would append: `segment IN.flv OUT` writes `OUT.audio.mp4` and `OUT.video.mp4`.

use std::fs::File;
use std::io::{Read, Write};

use chalkcast_core::flv::Demuxer;
use chalkcast_core::fmp4::{Config, Output, Segmenter, Stream};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(input), Some(output)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: segment IN.flv OUT");
        std::process::exit(2);
    };
    let mut audio = File::create(format!("{output}.audio.mp4"))?;
    let mut video = File::create(format!("{output}.video.mp4"))?;
    let mut input = File::open(input)?;
    let (mut demuxer, mut segmenter) = (Demuxer::new(), Segmenter::new(Config::default()));
    let mut piece = vec![0; 65_536];
    loop {
        let count = input.read(&mut piece)?;
        match count {
            0 => demuxer.finish(),
            _ => demuxer.push(&piece[..count]),
        }
        while let Some(tag) = demuxer.next_tag() {
            segmenter.push(&tag);
        }
        if count == 0 {
            segmenter.flush();
        }
        while let Some(output) = segmenter.poll_output() {
            let (stream, data) = match output {
                Output::Init(init) => {
                    println!("{}", init.mime_type);
                    (init.stream, init.data)
                }
                Output::Media(segment) => (segment.stream, segment.data),
            };
            match stream {
                Stream::Audio => audio.write_all(&data)?,
                Stream::Video => video.write_all(&data)?,
            }
        }
        if count == 0 {
            println!(
                "left out: {:?} {:?}",
                segmenter.skipped(),
                demuxer.skipped()
            );
            return Ok(());
        }
    }
}
