//! A connection to which the relay writes by itself.

use bytes::Bytes;

use super::recall;
use super::tcp::{Tcp, Unsent};
use super::tls::Tls;
use crate::relay::{Lane, Run, Written};

/// A connection with nothing that waits to be written.
#[derive(Debug)]
pub(super) struct SocketLane {
    tcp: Tcp,
    tls: Option<Tls>,
    unsent: Unsent,
    /// What was said last: to look it up elsewhere would take as long as much of a write.
    unsent_limit: u32,
    /// Whether each run is a frame of a WebSocket.
    framed: bool,
    rest: Bytes,
}

impl SocketLane {
    pub(super) fn new(tcp: Tcp, tls: Option<Tls>, unsent: Unsent, framed: bool) -> Self {
        Self {
            tcp,
            tls,
            unsent,
            unsent_limit: 0,
            framed,
            rest: Bytes::new(),
        }
    }
}

impl Lane for SocketLane {
    fn write(&mut self, run: &Run) -> Written {
        let limit = recall::unsent_limit(run.bits_per_second);
        if limit != self.unsent_limit {
            self.unsent_limit = limit;
            self.unsent.limit(&self.tcp, limit);
        }
        let bytes = run.bytes(self.framed);
        // What is wrong with a connection shows when its owner writes the rest.
        let (taken, is_all) = match &self.tls {
            None => {
                let sent = self.tcp.send(bytes).unwrap_or(0);
                (sent, sent == bytes.len())
            }
            Some(tls) => {
                let sealed = tls.send(bytes);
                (sealed.bytes, sealed.written && sealed.bytes == bytes.len())
            }
        };
        if is_all {
            return Written::All;
        }
        if taken == 0 {
            return Written::Nothing;
        }
        self.rest = run.rest(self.framed, taken);
        Written::Part
    }

    fn into_rest(self: Box<Self>) -> Bytes {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::{AsyncRead, AsyncReadExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;
    use crate::tls::provider;
    use crate::transport::{Outbox, Socket, Transport, tune};

    /// A server's end, and what a client reads from.
    async fn pair(encrypted: bool) -> (Transport, Box<dyn AsyncRead + Unpin>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (near, far) = tokio::join!(listener.accept(), TcpStream::connect(address));
        let (near, far) = (near.unwrap().0, far.unwrap());
        tune(&near);
        if !encrypted {
            return (Transport::Plain(Socket::tcp(near)), Box::new(far));
        }
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (near, far) = tokio::join!(
            TlsAcceptor::from(Arc::new(server)).accept(Tcp::from(near)),
            TlsConnector::from(Arc::new(client))
                .connect(ServerName::try_from("localhost").unwrap(), far),
        );
        (
            Transport::Plain(Socket::tls(near.unwrap())),
            Box::new(far.unwrap()),
        )
    }

    fn run(number: usize, length: usize) -> Run {
        let mut buffer = Run::buffer();
        buffer.extend((0..length).map(|at| (number * 7 + at % 251) as u8));
        Run::new(buffer, 1_000_000, 0)
    }

    /// Small runs leave nothing but what has been encrypted already; large ones leave more than a session encrypts at once.
    #[tokio::test]
    async fn what_a_lane_leaves_its_owner_writes_and_nothing_is_lost() {
        for (encrypted, length) in [
            (false, 10_000),
            (false, 10_000_000),
            (true, 10_000),
            (true, 10_000_000),
        ] {
            let (mut transport, mut far) = pair(encrypted).await;
            let mut lane = transport.lane().unwrap();
            let mut expected = Vec::new();
            for number in 0.. {
                let run = run(number, length);
                let written = lane.write(&run);
                if written != Written::Nothing {
                    expected.extend_from_slice(run.bytes(false));
                }
                if written != Written::All {
                    break;
                }
            }
            let rest = lane.into_rest();
            let mut outbox = Outbox::default();
            if !rest.is_empty() {
                transport.resume(&rest, &mut outbox);
            }
            let mut got = vec![0; expected.len()];
            let both = async {
                tokio::join!(
                    poll_fn(|cx| transport.poll_write(cx, &mut outbox)),
                    far.read_exact(&mut got)
                )
            };
            let (wrote, read) = tokio::time::timeout(Duration::from_secs(20), both)
                .await
                .expect("everything arrives");
            wrote.unwrap();
            read.unwrap();
            assert!(got == expected, "encrypted: {encrypted}, {length}");
            let last = run(9, 1000);
            let mut lane = transport.lane().unwrap();
            assert_eq!(
                lane.write(&last),
                Written::All,
                "it can be written to again"
            );
            got.resize(last.len(), 0);
            far.read_exact(&mut got).await.unwrap();
            assert!(got == last.bytes(false));
        }
    }
}
