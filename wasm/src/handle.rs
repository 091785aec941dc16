//! How the browser's callbacks get at the engine.

use std::cell::RefCell;
use std::future::Future;
use std::rc::{Rc, Weak};

use chalkcast_core::Instant;
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::prelude::{Closure, JsValue};

use crate::clock::Clock;

/// A codec's callbacks, output and error, kept as long as the codec.
pub(crate) type Callbacks<Output> = (Closure<Output>, Closure<dyn FnMut(JsValue)>);

/// What callbacks tell of what happened: the connection, or its publishers.
pub(crate) trait Owner: 'static {
    /// Does all that follows from what has happened.
    fn settle(&mut self, now: Instant);
}

/// A reference to the engine that callbacks hold. Each callback is one call of [`Handle::with`]: it tells the engine what happened, and then
/// everything that follows from it is done before the callback returns.
pub(crate) struct Handle<T> {
    owner: Weak<RefCell<T>>,
    clock: Rc<Clock>,
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Self {
            owner: self.owner.clone(),
            clock: self.clock.clone(),
        }
    }
}

impl<T: Owner> Handle<T> {
    pub(crate) fn new(owner: Weak<RefCell<T>>) -> Self {
        Self {
            owner,
            clock: Rc::new(Clock::new()),
        }
    }

    /// Runs `f` on the owner and then settles it. Does nothing when the engine is gone.
    pub(crate) fn with(&self, f: impl FnOnce(&mut T, Instant)) {
        if let Some(owner) = self.owner.upgrade() {
            let mut owner = owner.borrow_mut();
            let now = self.clock.now();
            f(&mut owner, now);
            owner.settle(now);
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A JavaScript function that runs `f` on the owner.
    pub(crate) fn callback<V: FromWasmAbi + 'static>(
        &self,
        f: impl Fn(&mut T, Instant, V) + 'static,
    ) -> Closure<dyn FnMut(V)> {
        let handle = self.clone();
        Closure::new(move |value: V| handle.with(|owner, now| f(owner, now, value)))
    }

    /// Runs a future of the browser's to its end.
    pub(crate) fn spawn<F: Future<Output = ()> + 'static>(&self, f: impl FnOnce(Self) -> F) {
        wasm_bindgen_futures::spawn_local(f(self.clone()));
    }
}
