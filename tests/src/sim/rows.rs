//! The rows of the table.
#![allow(missing_docs, reason = "the names of the rows say what they are")]

use std::time::Duration;

use chalkcast_core::jitter::Config;

use super::{Happening, Scenario, Source};

pub const STEADY: &str = "steady";
pub const PICTURE: &str = "steady, picture alone";
pub const JITTER_20: &str = "20 ms of jitter";
pub const JITTER_80: &str = "80 ms of jitter";
pub const WIFI: &str = "Wi-Fi, 300 ms stall every 5 s";
pub const OUTAGE: &str = "outage of 10 s";
pub const OUTAGE_15: &str = "outage of 10 s, bufferTime 15";
pub const UPLINK: &str = "uplink 1.5 to 0.3 Mbit/s";
pub const DOWNLINK: &str = "downlink 1.5 to 0.3 Mbit/s";
pub const HALF: &str = "downlink 1.5 to 0.6 Mbit/s";
pub const RESET: &str = "decoder taken away after 20 s";
pub const BUSY: &str = "busy computer, 25 ms at times";
pub const SLOW_DECODER: &str = "45 ms to decode a picture";
pub const DAY: &str = "clocks 400 ppm apart, 24 h";
pub const REPUBLISH: &str = "republish from zero after 2 s";
pub const WRAP: &str = "timestamp wrap";
pub const JOIN: &str = "join, keyframes 10 s apart";
pub const BUFFER_TENTH: &str = "bufferTime 0.1";

pub const ASLEEP: &str = "asleep for an hour";
pub const AWAY: &str = "asleep, then another connection";

/// When those who sleep wake.
pub const WOKEN_AT: Duration = Duration::from_secs(3620);

/// When the decoder is taken away: in the middle of a group of pictures.
pub const RESET_AT: Duration = Duration::from_millis(20_700);

/// What is simulated.
pub fn all() -> Vec<Scenario> {
    let new = Scenario::new;
    let source = || Scenario::new("").source;
    let full = 2_500_000;
    let wifi = (0..20).flat_map(|i| {
        let stall = secs(8 + i * 5);
        [
            (stall, Happening::Downlink(0)),
            (stall + ms(300), Happening::Downlink(full)),
        ]
    });
    // 1.2 Mbit/s on a link that falls from 1.5 Mbit/s to less.
    let heavy = |name, link: fn(u64) -> Happening, less| Scenario {
        source: Source {
            bitrate: 1_200_000,
            ..source()
        },
        happenings: vec![(secs(10), link(187_500)), (secs(25), link(less))],
        ..new(name)
    };
    let outage = vec![
        (secs(20), Happening::Downlink(0)),
        (secs(30), Happening::Downlink(full)),
    ];
    let buffer = |buffer_time| Config {
        buffer_time,
        ..Config::default()
    };
    vec![
        new(STEADY),
        Scenario {
            sound_ppm: None,
            source: Source {
                audio: false,
                ..source()
            },
            ..new(PICTURE)
        },
        Scenario {
            config: buffer(ms(100)),
            ..new(BUFFER_TENTH)
        },
        Scenario {
            jitter: ms(20),
            ..new(JITTER_20)
        },
        Scenario {
            jitter: ms(80),
            ..new(JITTER_80)
        },
        Scenario {
            length: secs(105),
            happenings: wifi.collect(),
            ..new(WIFI)
        },
        Scenario {
            happenings: outage.clone(),
            ..new(OUTAGE)
        },
        Scenario {
            happenings: outage,
            config: buffer(secs(15)),
            join: secs(1),
            length: secs(90),
            ..new(OUTAGE_15)
        },
        heavy(UPLINK, Happening::Uplink, 37_500),
        heavy(DOWNLINK, Happening::Downlink, 37_500),
        heavy(HALF, Happening::Downlink, 75_000),
        Scenario {
            happenings: vec![(RESET_AT, Happening::DecoderReset)],
            ..new(RESET)
        },
        Scenario {
            busy: ms(25),
            length: secs(185),
            ..new(BUSY)
        },
        Scenario {
            decode: ms(45),
            ..new(SLOW_DECODER)
        },
        Scenario {
            source: Source {
                frame_rate: 10,
                bitrate: 16_000,
                ppm: 200,
                ..source()
            },
            sound_ppm: Some(-200),
            length: secs(24 * 3600),
            ..new(DAY)
        },
        Scenario {
            happenings: vec![
                (secs(20), Happening::Unpublish),
                (secs(22), Happening::Publish(0)),
            ],
            ..new(REPUBLISH)
        },
        Scenario {
            source: Source {
                epoch: u32::MAX - 20_000,
                ..source()
            },
            ..new(WRAP)
        },
        Scenario {
            source: Source {
                keyframe_interval: 10,
                ..source()
            },
            join: ms(19_900),
            decode: ms(3),
            ..new(JOIN)
        },
        Scenario {
            length: WOKEN_AT + secs(30),
            happenings: vec![(secs(20), Happening::Sleep(secs(3600)))],
            ..new(ASLEEP)
        },
        Scenario {
            length: WOKEN_AT + secs(30),
            happenings: vec![
                (secs(20), Happening::Sleep(secs(3600))),
                (WOKEN_AT, Happening::Reconnect),
            ],
            ..new(AWAY)
        },
    ]
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
