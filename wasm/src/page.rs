//! The messages of `js/src/protocol.ts`, as Rust sees them.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{
    DedicatedWorkerGlobalScope, MessagePort, OffscreenCanvas, ReadableStream, VideoFrame,
};

#[wasm_bindgen]
extern "C" {
    /// A `ToWorker`: which of its fields are there depends on `type`.
    pub(crate) type ToWorker;
    #[wasm_bindgen(method, getter, structural, js_name = "type")]
    pub(crate) fn kind(this: &ToWorker) -> String;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn stream(this: &ToWorker) -> Option<u32>;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn url(this: &ToWorker) -> String;
    #[wasm_bindgen(method, getter, structural, js_name = "pageUrl")]
    pub(crate) fn page_url(this: &ToWorker) -> String;
    #[wasm_bindgen(method, getter, structural, js_name = "objectEncoding")]
    pub(crate) fn object_encoding(this: &ToWorker) -> u32;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn args(this: &ToWorker) -> Option<Array>;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn call(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn reply(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn name(this: &ToWorker) -> String;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn value(this: &ToWorker) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn error(this: &ToWorker) -> Option<String>;
    #[wasm_bindgen(method, getter, structural, js_name = "kind")]
    pub(crate) fn what(this: &ToWorker) -> String;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn start(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn length(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn reset(this: &ToWorker) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn offset(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn paused(this: &ToWorker) -> bool;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn on(this: &ToWorker) -> bool;
    #[wasm_bindgen(method, getter, structural, js_name = "bufferTime")]
    pub(crate) fn buffer_time(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural, js_name = "bufferTimeMax")]
    pub(crate) fn buffer_time_max(this: &ToWorker) -> Option<f64>;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn canvas(this: &ToWorker) -> Option<OffscreenCanvas>;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn port(this: &ToWorker) -> Option<MessagePort>;
    #[wasm_bindgen(method, getter, structural, js_name = "sampleRate")]
    pub(crate) fn sample_rate(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural, js_name = "outputLatency")]
    pub(crate) fn output_latency(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn running(this: &ToWorker) -> bool;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn settings(this: &ToWorker) -> Settings;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn readable(this: &ToWorker) -> Option<ReadableStream>;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn frame(this: &ToWorker) -> VideoFrame;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn hidden(this: &ToWorker) -> bool;

    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn renderer(this: &ToWorker) -> String;
    #[wasm_bindgen(method, getter, structural, js_name = "bareMp3")]
    pub(crate) fn bare_mp3(this: &ToWorker) -> bool;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn source(this: &ToWorker) -> u32;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn at(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn time(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural, js_name = "bufferLength")]
    pub(crate) fn buffer_length(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn width(this: &ToWorker) -> u32;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn height(this: &ToWorker) -> u32;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn fps(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn dropped(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn quota(this: &ToWorker) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn jump(this: &ToWorker) -> u32;

    /// A `VideoSettings` or an `AudioSettings`.
    pub(crate) type Settings;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn width(this: &Settings) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn height(this: &Settings) -> f64;
    #[wasm_bindgen(method, getter, structural, js_name = "frameRate")]
    pub(crate) fn frame_rate(this: &Settings) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn bitrate(this: &Settings) -> f64;
    #[wasm_bindgen(method, getter, structural, js_name = "keyFrameInterval")]
    pub(crate) fn key_frame_interval(this: &Settings) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn channels(this: &Settings) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn codec(this: &Settings) -> String;

    /// What a worklet posts: `FromWorklet` or `FromCaptureWorklet`.
    pub(crate) type FromWorklet;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn timestamp(this: &FromWorklet) -> Option<f64>;
    #[wasm_bindgen(method, getter, structural, js_name = "currentFrame")]
    pub(crate) fn current_frame(this: &FromWorklet) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn queued(this: &FromWorklet) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn underruns(this: &FromWorklet) -> f64;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn tag(this: &FromWorklet) -> Option<u32>;
    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn received(this: &FromWorklet) -> f64;
    #[wasm_bindgen(method, getter, structural, js_name = "sampleRate")]
    pub(crate) fn worklet_rate(this: &FromWorklet) -> f64;
    #[wasm_bindgen(method, getter, structural, js_name = "channels")]
    pub(crate) fn planes(this: &FromWorklet) -> Array;
}

/// A message under construction.
pub(crate) struct Message(Object);

impl Message {
    pub(crate) fn new(kind: &str) -> Self {
        Self(Object::new()).with("type", kind)
    }

    pub(crate) fn with(self, name: &str, value: impl Into<JsValue>) -> Self {
        set(&self.0, name, &value.into());
        self
    }

    /// Sets the field only if there is a value.
    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<JsValue>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// To the page.
    pub(crate) fn post(self) {
        // Fails only for what cannot be cloned, which nothing here makes.
        let _ = js_sys::global()
            .unchecked_into::<DedicatedWorkerGlobalScope>()
            .post_message(&self.0);
    }

    /// To the page, with what is in it no longer here.
    pub(crate) fn post_with(self, transfer: &Array) {
        // Fails only for what cannot be transferred, which nobody here asks for.
        let _ = js_sys::global()
            .unchecked_into::<DedicatedWorkerGlobalScope>()
            .post_message_with_transfer(&self.0, transfer);
    }

    pub(crate) fn into_object(self) -> Object {
        self.0
    }

    /// To the page, as the figures of a stream.
    pub(crate) fn post_as_stats(self, stream: u32) {
        Self::new("stats")
            .with("stream", stream)
            .with("stats", self.0)
            .post();
    }
}

impl Default for Message {
    /// An object without a `type`.
    fn default() -> Self {
        Self(Object::new())
    }
}

/// Sets a property of an object made here, which cannot fail.
pub(crate) fn set(object: &Object, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}

/// What went wrong in the browser, in its own words.
pub(crate) fn reason(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => text(error),
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = String)]
    fn text(value: &JsValue) -> String;
    /// For developers: what went wrong and was mended.
    #[wasm_bindgen(js_namespace = console)]
    pub(crate) fn warn(text: &str);
}
