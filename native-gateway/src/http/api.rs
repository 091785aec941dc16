//! What monitoring and scripts ask.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::gateway::Gateway;

/// `/healthz` answers as long as the gateway lives; `/api/streams` lists what is live.
pub(super) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/api/streams", get(streams))
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
