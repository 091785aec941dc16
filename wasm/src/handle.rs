//! How the browser's callbacks get at the engine.

use std::cell::RefCell;
use std::future::Future;
use std::rc::{Rc, Weak};

use chalkcast_core::Instant;
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::prelude::{Closure, JsValue};

use crate::clock::Clock;
use crate::connection::Connection;

/// A codec's callbacks, output and error, kept as long as the codec.
pub(crate) type Callbacks<Output> = (Closure<Output>, Closure<dyn FnMut(JsValue)>);

/// A reference to the engine that callbacks hold. Each callback is one call of [`Handle::with`]: it tells the engine what happened, and then
/// everything that follows from it is done before the callback returns.
#[derive(Clone)]
pub(crate) struct Handle {
    connection: Weak<RefCell<Connection>>,
    clock: Rc<Clock>,
}

impl Handle {
    pub(crate) fn new(connection: Weak<RefCell<Connection>>) -> Self {
        Self {
            connection,
            clock: Rc::new(Clock::new()),
        }
    }

    /// Runs `f` on the connection and then settles it. Does nothing when the engine is gone.
    pub(crate) fn with(&self, f: impl FnOnce(&mut Connection, Instant)) {
        if let Some(connection) = self.connection.upgrade() {
            let mut connection = connection.borrow_mut();
            let now = self.clock.now();
            f(&mut connection, now);
            connection.settle(now);
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A JavaScript function that runs `f` on the connection.
    pub(crate) fn callback<T: FromWasmAbi + 'static>(
        &self,
        f: impl Fn(&mut Connection, Instant, T) + 'static,
    ) -> Closure<dyn FnMut(T)> {
        let handle = self.clone();
        Closure::new(move |value: T| handle.with(|connection, now| f(connection, now, value)))
    }

    /// Runs a future of the browser's to its end.
    pub(crate) fn spawn<F: Future<Output = ()> + 'static>(&self, f: impl FnOnce(Self) -> F) {
        wasm_bindgen_futures::spawn_local(f(self.clone()));
    }
}
