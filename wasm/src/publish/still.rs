use std::time::Duration;

use chalkcast_core::Instant;
use wasm_bindgen::prelude::*;
use web_sys::{OffscreenCanvas, OffscreenCanvasRenderingContext2d, VideoFrame, VideoFrameInit};

/// A source that gives no frames, as a still screen does, has its last one repeated so often.
const REPEAT_AFTER: Duration = Duration::from_millis(500);
/// A frame that comes this soon after one was given back was waiting for that.
const WAITED: Duration = Duration::from_millis(15);

/// The newest frame of a source, kept to be repeated while the source stands still.
///
/// The source's own frame is given back when the next one is overdue: browsers lend few at a time (Chromium two to a page for each camera, whoever
/// holds them, and a frame that was under way while the processor's stream moved to the Worker stays lent), so one kept for good can be the one that a
/// camera waits for.
#[derive(Default)]
pub(super) struct Still {
    kept: Option<Kept>,
    given_back: Option<Instant>,
    /// The source has waited for a frame to be given back: it gets each back at once.
    scarce: bool,
}

struct Kept {
    frame: VideoFrame,
    repeat_at: Instant,
    /// When the source gets its frame back; `None` when this is a copy of it.
    give_back_at: Option<Instant>,
}

impl Still {
    /// Takes the newest frame of a source that has one every `interval`.
    pub(super) fn keep(&mut self, now: Instant, frame: VideoFrame, interval: Duration) {
        self.scarce |= self
            .given_back
            .take()
            .is_some_and(|given_back| now - given_back < WAITED);
        self.clear();
        self.kept = Some(Kept {
            frame,
            repeat_at: now + REPEAT_AFTER,
            give_back_at: Some(now + interval * 2),
        });
        if self.scarce {
            self.give_back();
        }
    }

    /// Gives the source its frame back when the next one is overdue.
    pub(super) fn settle(&mut self, now: Instant) {
        if self.give_back_at().is_some_and(|at| at <= now) {
            self.give_back();
            self.given_back = Some(now);
        }
    }

    /// The kept frame with this timestamp, if it is time to repeat it. The caller closes it.
    pub(super) fn repeat(&mut self, now: Instant, timestamp: f64) -> Option<VideoFrame> {
        let kept = self.kept.as_mut().filter(|kept| kept.repeat_at <= now)?;
        kept.repeat_at = now + REPEAT_AFTER;
        let init = VideoFrameInit::new();
        init.set_timestamp_f64(timestamp);
        VideoFrame::new_with_video_frame_and_video_frame_init(&kept.frame, &init).ok()
    }

    /// Publishing begins: a source that stands still is there from the beginning.
    pub(super) fn hasten(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.repeat_at = Instant::ZERO;
        }
    }

    pub(super) fn repeat_at(&self) -> Option<Instant> {
        self.kept.as_ref().map(|kept| kept.repeat_at)
    }

    pub(super) fn give_back_at(&self) -> Option<Instant> {
        self.kept.as_ref()?.give_back_at
    }

    fn give_back(&mut self) {
        if let Some(Kept {
            frame, repeat_at, ..
        }) = self.kept.take()
        {
            self.kept = copy(&frame).ok().map(|frame| Kept {
                frame,
                repeat_at,
                give_back_at: None,
            });
            frame.close();
        }
    }

    fn clear(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.frame.close();
        }
    }
}

/// The picture in memory of our own.
fn copy(frame: &VideoFrame) -> Result<VideoFrame, JsValue> {
    let canvas = OffscreenCanvas::new(frame.display_width(), frame.display_height())?;
    let context = canvas
        .get_context("2d")?
        .ok_or(JsValue::UNDEFINED)?
        .unchecked_into::<OffscreenCanvasRenderingContext2d>();
    context.draw_image_with_video_frame(frame, 0.0, 0.0)?;
    let init = VideoFrameInit::new();
    init.set_timestamp_f64(frame.timestamp());
    VideoFrame::new_with_offscreen_canvas_and_video_frame_init(&canvas, &init)
}

impl Drop for Still {
    fn drop(&mut self) {
        self.clear();
    }
}
