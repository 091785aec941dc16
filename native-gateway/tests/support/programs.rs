//! Programs that nobody here wrote, as the tests use them.
#![allow(dead_code, clippy::unwrap_used)]

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use chalkcast_gateway::config::Routes;

use super::{Gateway, soon};

/// H.264 and AAC as ffmpeg makes them.
const LESSON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/lesson/lesson.flv");
const NGINX_CONF: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/beside-nginx-rtmp/nginx.conf"
);

/// ffmpeg publishing the lesson in real time, over and over, until dropped.
pub(crate) fn publish(url: &str) -> Program {
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
pub(crate) fn play(options: &[&str], url: &str, file: &Path) -> Program {
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
pub(crate) fn assert_sound(file: &Path) {
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

pub(crate) fn output(command: &mut Command) -> String {
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
pub(crate) struct Program {
    pub(crate) child: Child,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}; scripts/need peers installs it"));
        Self { child }
    }

    /// Waits until it has ended well.
    pub(crate) async fn done(mut self) {
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
pub(crate) struct Nginx {
    pub(crate) address: SocketAddr,
    folder: Folder,
    program: Option<Program>,
}

impl Nginx {
    pub(crate) async fn start() -> Self {
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

    pub(crate) fn kill(&mut self) {
        // The worker notices that its master has gone only when it has something to tell it.
        let workers = workers(&self.program.as_ref().unwrap().child.id().to_string());
        self.program = None;
        for worker in workers {
            let status = Command::new("kill").args(["-9", &worker]).status();
            assert!(status.unwrap().success());
        }
    }

    pub(crate) async fn restart(&mut self) {
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

    /// Stops all of it without ending it, or lets it go on.
    pub(crate) fn freeze(&self, frozen: bool) {
        let master = self.program.as_ref().unwrap().child.id().to_string();
        let signal = if frozen { "-STOP" } else { "-CONT" };
        for process in workers(&master).into_iter().chain([master]) {
            let status = Command::new("kill").args([signal, &process]).status();
            assert!(status.unwrap().success());
        }
    }

    /// A gateway in front of it.
    pub(crate) async fn gateway(&self) -> Gateway {
        let url = format!("rtmp://{}/{{app}}", self.address);
        Gateway::with(|config| config.routes = Routes::new(vec![url], Default::default()).unwrap())
            .await
    }

    pub(crate) fn url(&self, path: &str) -> String {
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

fn workers(master: &str) -> Vec<String> {
    let found = Command::new("pgrep").args(["-P", master]).output().unwrap();
    String::from_utf8_lossy(&found.stdout)
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("chalkcast-interop-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
