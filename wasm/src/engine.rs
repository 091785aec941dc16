use std::cell::RefCell;
use std::rc::Rc;

use chalkcast_core::Timestamp;
use chalkcast_core::flv::{Tag, TagType};
use wasm_bindgen::prelude::*;

use crate::connection::{Connection, Handle};
use crate::page::ToWorker;
use crate::stream::Publishing;

/// One NetConnection's engine, made by the Worker once this file is loaded.
#[wasm_bindgen]
pub struct Engine {
    handle: Handle,
    /// Callbacks hold it weakly: when the engine goes, so does everything.
    connection: Rc<RefCell<Connection>>,
}

#[wasm_bindgen]
impl Engine {
    /// `publishing` hears what becomes of what is published.
    #[wasm_bindgen(constructor)]
    pub fn new(publishing: Publishing) -> Self {
        let connection = Rc::new_cyclic(|weak| {
            RefCell::new(Connection::new(Handle::new(weak.clone()), publishing))
        });
        let handle = connection.borrow().handle();
        Self { handle, connection }
    }

    /// A message of the page's, other than "init".
    pub fn handle(&self, message: JsValue) {
        let message: ToWorker = message.unchecked_into();
        self.handle
            .with(|connection, now| connection.told(now, &message));
    }

    /// Publishes a tag on the page's stream `stream`, unless that has been closed. Tags of an unknown type are dropped.
    pub fn send(&self, stream: u32, tag_type: u8, timestamp: u32, payload: Vec<u8>) {
        if let Some(tag_type) = TagType::from_id(tag_type) {
            let timestamp = Timestamp::from_millis(timestamp);
            let tag = Tag::new(tag_type, timestamp, payload.into());
            self.handle
                .with(|connection, now| connection.send(now, stream, &tag));
        }
    }

    /// Bytes sent, as the peer counts what it acknowledges.
    pub fn sent(&self) -> f64 {
        self.connection.borrow().stats().bytes_sent as f64
    }

    /// Bytes that the peer has acknowledged, if it ever did.
    pub fn acknowledged(&self) -> Option<f64> {
        let stats = self.connection.borrow().stats();
        stats.bytes_acknowledged.map(|bytes| bytes as f64)
    }

    /// Bytes that are still on their way out of the browser.
    pub fn queued(&self) -> u32 {
        self.connection.borrow().queued()
    }
}
