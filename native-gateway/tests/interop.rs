//! Programs that nobody here wrote: ffmpeg on both ends, and nginx-rtmp with its default settings as the external relay.

#![allow(clippy::unwrap_used)]

mod support;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use chalkcast_core::session::PlayStart;
use chalkcast_gateway::config::Routes;
use support::{Gateway, Peer, soon};

/// H.264 and AAC as ffmpeg makes them.
const LESSON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/lesson/lesson.flv");
const NGINX_CONF: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/beside-nginx-rtmp/nginx.conf"
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ffmpeg_plays_what_ffmpeg_publishes_to_the_embedded_relay() {
    let gateway = Gateway::start().await;
    let url = gateway.url("rtmp", "live/lesson");
    let folder = Folder::new();
    // One who waits is there first; ffmpeg quits on a status of level error.
    let waiting = play(&["-rtmp_live", "live"], &url, &folder.file("early.flv"));
    let mut witness = Peer::player_from(&url, PlayStart::Live).await;
    let _publisher = publish(&url);
    witness.status("NetStream.Play.PublishNotify").await;
    let late = play(&[], &url, &folder.file("late.flv"));
    for (name, program) in [("early.flv", waiting), ("late.flv", late)] {
        witness.during(program.done()).await;
        assert_sound(&folder.file(name));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ffmpeg_plays_what_ffmpeg_publishes_through_nginx_rtmp() {
    let nginx = Nginx::start().await;
    let gateway = nginx.gateway().await;
    let folder = Folder::new();

    // Pushed: published to the gateway, played from nginx.
    let _publisher = publish(&gateway.url("rtmp", "live/pushed"));
    let mut witness = Peer::player_from(&gateway.url("rtmp", "live/pushed"), PlayStart::Live).await;
    witness.tag().await;
    let pushed = play(&[], &nginx.url("live/pushed"), &folder.file("pushed.flv"));
    // And from the gateway itself.
    let direct = play(
        &[],
        &gateway.url("rtmp", "live/pushed"),
        &folder.file("direct.flv"),
    );
    witness.during(pushed.done()).await;
    witness.during(direct.done()).await;

    // Pulled: published to nginx, played from the gateway.
    let _elsewhere = publish(&nginx.url("live/pulled"));
    let mut witness = Peer::player_from(&gateway.url("rtmp", "live/pulled"), PlayStart::Live).await;
    witness.tag().await;
    let pulled = play(
        &[],
        &gateway.url("rtmp", "live/pulled"),
        &folder.file("pulled.flv"),
    );
    witness.during(pulled.done()).await;
    for name in ["pushed.flv", "direct.flv", "pulled.flv"] {
        assert_sound(&folder.file(name));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nginx_rtmp_is_silent_the_gateway_speaks() {
    let nginx = Nginx::start().await;
    let gateway = nginx.gateway().await;
    let url = gateway.url("ws", "live/later");
    let mut student = Peer::player(&url).await;
    student.status("NetStream.Play.StreamNotFound").await;

    let publisher = publish(&nginx.url("live/later"));
    student.status("NetStream.Play.PublishNotify").await;
    student.tag().await;
    drop(publisher);
    student.status("NetStream.Play.UnpublishNotify").await;
    let _publisher = publish(&nginx.url("live/later"));
    student.status("NetStream.Play.PublishNotify").await;
    student.tag().await;

    // A name that is taken at nginx is refused in nginx's own words.
    let mut second = Peer::publisher(&gateway.url("ws", "live/later")).await;
    assert_eq!(
        second.status("NetStream.Publish.BadName").await,
        "Already publishing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_stay_while_nginx_rtmp_is_killed_and_restarted() {
    let mut nginx = Nginx::start().await;
    let gateway = nginx.gateway().await;
    let _publisher = publish(&gateway.url("rtmp", "live/pushed"));
    let elsewhere = publish(&nginx.url("live/pulled"));
    let mut local = Peer::player(&gateway.url("ws", "live/pushed")).await;
    let mut student = Peer::player(&gateway.url("ws", "live/pulled")).await;
    local.tag().await;
    student.tag().await;
    nginx.kill();
    student.status("NetStream.Play.UnpublishNotify").await;
    local.tags(50).await;

    drop(elsewhere);
    nginx.restart().await;
    let _elsewhere = publish(&nginx.url("live/pulled"));
    student.status("NetStream.Play.PublishNotify").await;
    student.tag().await;
    let mut at_nginx = Peer::player_from(&nginx.url("live/pushed"), PlayStart::Live).await;
    at_nginx.tag().await;
}

/// ffmpeg publishing the lesson in real time, over and over, until dropped.
fn publish(url: &str) -> Program {
    Program::start(Command::new("ffmpeg").args([
        "-nostdin",
        "-loglevel",
        "error",
        "-re",
        "-stream_loop",
        "-1",
        "-i",
        LESSON,
        "-c",
        "copy",
        "-f",
        "flv",
        url,
    ]))
}

/// ffmpeg pulling some seconds without re-encoding.
fn play(options: &[&str], url: &str, file: &Path) -> Program {
    let mut command = Command::new("ffmpeg");
    command.args([
        "-nostdin",
        "-loglevel",
        "error",
        "-y",
        "-rw_timeout",
        "15000000",
    ]);
    Program::start(
        command
            .args(options)
            .args(["-i", url, "-c", "copy", "-t", "3"])
            .arg(file),
    )
}

/// Has both tracks, rises in time, and decodes without a word from ffmpeg.
fn assert_sound(file: &Path) {
    let probe = output(
        Command::new("ffprobe")
            .args([
                "-v",
                "error",
                "-of",
                "csv=p=0",
                "-show_entries",
                "packet=codec_type,dts",
            ])
            .arg(file),
    );
    for kind in ["audio", "video"] {
        let stamps: Vec<i64> = probe
            .lines()
            .filter_map(|line| line.strip_prefix(kind)?.trim_matches(',').parse().ok())
            .collect();
        assert!(
            stamps.len() > 20,
            "{} {kind} packets in {}",
            stamps.len(),
            file.display()
        );
        assert!(
            stamps.windows(2).all(|pair| pair[1] > pair[0]),
            "{kind} of {}: {stamps:?}",
            file.display()
        );
    }
    let decoding = output(
        Command::new("ffmpeg")
            .args(["-nostdin", "-v", "warning", "-xerror", "-i"])
            .arg(file)
            .args(["-f", "null", "-"]),
    );
    assert_eq!(decoding, "", "{}", file.display());
}

fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; scripts/need peers installs it"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A program that ends with the test.
struct Program {
    child: Child,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}; scripts/need peers installs it"));
        Self { child }
    }

    /// Waits until it has ended well.
    async fn done(mut self) {
        let ended = soon("the end of a program", async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        });
        assert!(ended.await.success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// nginx with the configuration of `examples/beside-nginx-rtmp`, on a free port.
struct Nginx {
    address: SocketAddr,
    folder: Folder,
    program: Option<Program>,
}

impl Nginx {
    async fn start() -> Self {
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let folder = Folder::new();
        let conf = std::fs::read_to_string(NGINX_CONF).unwrap();
        assert!(conf.contains("listen 127.0.0.1:1936;"));
        let conf = conf.replace("listen 127.0.0.1:1936;", &format!("listen {address};"));
        std::fs::write(folder.file("nginx.conf"), conf).unwrap();
        let mut nginx = Self {
            address,
            folder,
            program: None,
        };
        nginx.restart().await;
        nginx
    }

    fn kill(&mut self) {
        // The worker notices that its master has gone only when it has something to tell it.
        let workers = Command::new("pgrep")
            .arg("-P")
            .arg(self.program.as_ref().unwrap().child.id().to_string())
            .output();
        self.program = None;
        for worker in String::from_utf8_lossy(&workers.unwrap().stdout).split_whitespace() {
            assert!(
                Command::new("kill")
                    .args(["-9", worker])
                    .status()
                    .unwrap()
                    .success()
            );
        }
    }

    async fn restart(&mut self) {
        let directives = format!(
            "daemon off; pid {};",
            self.folder.file("nginx.pid").display()
        );
        let mut command = Command::new("/usr/sbin/nginx");
        command
            .arg("-p")
            .arg(&self.folder.0)
            .arg("-c")
            .arg(self.folder.file("nginx.conf"));
        command
            .arg("-e")
            .arg(self.folder.file("error.log"))
            .args(["-g", &directives]);
        command.stderr(Stdio::null());
        self.program = Some(Program::start(&mut command));
        soon("nginx", async {
            while tokio::net::TcpStream::connect(self.address).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    /// A gateway in front of it.
    async fn gateway(&self) -> Gateway {
        let url = format!("rtmp://{}/{{app}}", self.address);
        Gateway::with(|config| config.routes = Routes::new(vec![url], Default::default()).unwrap())
            .await
    }

    fn url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.address)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if self.program.is_some() {
            self.kill();
        }
    }
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("chalkcast-interop-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
