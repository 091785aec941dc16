use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An nginx-rtmp with its default settings and an application `live`, which ends when this is dropped.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    directory: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Nginx {
    /// Starts nginx on a free port, and waits until it listens.
    pub fn start() -> io::Result<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let directory = std::env::temp_dir().join(format!(
            "chalkcast-nginx-{}-{}",
            std::process::id(),
            free.port()
        ));
        fs::create_dir_all(&directory)?;
        let modules = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules"];
        let module = modules
            .iter()
            .map(|path| PathBuf::from(path).join("ngx_rtmp_module.so"))
            .find(|path| path.exists());
        let load = module.map_or(String::new(), |module| {
            format!("load_module {};", module.display())
        });
        let configuration = format!(
            "{load} daemon off; master_process off; pid nginx.pid; error_log error.log;
             events {{ worker_connections 64; }}
             rtmp {{ server {{ listen {free}; application live {{ live on; }} }} }}"
        );
        fs::write(directory.join("nginx.conf"), configuration)?;
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let child = Command::new("nginx")
            .env("PATH", path)
            .args(["-e", "error.log", "-c", "nginx.conf", "-p"])
            .arg(&directory)
            .stdin(Stdio::null())
            .spawn()?;
        let nginx = Self {
            child,
            directory,
            address: free,
        };
        let start = Instant::now();
        while TcpStream::connect(free).is_err() {
            if start.elapsed() > Duration::from_secs(10) {
                let log = fs::read_to_string(nginx.directory.join("error.log")).unwrap_or_default();
                return Err(io::Error::other(format!("nginx does not listen: {log}")));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Nothing depends on either.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}
