//! The bridge as an administrator starts it: the program itself, its configuration file, certificates and credentials.

#![allow(clippy::unwrap_used)]

mod support;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chalkcast_core::ServerSession;
use chalkcast_core::flv::Tag;
use chalkcast_core::session::client::Event;
use chalkcast_core::session::{Output, PlayStart, server};
use chalkcast_gateway::Clock;
use chalkcast_gateway::config::{Routes, Tls};
use support::programs::{Folder, Program};
use support::{Gateway, Peer, lesson, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

#[tokio::test]
async fn an_rtmps_relay_is_reached_and_its_credentials_are_never_logged() {
    let folder = Folder::new();
    let relay = Gateway::start().await;
    let (certificate, rtmps) = tls_in_front_of(relay.rtmp, &folder).await;
    let url = format!("rtmps://teacher:pa55word@{rtmps}/{{app}}?token=t0ken");
    let edge = Edge::start(&folder, &["--relay", &url], Some(&certificate)).await;

    let tags = lesson(0, 1000);
    let mut teacher = Peer::publishing(&edge.url("ws", "live/pushed?key=stream5ecret")).await;
    let mut student = Peer::player_from(&relay.url("rtmp", "live/pushed"), PlayStart::Live).await;
    teacher.send(&tags).await;
    assert_eq!(teacher.during(student.tags(tags.len())).await, tags);

    let mut elsewhere = Peer::publishing(&relay.url("rtmp", "live/pulled")).await;
    elsewhere.send(&tags).await;
    let mut student = Peer::player_from(&edge.url("rtmp", "live/pulled"), PlayStart::Live).await;
    assert_eq!(elsewhere.during(student.tags(tags.len())).await, tags);

    let log = edge.log();
    for said in [
        "pushed is pushed to rtmps://",
        "pulled is pulled from rtmps://",
    ] {
        assert!(log.contains(said), "{said}: {log}");
    }
    for secret in ["pa55word", "t0ken", "stream5ecret"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

/// A relay whose certificate nobody vouches for is not spoken to, and the log says why.
#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_refused() {
    let folder = Folder::new();
    let relay = Gateway::start().await;
    let (_, rtmps) = tls_in_front_of(relay.rtmp, &folder).await;
    let (another, _) = certificate(&folder);
    let url = format!("rtmps://{rtmps}/{{app}}");
    let edge = Edge::start(&folder, &["--relay", &url], Some(&another)).await;
    let mut student = Peer::player_from(&edge.url("ws", "live/pulled"), PlayStart::Live).await;
    let explained = soon("an explanation", async {
        while !edge.log().contains("invalid peer certificate") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    student.during(explained).await;
}

#[tokio::test]
async fn apps_of_the_configuration_file_go_to_their_own_relays() {
    let folder = Folder::new();
    let (first, second) = (Gateway::start().await, Gateway::start().await);
    let file = folder.file("chalkcast.toml");
    let text = format!(
        "[relays]\nmaths = [\"rtmp://{}/maths\"]\nphysics = [\"rtmp://{}/science?token=t0ken\"]\n",
        first.rtmp, second.rtmp
    );
    std::fs::write(&file, text).unwrap();
    let edge = Edge::start(&folder, &["--config", file.to_str().unwrap()], None).await;
    let tags = lesson(0, 500);
    for (app, relay, theirs) in [("maths", &first, "maths"), ("physics", &second, "science")] {
        let mut teacher = Peer::publishing(&edge.url("ws", &format!("{app}/conf"))).await;
        let at_relay = relay.url("rtmp", &format!("{theirs}/conf"));
        let mut student = Peer::player_from(&at_relay, PlayStart::Live).await;
        teacher.send(&tags).await;
        assert_eq!(teacher.during(student.tags(tags.len())).await, tags);
    }
    // Another app is the embedded relay's own, and is answered without asking anybody.
    let mut teacher = Peer::publishing(&edge.url("ws", "art/conf")).await;
    let mut student = Peer::player(&edge.url("rtmp", "art/conf")).await;
    teacher.send(&tags).await;
    assert_eq!(teacher.during(student.tags(tags.len())).await, tags);
    assert!(!edge.log().contains("t0ken"), "{}", edge.log());
}

/// A relay that takes connections and says nothing does not hold up a lesson for as long as it takes to be given up.
#[tokio::test]
async fn a_publisher_is_let_in_before_a_relay_that_hangs_is_given_up() {
    let relay = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let edge = bridged(relay.local_addr().unwrap(), false).await;
    let mut teacher = Peer::publishing(&edge.url("ws", "live/conf")).await;
    let (first, _) = relay.accept().await.unwrap();
    // What the gateway had to say is there, and no end.
    let mut heard = vec![0; 4096];
    while first.try_read(&mut heard).map_or(true, |bytes| bytes > 0) {
        let readable = tokio::time::timeout(Duration::from_millis(200), first.readable()).await;
        if readable.is_err() {
            break;
        }
    }
    let end = first.try_read(&mut heard);
    assert!(
        end.is_err_and(|error| error.kind() == ErrorKind::WouldBlock),
        "it has been given up already"
    );
    let mut student = Peer::player_from(&edge.url("ws", "live/conf"), PlayStart::Live).await;
    let tags = lesson(0, 500);
    teacher.send(&tags).await;
    assert_eq!(teacher.during(student.tags(tags.len())).await, tags);
}

/// nginx-rtmp says Publish.Start, and then closes the connection of one whom it denies.
#[tokio::test]
async fn a_relay_that_admits_and_then_closes_is_asked_ever_more_rarely() {
    let relay = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let edge = bridged(relay.local_addr().unwrap(), false).await;
    let mut teacher = Peer::publisher(&edge.url("ws", "live/conf")).await;
    let mut count = 0;
    let mut deadline = None;
    loop {
        let until = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(20));
        let Ok(accepted) = teacher.during(timeout_at(until, relay.accept())).await else {
            break;
        };
        deadline.get_or_insert_with(|| Instant::now() + Duration::from_secs(3));
        count += 1;
        admit_and_close(accepted.unwrap().0).await;
    }
    // After 1/8 to 1/4 s, twice that, and so on; a busy machine asks less often.
    assert!((1..=6).contains(&count), "{count} times in 3 s");
}

/// A viewer who waited first has the gateway pull the stream, which is the publisher's own, on its way back.
#[tokio::test]
async fn with_takeover_the_newest_publisher_has_the_name_at_the_relay_too() {
    let relay = Gateway::start().await;
    let edge = bridged(relay.rtmp, true).await;
    let mut student = Peer::player_from(&edge.url("ws", "live/conf"), PlayStart::Live).await;
    let mut at_relay = Peer::player_from(&relay.url("rtmp", "live/conf"), PlayStart::Live).await;
    let (tags, others) = (lesson(0, 1000), lesson(0, 480));
    let mut first = Peer::publishing(&edge.url("ws", "live/conf")).await;
    first.send(&tags).await;
    assert_eq!(first.during(student.tags(tags.len())).await, tags);
    assert_eq!(first.during(at_relay.tags(tags.len())).await, tags);

    let mut second = Peer::publisher(&edge.url("rtmp", "live/conf")).await;
    let told = second
        .during(first.status("NetStream.Publish.BadName"))
        .await;
    assert!(told.contains("taken this name over"), "{told}");
    second
        .until("PublishReady", |event| {
            matches!(event, Event::PublishReady { .. }).then_some(())
        })
        .await;
    second.send(&others).await;
    for peer in [&mut student, &mut at_relay] {
        let got = second.during(peer.tags(others.len())).await;
        let payloads = |tags: &[Tag]| {
            tags.iter()
                .map(|tag| tag.payload.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(payloads(&got), payloads(&others));
    }
    // The way on to the relay is no viewer.
    let streams = streams(&edge).await;
    assert!(streams.contains(r#""viewers":1"#), "{streams}");
}

/// The next viewer mostly comes soon: the last one's going costs the relay nothing yet.
#[tokio::test]
async fn a_pull_is_kept_for_a_while_after_its_last_viewer() {
    let relay = Gateway::start().await;
    let edge = bridged(relay.rtmp, false).await;
    let mut teacher = Peer::publishing(&relay.url("rtmp", "live/conf")).await;
    let tags = lesson(0, 500);
    teacher.send(&tags).await;
    let mut student = Peer::player_from(&edge.url("ws", "live/conf"), PlayStart::Live).await;
    assert_eq!(teacher.during(student.tags(tags.len())).await, tags);
    drop(student);
    teacher.during(viewers(&edge, 0)).await;
    let at_relay = streams(&relay).await;
    assert!(at_relay.contains(r#""viewers":1"#), "{at_relay}");
    // It has been there all the time, so the next is not made to wait for the relay.
    let mut next = Peer::player_from(&edge.url("ws", "live/conf"), PlayStart::Live).await;
    assert_eq!(teacher.during(next.tags(tags.len())).await, tags);
    drop(next);
    teacher.during(viewers(&relay, 0)).await;
}

/// The certificate of `--tls-cert` is what the program's own wss:// client sees, and it insists on trusting it.
#[tokio::test]
async fn a_lesson_is_recorded_over_wss_with_the_certificate_of_the_files() {
    let folder = Folder::new();
    let (cert, key) = certificate(&folder);
    let tls = Tls::Files {
        cert: cert.clone(),
        key,
    };
    let gateway = Gateway::with(|config| config.tls = tls).await;
    let mut teacher = Peer::publishing(&gateway.url("rtmp", "live/conf")).await;
    teacher.send(&lesson(0, 2000)).await;
    let url = gateway.url("wss", "live/conf");
    for (roots, works) in [(&cert, true), (&PathBuf::from("/dev/null"), false)] {
        let file = folder.file("copy.flv");
        let mut command = Command::new(env!("CARGO_BIN_EXE_chalkcast"));
        command.args(["play", &url, "--seconds", "0.5", "-o"]);
        command.arg(&file).env("SSL_CERT_FILE", roots);
        let mut program = Program::start(command.stderr(Stdio::null()));
        let ended = soon("the end of the recording", async {
            let mut ms = 2000;
            loop {
                if let Some(status) = program.child.try_wait().unwrap() {
                    return status;
                }
                teacher.send(&lesson(ms, ms + 40)[3..]).await;
                ms += 40;
                let pause = tokio::time::sleep(std::time::Duration::from_millis(40));
                teacher.during(pause).await;
            }
        });
        assert_eq!(ended.await.success(), works);
        assert_eq!(
            std::fs::read(&file).is_ok_and(|flv| flv.len() > 100_000),
            works
        );
        let _ = std::fs::remove_file(&file);
    }
}

/// A gateway in front of a relay at `relay`.
async fn bridged(relay: SocketAddr, takeover: bool) -> Gateway {
    Gateway::with(|config| {
        let url = format!("rtmp://{relay}/{{app}}");
        config.routes = Routes::new(vec![url], Default::default()).unwrap();
        config.relay.takeover = takeover;
    })
    .await
}

async fn streams(gateway: &Gateway) -> String {
    let mut socket = TcpStream::connect(gateway.http).await.unwrap();
    let request = "GET /api/streams HTTP/1.1\r\nHost: there\r\nConnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Waits until the only stream has so many.
async fn viewers(gateway: &Gateway, count: usize) {
    let wanted = format!(r#""viewers":{count}"#);
    soon(&wanted, async {
        while !streams(gateway).await.contains(&wanted) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

/// Serves one connection up to Publish.Start.
async fn admit_and_close(mut stream: TcpStream) {
    let clock = Clock::start();
    let mut session = ServerSession::new(server::Config::new(1), clock.now());
    let mut bytes = [0; 4096];
    let mut admitted = false;
    loop {
        let mut out = Vec::new();
        while let Some(output) = session.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    out.extend_from_slice(&transmit.head);
                    out.extend_from_slice(&transmit.body);
                }
                Output::Event(server::Event::Connect(_)) => {
                    session.accept_connect(clock.now()).unwrap();
                }
                Output::Event(server::Event::Publish { stream, .. }) => {
                    session.accept_publish(clock.now(), stream).unwrap();
                    admitted = true;
                }
                Output::Event(_) => {}
            }
        }
        stream.write_all(&out).await.unwrap();
        if admitted {
            // So that the answer is not lost with what has not been read.
            stream.shutdown().await.unwrap();
            let _ = stream.read(&mut bytes).await;
            return;
        }
        match stream.read(&mut bytes).await {
            Ok(read @ 1..) => session.handle_input(clock.now(), &bytes[..read]),
            _ => return,
        }
    }
}

/// The program, on free ports, with its log in a file.
struct Edge {
    _program: Program,
    http: SocketAddr,
    rtmp: SocketAddr,
    log: PathBuf,
}

impl Edge {
    async fn start(folder: &Folder, options: &[&str], roots: Option<&Path>) -> Self {
        let free = || {
            TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
        };
        let (http, rtmp, log) = (free(), free(), folder.file("edge.log"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_chalkcast"));
        command
            .args(["--log", "trace", "serve"])
            .args(["--http", &http.to_string(), "--rtmp", &rtmp.to_string()])
            .args(options)
            .stderr(std::fs::File::create(&log).unwrap());
        if let Some(roots) = roots {
            command.env("SSL_CERT_FILE", roots);
        }
        let edge = Self {
            _program: Program::start(&mut command),
            http,
            rtmp,
            log,
        };
        soon("the gateway", async {
            while TcpStream::connect(rtmp).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
        edge
    }

    fn url(&self, scheme: &str, path: &str) -> String {
        let at = if scheme == "rtmp" {
            self.rtmp
        } else {
            self.http
        };
        format!("{scheme}://{at}/{path}")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

/// A TLS server that passes what it decrypts on to `to`. Answers its certificate's file and its address.
async fn tls_in_front_of(to: SocketAddr, folder: &Folder) -> (PathBuf, SocketAddr) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let file = folder.file("relay.pem");
    std::fs::write(&file, made.cert.pem()).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut near = acceptor.accept(stream).await?;
                let mut far = TcpStream::connect(to).await?;
                copy_bidirectional(&mut near, &mut far).await
            });
        }
    });
    (file, address)
}

/// A certificate and its key, as files.
fn certificate(folder: &Folder) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (folder.file("cert.pem"), folder.file("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (cert, key)
}
