//! The servers that are measured, each a process of its own on free ports.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// A server, until it is dropped.
pub(crate) struct Server {
    command: Command,
    child: Child,
    ready: SocketAddr,
    /// Where to publish, less the stream's name: `rtmp://…/live`.
    pub(crate) publish: String,
    /// Where RTMP is played.
    pub(crate) rtmp: String,
    /// Where it is played over WebSocket, if that is possible.
    pub(crate) ws: String,
}

impl Server {
    /// The gateway, with these options.
    pub(crate) fn chalkcast(program: &Path, options: &[&str]) -> Result<Self> {
        let (http, rtmp) = (free()?, free()?);
        let mut command = Command::new(program);
        command
            .args(["--log", "error", "serve"])
            .args(["--http", &http.to_string(), "--rtmp", &rtmp.to_string()])
            .args(options);
        Self::start(command, rtmp, &format!("ws://{http}/live"))
    }

    /// nginx with its RTMP module, one worker.
    pub(crate) fn nginx() -> Result<Self> {
        let rtmp = free()?;
        let folder = PathBuf::from(format!("target/bench/nginx-{}", rtmp.port()));
        fs::create_dir_all(&folder)?;
        let folder = folder.canonicalize()?;
        let modules = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules"];
        let module = modules
            .iter()
            .map(|path| format!("{path}/ngx_rtmp_module.so"))
            .find(|path| Path::new(path).exists())
            .context("nginx has no RTMP module (libnginx-mod-rtmp)")?;
        fs::write(
            folder.join("nginx.conf"),
            format!(
                "load_module {module}; daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log error.log;
                 events {{ worker_connections 12000; }}
                 rtmp {{ server {{ listen {rtmp}; application live {{ live on; publish_notify on; play_restart on; }} }} }}"
            ),
        )?;
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("nginx");
        command
            .env("PATH", path)
            .args(["-e", "error.log", "-c", "nginx.conf", "-p"])
            .arg(folder);
        Self::start(command, rtmp, "")
    }

    /// node-media-server, from its npm package in `folder`.
    pub(crate) fn node(folder: &Path) -> Result<Self> {
        let (http, rtmp) = (free()?, free()?);
        let port = |address: SocketAddr| address.port().to_string();
        let mut command = Command::new("node");
        command
            .arg(folder.join("node_modules/node-media-server/bin/app.js"))
            .args(["--bind", "127.0.0.1", "--no-admin"])
            .args(["--http-port", &port(http), "--rtmp-port", &port(rtmp)])
            .args(["--https-port", &port(free()?)])
            .args(["--rtmps-port", &port(free()?)]);
        Self::start(command, rtmp, &format!("ws://{http}/live"))
    }

    fn start(mut command: Command, rtmp: SocketAddr, ws: &str) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let server = Self {
            command,
            child,
            ready: rtmp,
            publish: format!("rtmp://{rtmp}/live"),
            rtmp: format!("rtmp://{rtmp}/live"),
            ws: ws.to_owned(),
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&self) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(self.ready).is_err() {
            if start.elapsed() > Duration::from_secs(15) {
                bail!("{:?} does not listen", self.command.get_program());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As by `kill -9`.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again, on the same ports.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.child = self.command.spawn()?;
        self.wait_until_ready()
    }

    /// Stops it without ending it, or lets it go on.
    pub(crate) fn freeze(&self, frozen: bool) -> Result<()> {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let status = Command::new("kill")
            .args([signal, &self.pid().to_string()])
            .status()?;
        if status.success() {
            Ok(())
        } else {
            bail!("kill {signal}: {status}")
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
