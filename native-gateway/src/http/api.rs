//! What monitoring and scripts ask.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::relay::{Key, Stats};

/// `/healthz` answers as long as the gateway lives; `/api/streams` lists what is live; `/metrics` is for Prometheus.
pub(super) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/api/streams", get(streams))
        .route("/metrics", get(metrics))
        .with_state(gateway)
}

async fn streams(
    State(gateway): State<Arc<Gateway>>,
) -> ([(HeaderName, &'static str); 2], Json<Value>) {
    let now = gateway.clock.now();
    let streams: Vec<Value> = gateway
        .relay
        .list()
        .iter()
        .map(|stream| {
            let stats = stream.stats(now);
            json!({
                "app": stream.key().app,
                "name": stream.key().name,
                "live": stats.live,
                "viewers": stats.viewers,
                "kbitPerSecond": stats.bits_per_second / 1000,
                "seconds": stats.live_for.as_secs(),
                "skips": stats.skips,
                "skippedTags": stats.skipped_tags,
            })
        })
        .collect();
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, Json(json!({ "streams": streams })))
}

/// In the text format of Prometheus (version 0.0.4).
async fn metrics(State(gateway): State<Arc<Gateway>>) -> ([(HeaderName, &'static str); 2], String) {
    let now = gateway.clock.now();
    let streams: Vec<(Key, Stats)> = gateway
        .relay
        .list()
        .iter()
        .map(|stream| (stream.key().clone(), stream.stats(now)))
        .collect();
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, figure: &dyn Fn(&Stats) -> u64| {
        describe(&mut text, name, kind, help);
        for (key, stats) in &streams {
            let (app, stream) = (label(&key.app), label(&key.name));
            let figure = figure(stats);
            let _ = writeln!(text, "{name}{{app=\"{app}\",stream=\"{stream}\"}} {figure}");
        }
    };
    family(
        "chalkcast_stream_live",
        "gauge",
        "1 while somebody publishes it",
        &|stats| u64::from(stats.live),
    );
    family(
        "chalkcast_stream_viewers",
        "gauge",
        "Who watches it or waits for it",
        &|stats| stats.viewers as u64,
    );
    family(
        "chalkcast_stream_bits_per_second",
        "gauge",
        "What its publisher sends",
        &|stats| stats.bits_per_second,
    );
    family(
        "chalkcast_stream_skips_total",
        "counter",
        "How often viewers were too slow and skipped ahead",
        &|stats| stats.skips,
    );
    family(
        "chalkcast_stream_skipped_tags_total",
        "counter",
        "Tags that they were not sent for that",
        &|stats| stats.skipped_tags,
    );
    describe(
        &mut text,
        "chalkcast_connections",
        "gauge",
        "RTMP connections, over TCP or WebSocket",
    );
    let _ = writeln!(
        text,
        "chalkcast_connections {}",
        gateway.connections.count()
    );
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_TYPE, "text/plain; version=0.0.4"),
    ];
    (headers, text)
}

fn describe(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// As the value of a label is written.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
