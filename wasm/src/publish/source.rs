//! Reading what MediaStreamTrackProcessor gives.

use chalkcast_core::Instant;
use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

use super::Publisher;
use crate::publishers::Handle;

/// A stream being read. Dropping it stops the reading, and the track's frames are no longer held.
pub(super) struct Source {
    reader: ReadableStreamDefaultReader,
}

impl Source {
    /// Reads `readable` to its end; `take` owns each value it is given, and `close` it otherwise.
    pub(super) fn new(
        number: u32,
        handle: &Handle,
        readable: &ReadableStream,
        take: impl Fn(&mut Publisher, Instant, JsValue) + 'static,
        close: impl Fn(&JsValue) + 'static,
    ) -> Option<Self> {
        let reader = ReadableStreamDefaultReader::new(readable).ok()?;
        let reading = reader.clone();
        handle.spawn(|handle| async move {
            while let Some(value) = next(reading.read()).await {
                let mut value = Some(value);
                handle.with(|publishers, now| {
                    if let (Some(publisher), Some(value)) = (publishers.find(number), value.take())
                    {
                        take(publisher, now, value);
                    }
                });
                if let Some(value) = value {
                    close(&value);
                }
            }
        });
        Some(Self { reader })
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // Its promise settles when the track is let go; nobody waits for it.
        let _ = self.reader.cancel();
    }
}

/// The value of a `ReadableStreamReadResult`; `None` at the end of the stream.
async fn next(read: Promise) -> Option<JsValue> {
    let result = JsFuture::from(read).await.ok()?;
    let done = Reflect::get(&result, &"done".into()).ok()?;
    (!done.is_truthy())
        .then(|| Reflect::get(&result, &"value".into()).ok())
        .flatten()
}
