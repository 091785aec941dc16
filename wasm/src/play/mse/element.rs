//! What the page's video element does, as the page reports it.

use std::time::Duration;

use chalkcast_core::Instant;
use chalkcast_core::jitter::{Event, Lead};

use crate::page::{Message, ToWorker};

/// A standstill of this length is a stall.
const STALL: Duration = Duration::from_millis(100);
/// An element that stands still with this much ahead of it wants more.
const HUNGER: Duration = Duration::from_millis(40);

/// Its last report, and what follows from all of them.
#[derive(Debug, Default)]
pub(super) struct Element {
    lead: Lead,
    playing: bool,
    /// Since when it waits, and what it had ahead then.
    waiting: Option<(Instant, Duration)>,
    stalls: u32,
    stalled: Duration,
    figures: Figures,
}

#[derive(Debug, Default)]
struct Figures {
    buffer_length: f64,
    fps: f64,
    dropped: f64,
    size: (u32, u32),
    quota: f64,
}

/// How the element moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Motion {
    /// It plays.
    Advancing,
    /// It has nothing to play.
    Waiting,
    /// It is held back, or on its way to another position.
    Still,
}

impl Element {
    /// Another element: what this one wants is known already.
    pub(super) fn reset(&mut self) {
        self.waiting = None;
        self.lead.restart();
    }

    pub(super) fn lead(&self) -> Duration {
        self.lead.wanted()
    }

    /// The element moves so, and `ahead` of it is so much. Gives what the page is to be told.
    pub(super) fn report(
        &mut self,
        now: Instant,
        motion: Motion,
        ahead: Duration,
    ) -> Option<Event> {
        match motion {
            Motion::Advancing => {
                self.lead.playing(now);
                if let Some((since, _)) = self.waiting.take()
                    && !self.playing
                    && self.stalls > 0
                {
                    self.stalled += now - since;
                }
                (!std::mem::replace(&mut self.playing, true)).then_some(Event::Full)
            }
            Motion::Waiting => {
                let (since, had) = *self.waiting.get_or_insert((now, ahead));
                if !self.playing || now - since < STALL {
                    return None;
                }
                self.playing = false;
                self.stalls += 1;
                if had > HUNGER {
                    self.lead.starved();
                }
                Some(Event::Empty)
            }
            Motion::Still => {
                self.waiting = None;
                None
            }
        }
    }

    /// Keeps the figures of a report.
    pub(super) fn seen(&mut self, message: &ToWorker) {
        let size = (message.width(), message.height());
        self.figures = Figures {
            buffer_length: message.buffer_length(),
            fps: message.fps(),
            dropped: message.dropped(),
            size: if size == (0, 0) {
                self.figures.size
            } else {
                size
            },
            quota: message.quota(),
        };
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.figures.size
    }

    /// Puts the element's figures over those of decoders that are not there.
    pub(super) fn stats(&self, message: Message) -> Message {
        message
            .with("bufferLength", self.figures.buffer_length)
            .with("width", self.figures.size.0)
            .with("height", self.figures.size.1)
            .with("fps", self.figures.fps)
            .with("stalls", self.stalls)
            .with("stalled", self.stalled.as_secs_f64() * 1000.0)
            .with("lateFrames", self.figures.dropped)
            .with("elementLead", self.lead().as_secs_f64() * 1000.0)
            .with("quotaExceeded", self.figures.quota)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(1_000_000_000 + millis * 1000)
    }

    #[test]
    fn a_standstill_is_told_once_it_lasts_and_counted() {
        let mut element = Element::default();
        let ahead = Duration::from_millis(300);
        assert_eq!(element.report(at(0), Motion::Still, ahead), None);
        assert_eq!(
            element.report(at(50), Motion::Advancing, ahead),
            Some(Event::Full)
        );
        assert_eq!(
            element.report(at(100), Motion::Waiting, Duration::ZERO),
            None
        );
        assert_eq!(element.report(at(150), Motion::Advancing, ahead), None);
        assert_eq!(
            element.report(at(200), Motion::Waiting, Duration::ZERO),
            None
        );
        assert_eq!(
            element.report(at(310), Motion::Waiting, ahead),
            Some(Event::Empty)
        );
        assert_eq!(element.report(at(900), Motion::Waiting, ahead), None);
        assert_eq!(
            element.report(at(1000), Motion::Advancing, ahead),
            Some(Event::Full)
        );
        assert_eq!(
            (element.stalls, element.stalled),
            (1, Duration::from_millis(800))
        );
        assert_eq!(element.lead(), Element::default().lead());
    }

    #[test]
    fn an_element_that_starves_with_media_ahead_gets_more_for_a_while() {
        let mut element = Element::default();
        let least = element.lead();
        let ahead = Duration::from_millis(180);
        element.report(at(0), Motion::Advancing, ahead);
        element.report(at(100), Motion::Waiting, ahead);
        element.report(at(250), Motion::Waiting, ahead);
        assert!(element.lead() > least);
        for tenth in 4..120 {
            element.report(at(tenth * 100), Motion::Advancing, ahead);
        }
        assert_eq!(element.lead(), least);
    }

    #[test]
    fn a_seek_is_no_standstill() {
        let mut element = Element::default();
        element.report(at(0), Motion::Advancing, Duration::ZERO);
        element.report(at(50), Motion::Waiting, Duration::ZERO);
        element.report(at(100), Motion::Still, Duration::ZERO);
        assert_eq!(
            element.report(at(200), Motion::Waiting, Duration::ZERO),
            None
        );
        assert_eq!(
            element.report(at(290), Motion::Advancing, Duration::ZERO),
            None
        );
    }
}
