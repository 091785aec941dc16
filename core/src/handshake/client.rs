use alloc::vec::Vec;

use super::digest::{Scheme, Signer, sign, sign_answer, verify};
use super::packet::{Inbound, Random, echo};
use super::{Error, Kind, VERSION, check_version};
use crate::Instant;

/// The client's side.
#[derive(Debug)]
pub struct Client {
    kind: Kind,
    random: Random,
    state: State,
    inbound: Inbound,
}

#[derive(Debug)]
enum State {
    AwaitS0,
    AwaitS1,
    AwaitS2,
    Done,
}

/// What a client with digests calls itself: Flash Player 10.0.45.2. A version of zero would say that it knows none.
const FLASH_VERSION: [u8; 4] = [10, 0, 45, 2];

impl Client {
    /// Starts a handshake by appending C0 and C1 to `out`. The random bytes come from `seed`, which should differ between connections.
    pub fn new(kind: Kind, seed: u64, now: Instant, out: &mut Vec<u8>) -> Self {
        let mut random = Random::new(seed);
        let version = match kind {
            Kind::Simple => [0; 4],
            Kind::Digest => FLASH_VERSION,
        };
        let mut c1 = random.packet(now, version);
        if kind == Kind::Digest {
            sign(&mut c1, Scheme::Zero, Signer::Client);
        }
        out.push(VERSION);
        out.extend_from_slice(&c1);
        Self {
            kind,
            random,
            state: State::AwaitS0,
            inbound: Inbound::new(),
        }
    }

    /// Takes from `input` what belongs to the handshake, and appends to `out` what answers it: C2.
    ///
    /// Answers with the kind of handshake it was once all of S2 is there; the rest of `input` is the chunk stream.
    pub fn handle_input(
        &mut self,
        now: Instant,
        input: &mut &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<Kind>, Error> {
        if let (State::AwaitS0, Some((version, rest))) = (&self.state, input.split_first()) {
            check_version(*version)?;
            *input = rest;
            self.state = State::AwaitS1;
        }
        if let State::AwaitS1 = self.state
            && let Some(s1) = self.inbound.fill(input)
        {
            let digest = match self.kind {
                Kind::Simple => None,
                Kind::Digest => verify(&s1, Signer::Server),
            };
            let mut c2 = echo(s1, now);
            match digest {
                Some((_, digest)) => {
                    c2 = self.random.packet(now, [0; 4]);
                    sign_answer(&mut c2, &digest, Signer::Client);
                }
                None => self.kind = Kind::Simple,
            }
            out.extend_from_slice(&c2);
            self.state = State::AwaitS2;
        }
        if let State::AwaitS2 = self.state
            && self.inbound.fill(input).is_some()
        {
            // Servers put all kinds of things into S2; no client in use refuses any.
            self.state = State::Done;
        }
        Ok(matches!(self.state, State::Done).then_some(self.kind))
    }
}
