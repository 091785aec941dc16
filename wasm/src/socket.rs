//! The WebSocket that carries the RTMP byte stream.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, MessageEvent, WebSocket};

use crate::connection::Handle;
use crate::page::reason;

/// An open or opening WebSocket. Dropping it closes it, and nothing is heard of it any more.
pub(crate) struct Socket {
    socket: WebSocket,
    open: bool,
    /// What was sent before it opened.
    waiting: Vec<u8>,
    _callbacks: [Closure<dyn FnMut(JsValue)>; 3],
}

impl Socket {
    /// # Errors
    /// The browser's words, for a URL it does not take.
    pub(crate) fn connect(url: &str, handle: &Handle) -> Result<Self, String> {
        let socket = WebSocket::new_with_str(url, "rtmp").map_err(|error| reason(&error))?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let opened = handle.callback(|connection, _, _: JsValue| connection.socket_opened());
        let message = handle.callback(|connection, now, event: JsValue| {
            let data = event.unchecked_into::<MessageEvent>().data();
            if let Some(buffer) = data.dyn_ref::<ArrayBuffer>() {
                connection.received(now, &Uint8Array::new(buffer).to_vec());
            }
        });
        let closed = handle.callback(|connection, now, _: JsValue| connection.socket_closed(now));
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Ok(Self {
            socket,
            open: false,
            waiting: Vec::new(),
            _callbacks: [opened, message, closed],
        })
    }

    pub(crate) fn opened(&mut self) {
        self.open = true;
        let waiting = std::mem::take(&mut self.waiting);
        self.send(&waiting);
    }

    /// Whether it has ever been open.
    pub(crate) fn was_open(&self) -> bool {
        self.open
    }

    /// Message boundaries mean nothing: what is sent together travels together.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
        } else if self.open {
            // Fails only while connecting; on a closed socket it is discarded, as it should be.
            let _ = self.socket.send_with_u8_array(bytes);
        } else {
            self.waiting.extend_from_slice(bytes);
        }
    }

    /// Bytes handed over that have not left the browser.
    pub(crate) fn queued(&self) -> u32 {
        self.socket.buffered_amount()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}
