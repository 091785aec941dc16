use alloc::vec::Vec;

#[cfg(feature = "digest")]
use super::PACKET;
#[cfg(feature = "digest")]
use super::digest::{Scheme, Signer, sign, sign_answer, verify};
use super::packet::{Inbound, Random, echo};
use super::{Error, Kind, VERSION, check_version};
use crate::Instant;

/// The client's side.
#[derive(Debug)]
pub struct Client {
    kind: Kind,
    #[cfg(feature = "digest")]
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

#[cfg(feature = "digest")]
/// What a client with digests calls itself: Flash Player 10.0.45.2. A version of zero would say that it knows none.
const FLASH_VERSION: [u8; 4] = [10, 0, 45, 2];

impl Client {
    /// Starts a handshake by appending C0 and C1 to `out`. The random bytes come from `seed`, which should differ between connections.
    pub fn new(kind: Kind, seed: u64, now: Instant, out: &mut Vec<u8>) -> Self {
        let mut random = Random::new(seed);
        let c1 = match kind {
            Kind::Simple => random.packet(now, [0; 4]),
            #[cfg(feature = "digest")]
            Kind::Digest => {
                let mut c1 = random.packet(now, FLASH_VERSION);
                sign(&mut c1, Scheme::Zero, Signer::Client);
                c1
            }
        };
        out.push(VERSION);
        out.extend_from_slice(&c1);
        Self {
            kind,
            #[cfg(feature = "digest")]
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
            let c2 = match self.kind {
                Kind::Simple => echo(s1, now),
                #[cfg(feature = "digest")]
                Kind::Digest => self.signed_answer(now, s1),
            };
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

    /// C2 with a digest for a server that has sent one, else simple from here on.
    #[cfg(feature = "digest")]
    fn signed_answer(&mut self, now: Instant, s1: [u8; PACKET]) -> [u8; PACKET] {
        let Some((_, digest)) = verify(&s1, Signer::Server) else {
            self.kind = Kind::Simple;
            return echo(s1, now);
        };
        let mut c2 = self.random.packet(now, [0; 4]);
        sign_answer(&mut c2, &digest, Signer::Client);
        c2
    }
}
