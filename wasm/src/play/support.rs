//! What a browser does not decode. A decoder's own error does not tell that from other failures in all browsers.

use chalkcast_core::flv::{Codec, Tag, TagHeader};
use chalkcast_core::session::{Status, code};
use wasm_bindgen::prelude::*;
use web_sys::{AudioDecoderConfig, VideoDecoderConfig};

use crate::connection::post_status;

#[wasm_bindgen]
extern "C" {
    /// A promise of a [`Support`].
    pub(super) type Answer;
    #[wasm_bindgen(method)]
    fn then(this: &Answer, answered: &JsValue);

    /// `VideoDecoderSupport` or `AudioDecoderSupport`.
    type Support;
    #[wasm_bindgen(method, getter, structural)]
    fn supported(this: &Support) -> bool;

    #[wasm_bindgen(js_namespace = VideoDecoder, js_name = isConfigSupported)]
    pub(super) fn video_support(config: &VideoDecoderConfig) -> Answer;
    #[wasm_bindgen(js_namespace = AudioDecoder, js_name = isConfigSupported)]
    pub(super) fn audio_support(config: &AudioDecoderConfig) -> Answer;
}

/// Calls `refused` if the answer is no.
pub(super) fn unless_supported(answer: &Answer, refused: impl FnOnce() + 'static) {
    answer.then(&Closure::once_into_js(move |support: Support| {
        if !support.supported() {
            refused();
        }
    }));
}

/// The codecs of Flash's that a stream's tracks have, which are told to the page once: no sequence header announces them.
#[derive(Debug, Default)]
pub(super) struct FlashCodecs([Option<Codec>; 2]);

impl FlashCodecs {
    pub(super) fn look(&mut self, stream: u32, tag: &Tag) {
        let Some(codec) = TagHeader::parse(tag).codec() else {
            return;
        };
        let (told, track) = match codec {
            Codec::Audio(_) => (&mut self.0[0], "sound"),
            Codec::Video(_) => (&mut self.0[1], "picture"),
        };
        if let Some(name) = codec.flash_name()
            && told.replace(codec) != Some(codec)
        {
            refuse(stream, track, name);
        }
    }
}

/// Tells the page of a `track`, "picture" or "sound", that cannot be decoded. The other one goes on.
pub(super) fn refuse(stream: u32, track: &str, codec: &str) {
    let why = format!("this browser has no decoder for {codec}");
    let status = Status::error(code::PLAY_NO_SUPPORTED_TRACK_FOUND, why).with("reason", track);
    post_status(Some(stream), &status);
}
