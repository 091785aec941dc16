use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::prelude::*;

use crate::connection::Connection;
use crate::handle::Handle;
use crate::page::ToWorker;

/// One NetConnection's engine, made by the Worker once this file is loaded.
#[wasm_bindgen]
pub struct Engine {
    handle: Handle,
    /// Callbacks hold it weakly: when the engine goes, so does everything.
    _connection: Rc<RefCell<Connection>>,
}

#[wasm_bindgen]
impl Engine {
    /// `load_aac` imports the AAC encoder's module (`js/src/aac.ts`) and returns a promise of it.
    #[wasm_bindgen(constructor)]
    pub fn new(load_aac: Function) -> Self {
        let connection = Rc::new_cyclic(|weak| {
            RefCell::new(Connection::new(Handle::new(weak.clone()), load_aac))
        });
        let handle = connection.borrow().handle();
        Self {
            handle,
            _connection: connection,
        }
    }

    /// A message of the page's, other than "init".
    pub fn handle(&self, message: JsValue) {
        let message: ToWorker = message.unchecked_into();
        self.handle
            .with(|connection, now| connection.told(now, &message));
    }
}
