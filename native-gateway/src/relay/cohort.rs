//! Viewers in step: what is due for one is due for all, and it is put together once.

use std::task::Waker;
use std::time::Duration;

use chalkcast_core::Instant;

use super::Config;
use super::cursor::{Pulled, Tracks, Wants, is_over, wait};
use super::log::{Content, Kind, Log};
use super::seat::{Member, Run};
use super::stream::{Interest, earlier};

/// What viewers in step have in common.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) position: u64,
    pub(super) wants: Wants,
    pub(super) budget: Duration,
    /// Video tracks that they can decode.
    pub(super) started: Tracks,
    /// The message stream id of their NetStream.
    pub(super) stream_id: u32,
}

#[derive(Debug)]
struct Cohort {
    step: Step,
    members: Vec<Member>,
    deadline: Option<Instant>,
    is_due: bool,
    /// What is being written: the same for all, whatever comes meanwhile.
    run: Option<Run>,
}

/// All viewers of a stream whose connections are entrusted to it, by what they are sent next.
#[derive(Debug, Default)]
pub(super) struct Cohorts {
    /// Who has waited longest comes first.
    waiting: Vec<Cohort>,
}

/// Some viewers in step, and what to write to each.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) step: Step,
    pub(super) run: Run,
    pub(super) members: Vec<Member>,
}

/// So many are written to in one go: a third of a millisecond.
const SHARE: usize = 32;
/// One thread writes to so many in about 4 ms. For fewer no other is woken: they would gain a millisecond or two, and cost a tenth more.
pub(super) const WORTH_A_THREAD: usize = 512;
/// Longer runs are not put together: each viewer goes on by itself.
const LONGEST_RUN: usize = 1 << 20;

impl Cohorts {
    /// A viewer comes. Answers until when it can wait, if it waits for anything.
    pub(super) fn join(
        &mut self,
        step: Step,
        member: Member,
        log: &Log,
        now: Instant,
    ) -> Option<Instant> {
        if let Some(cohort) = self.waiting.iter_mut().find(|cohort| cohort.step == step)
            && cohort.members.len() == cohort.members.capacity()
        {
            // Those who have gone are otherwise noticed at the next write, which may not come.
            cohort.members.retain(Member::is_in_step);
        }
        self.gather(step, vec![member], log, now)
    }

    /// Viewers wait for what comes next. Answers until when they can, if they wait for anything.
    pub(super) fn gather(
        &mut self,
        step: Step,
        members: Vec<Member>,
        log: &Log,
        now: Instant,
    ) -> Option<Instant> {
        if members.is_empty() {
            return None;
        }
        if let Some(cohort) = self.waiting.iter_mut().find(|cohort| cohort.step == step) {
            cohort.members.extend(members);
            return None;
        }
        let waits = wait(log, step.position, step.wants, step.budget, now);
        let (is_due, deadline) = match waits {
            Some(Pulled::Wait(deadline)) => (false, deadline),
            _ => (true, None),
        };
        self.waiting.push(Cohort {
            step,
            members,
            deadline,
            is_due,
            run: None,
        });
        deadline
    }

    /// A tag has come. Answers until when it may wait.
    pub(super) fn hear(&mut self, now: Instant, kind: Kind) -> Option<Instant> {
        let (mut first, mut roused) = (None, Vec::new());
        for cohort in self.waiting.iter_mut().filter(|cohort| !cohort.is_due) {
            let mut interest = Interest {
                wants: cohort.step.wants,
                budget: cohort.step.budget,
                deadline: cohort.deadline,
            };
            cohort.is_due = interest.hear(now, kind);
            cohort.deadline = interest.deadline;
            if cohort.is_due {
                roused.push(cohort.step.patience());
            } else if let Some(deadline) = cohort.deadline {
                first = earlier(first, deadline);
            }
        }
        self.fall_in(&roused);
        first
    }

