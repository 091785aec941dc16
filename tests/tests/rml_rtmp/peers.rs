use bytes::Bytes;
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::sessions::{
    ClientSession, ClientSessionConfig, ClientSessionEvent, ClientSessionResult, ServerSession,
    ServerSessionConfig, ServerSessionEvent, ServerSessionResult,
};

/// rml_rtmp's server: handshake and session as one.
pub(crate) struct Server {
    handshake: Option<Handshake>,
    pub(crate) session: Option<ServerSession>,
    pub(crate) output: Vec<u8>,
    pub(crate) events: Vec<ServerSessionEvent>,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self {
            handshake: Some(Handshake::new(PeerType::Server)),
            session: None,
            output: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn handle_input(&mut self, input: &[u8]) {
        let rest = shake(&mut self.handshake, input, &mut self.output);
        let Some(rest) = rest else { return };
        if self.session.is_none() {
            let (session, results) = ServerSession::new(ServerSessionConfig::new()).unwrap();
            self.session = Some(session);
            self.take(results);
        }
        let results = self.session.as_mut().unwrap().handle_input(&rest).unwrap();
        self.take(results);
    }

    /// Accepts a request of the client's.
    pub(crate) fn accept(&mut self, request_id: u32) {
        let results = self
            .session
            .as_mut()
            .unwrap()
            .accept_request(request_id)
            .unwrap();
        self.take(results);
    }

    fn take(&mut self, results: Vec<ServerSessionResult>) {
        for result in results {
            match result {
                ServerSessionResult::OutboundResponse(packet) => self.output.extend(packet.bytes),
                ServerSessionResult::RaisedEvent(event) => self.events.push(event),
                ServerSessionResult::UnhandleableMessageReceived(_) => {}
            }
        }
    }
}

/// rml_rtmp's client: handshake and session as one.
pub(crate) struct Client {
    handshake: Option<Handshake>,
    pub(crate) session: ClientSession,
    pub(crate) ready: bool,
    pub(crate) output: Vec<u8>,
    pub(crate) events: Vec<ClientSessionEvent>,
}

impl Client {
    pub(crate) fn new() -> Self {
        let mut handshake = Handshake::new(PeerType::Client);
        let output = handshake.generate_outbound_p0_and_p1().unwrap();
        let (session, results) = ClientSession::new(ClientSessionConfig::new()).unwrap();
        let mut client = Self {
            handshake: Some(handshake),
            session,
            ready: false,
            output,
            events: Vec::new(),
        };
        client.take(results);
        client
    }

    pub(crate) fn handle_input(&mut self, input: &[u8]) {
        let Some(rest) = shake(&mut self.handshake, input, &mut self.output) else {
            return;
        };
        self.ready = true;
        let results = self.session.handle_input(&rest).unwrap();
        self.take(results);
    }

    pub(crate) fn take(&mut self, results: Vec<ClientSessionResult>) {
        for result in results {
            match result {
                ClientSessionResult::OutboundResponse(packet) => self.output.extend(packet.bytes),
                ClientSessionResult::RaisedEvent(event) => self.events.push(event),
                ClientSessionResult::UnhandleableMessageReceived(_) => {}
            }
        }
    }
}

/// What is left of the input after the handshake, once that is over.
fn shake(handshake: &mut Option<Handshake>, input: &[u8], output: &mut Vec<u8>) -> Option<Bytes> {
    let Some(shaking) = handshake else {
        return Some(Bytes::copy_from_slice(input));
    };
    match shaking.process_bytes(input).unwrap() {
        HandshakeProcessResult::InProgress { response_bytes } => {
            output.extend(response_bytes);
            None
        }
        HandshakeProcessResult::Completed {
            response_bytes,
            remaining_bytes,
        } => {
            output.extend(response_bytes);
            *handshake = None;
            Some(remaining_bytes.into())
        }
    }
}
