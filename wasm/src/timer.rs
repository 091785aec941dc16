//! Timers of the browser's.

use chalkcast_core::Instant;
use wasm_bindgen::prelude::*;
use web_sys::WorkerGlobalScope;

/// An owner's one timer: it wakes the owner, which then looks what is due.
pub(crate) struct Timer {
    scope: WorkerGlobalScope,
    callback: Closure<dyn FnMut(JsValue)>,
    set: Option<(Instant, i32)>,
}

impl Timer {
    /// `callback` calls [`Timer::fired`].
    pub(crate) fn new(callback: Closure<dyn FnMut(JsValue)>) -> Self {
        Self {
            scope: js_sys::global().unchecked_into(),
            callback,
            set: None,
        }
    }

    pub(crate) fn fired(&mut self) {
        self.set = None;
    }

    /// Wakes the owner at `at`, and at no other time set before.
    pub(crate) fn set(&mut self, now: Instant, at: Option<Instant>) {
        if self.set.map(|(at, _)| at) == at {
            return;
        }
        if let Some((_, id)) = self.set.take() {
            self.scope.clear_timeout_with_handle(id);
        }
        if let Some(at) = at {
            // Rounded up (a conversion keeps within its range): a timer that fires early would only be set again.
            let millis = (at - now).as_secs_f64() * 1000.0;
            let callback = self.callback.as_ref().unchecked_ref();
            self.set = self
                .scope
                .set_timeout_with_callback_and_timeout_and_arguments_0(
                    callback,
                    millis.ceil() as i32,
                )
                .ok()
                .map(|id| (at, id));
        }
    }
}