    /// Time has passed. Answers the next deadline.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Instant> {
        let (mut next, mut roused) = (None, Vec::new());
        for cohort in self.waiting.iter_mut().filter(|cohort| !cohort.is_due) {
            match cohort.deadline {
                Some(deadline) if is_over(deadline, now) => {
                    cohort.is_due = true;
                    roused.push(cohort.step.patience());
                }
                Some(deadline) => next = earlier(next, deadline),
                None => {}
            }
        }
        self.fall_in(&roused);
        next
    }

    /// Who waits for the same, and as long, is written to when the first of them is, and is in step from then on. That is when it
    /// comes to be due, not as long as it is: writing to thousands takes longer than the next tag does, and those who have been
    /// written to wait again.
    fn fall_in(&mut self, roused: &[(Duration, Wants)]) {
        for cohort in &mut self.waiting {
            cohort.is_due |= cohort.deadline.is_some() && roused.contains(&cohort.step.patience());
        }
    }

    /// For how many viewers something is due.
    pub(super) fn due(&self) -> usize {
        let due = self.waiting.iter().filter(|cohort| cohort.is_due);
        due.map(|cohort| cohort.members.len()).sum()
    }

    /// What is to be written next. Those who have to go on by themselves are put into `woken`.
    pub(super) fn take(
        &mut self,
        log: &Log,
        now: Instant,
        config: &Config,
        bits_per_second: u64,
        woken: &mut Vec<Waker>,
    ) -> Option<Job> {
        loop {
            let at = self.waiting.iter().position(|cohort| cohort.is_due)?;
            if self.waiting[at].run.is_none() {
                // All that is due ends with the same entry: then they are in step.
                for cohort in self.waiting.iter_mut().filter(|cohort| cohort.is_due) {
                    cohort.run = cohort
                        .run
                        .take()
                        .or_else(|| cohort.step.run(log, now, config, bits_per_second));
                }
            }
            let cohort = &mut self.waiting[at];
            let Some(run) = cohort.run.clone() else {
                let cohort = self.waiting.remove(at);
                woken.extend(cohort.members.iter().filter_map(Member::dismiss));
                continue;
            };
            let step = cohort.step.clone();
            let members = if cohort.members.len() > SHARE {
                cohort.members.split_off(cohort.members.len() - SHARE)
            } else {
                self.waiting.remove(at).members
            };
            return Some(Job { step, run, members });
        }
    }

    /// Everybody goes on by himself.
    pub(super) fn dismiss(&mut self, woken: &mut Vec<Waker>) {
        let members = self
            .waiting
            .drain(..)
            .flat_map(|cohort| cohort.members.into_iter());
        woken.extend(members.filter_map(|member| member.dismiss()));
    }
}

impl Job {
    /// Writes, and answers who is still in step, and where.
    pub(super) fn write(mut self) -> (Step, Vec<Member>) {
        self.members.retain(|member| member.write(&self.run));
        self.step.position = self.run.to;
        (self.step, self.members)
    }
}

impl Step {
    /// How long they wait, and for what.
    fn patience(&self) -> (Duration, Wants) {
        (self.budget, self.wants)
    }

    /// Everything up to the end of the log. `None` if there is more to it than tags which all get: then each has to see for itself.
    fn run(&self, log: &Log, now: Instant, config: &Config, bits_per_second: u64) -> Option<Run> {
        if self.position < log.first() {
            return None;
        }
        let mut bytes = Run::buffer();
        let mut next = self.position;
        while let Some(entry) = log.get(next) {
            let Content::Tag { kind, message, .. } = &entry.content else {
                return None;
            };
            if self.wants.kind(*kind) {
                let is_late = now - entry.arrival > self.budget + config.lag;
                let is_decodable = match kind {
                    Kind::Video { track, .. } => self.started.contains(*track),
                    _ => true,
                };
                if is_late || !is_decodable || bytes.len() + message.len() > LONGEST_RUN {
                    return None;
                }
                let transmit = message.transmit(self.stream_id);
                bytes.extend_from_slice(&transmit.head);
                bytes.extend_from_slice(&transmit.body);
            }
            next += 1;
        }
        Some(Run::new(bytes, bits_per_second, next))
    }
}
