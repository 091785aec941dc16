use alloc::vec::Vec;

#[cfg(feature = "digest")]
use super::digest::{Signer, sign, sign_answer, verify};
use super::packet::{Inbound, Random, echo};
use super::{Error, Kind, PACKET, VERSION, check_version};
use crate::Instant;

/// The server's side. It answers with digests only a client that sent a valid one.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    random: Random,
    state: State,
    inbound: Inbound,
}

#[derive(Debug)]
enum State {
    AwaitC0,
    AwaitC1,
    AwaitC2,
    Done,
}

#[cfg(feature = "digest")]
/// What a server with digests calls itself. Clients take a version of 3 or more to mean that S1 has a digest, and 0 that it has none.
const SERVER_VERSION: [u8; 4] = [4, 5, 0, 1];

impl Server {
    /// Waits for a client. The random bytes come from `seed`, which should differ between connections.
    pub const fn new(seed: u64) -> Self {
        Self {
            kind: Kind::Simple,
            random: Random::new(seed),
            state: State::AwaitC0,
            inbound: Inbound::new(),
        }
    }

    /// Takes from `input` what belongs to the handshake, and appends to `out` what answers it: S0, S1 and S2 after C1.
    ///
    /// Answers with the kind of handshake it was once all of C2 is there; the rest of `input` is the chunk stream.
    pub fn handle_input(
        &mut self,
        now: Instant,
        input: &mut &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<Kind>, Error> {
        if let (State::AwaitC0, Some((version, rest))) = (&self.state, input.split_first()) {
            check_version(*version)?;
            *input = rest;
            self.state = State::AwaitC1;
        }
        if let State::AwaitC1 = self.state
            && let Some(c1) = self.inbound.fill(input)
        {
            let (s1, s2) = self.answer(now, c1);
            out.reserve(1 + s1.len() + s2.len());
            out.push(VERSION);
            out.extend_from_slice(&s1);
            out.extend_from_slice(&s2);
            self.state = State::AwaitC2;
        }
        if let State::AwaitC2 = self.state
            && self.inbound.fill(input).is_some()
        {
            self.state = State::Done;
        }
        Ok(matches!(self.state, State::Done).then_some(self.kind))
    }

    /// S1 and S2.
    fn answer(&mut self, now: Instant, c1: [u8; PACKET]) -> ([u8; PACKET], [u8; PACKET]) {
        #[cfg(feature = "digest")]
        if let Some(signed) = self.signed_answer(now, &c1) {
            return signed;
        }
        (self.random.packet(now, [0; 4]), echo(c1, now))
    }

    /// S1 and S2 with digests, for a client that has sent one.
    #[cfg(feature = "digest")]
    fn signed_answer(
        &mut self,
        now: Instant,
        c1: &[u8; PACKET],
    ) -> Option<([u8; PACKET], [u8; PACKET])> {
        // A version of zero is how a client says that it knows no digests.
        if let [_, _, _, _, 0, 0, 0, 0, ..] = c1 {
            return None;
        }
        let (scheme, digest) = verify(c1, Signer::Client)?;
        self.kind = Kind::Digest;
        let mut s1 = self.random.packet(now, SERVER_VERSION);
        sign(&mut s1, scheme, Signer::Server);
        let mut s2 = self.random.packet(now, [0; 4]);
        sign_answer(&mut s2, &digest, Signer::Server);
        Some((s1, s2))
    }
}
