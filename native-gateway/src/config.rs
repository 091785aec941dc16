//! The settings of a gateway, checked.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use crate::address::{AddressError, Endpoint};
use crate::options::Options;
use crate::relay;

/// A setting that cannot be used, and what would be.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("the configuration {} is not valid", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// An address to listen on that is none.
    #[error("--{name} {value}: not an address to listen on; write PORT, ADDRESS:PORT or \"off\"")]
    Listen {
        /// The flag.
        name: &'static str,
        /// What was given.
        value: String,
    },
    /// A relay that is none.
    #[error("--relay")]
    Relay(#[from] AddressError),
    /// Flags that do not go together.
    #[error("{0}")]
    Combination(&'static str),
    /// A number out of its range.
    #[error("--{name} {value}: must be {range}")]
    Range {
        /// The flag.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What may be given.
        range: &'static str,
    },
}

/// How the HTTP port is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Not: http and ws.
    #[default]
    Off,
    /// A certificate made at start for this machine's addresses.
    SelfSigned,
    /// A certificate chain and its key, PEM files.
    Files {
        /// The chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
}

/// What a gateway does. [`Config::default`] is what `chalkcast serve` without flags does.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where HTTP and WebSocket listen, if they do.
    pub http: Option<SocketAddr>,
    /// Where RTMP listens, if it does.
    pub rtmp: Option<SocketAddr>,
    /// Before every path: empty, or with a leading slash and without a trailing one.
    pub base_path: String,
    /// How the HTTP port is encrypted.
    pub tls: Tls,
    /// The app names that may be used; empty for any.
    pub apps: Vec<String>,
    /// The external relays.
    pub routes: Routes,
    /// The relay's own settings.
    pub relay: relay::Config,
    /// Threads that carry traffic; `None` for one per core.
    pub threads: Option<usize>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            http: Some(SocketAddr::from(([127, 0, 0, 1], 8080))),
            rtmp: Some(SocketAddr::from(([127, 0, 0, 1], 1935))),
            base_path: String::new(),
            tls: Tls::Off,
            apps: Vec::new(),
            routes: Routes::default(),
            relay: relay::Config::default(),
            threads: None,
        }
    }
}

impl Config {
    /// Merges what was given with the configuration file, if one was named, and checks it.
    pub fn load(given: Options, file: Option<&Path>) -> Result<Self, ConfigError> {
        let options = match file {
            None => given,
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
                    path: path.to_owned(),
                    source,
                })?;
                let file = toml::from_str(&text).map_err(|source| ConfigError::Parse {
                    path: path.to_owned(),
                    source: Box::new(source),
                })?;
                given.over(file)
            }
        };
        Self::from_options(options)
    }

    /// Whether `app` (`APP[/INSTANCE]`) may be used.
    pub fn allows(&self, app: &str) -> bool {
        let name = app.split('/').next().unwrap_or_default();
        !app.is_empty()
            && (self.apps.is_empty()
                || self
                    .apps
                    .iter()
                    .any(|allowed| allowed == app || allowed == name))
    }

    fn from_options(options: Options) -> Result<Self, ConfigError> {
        let default = Self::default();
        let mut relay = default.relay;
        relay.takeover = options.takeover.unwrap_or(relay.takeover);
        relay.grace = seconds("grace", options.grace)?.unwrap_or(relay.grace);
        relay.keep = seconds("keep", options.keep)?.unwrap_or(relay.keep);
        if let Some(mebibytes) = options.stream_memory {
            relay.stream_bytes =
                within("stream-memory", mebibytes, 1, 65_536, "1 to 65536 MiB")? << 20;
        }
        if let Some(ms) = options.coalesce {
            let ms = within("coalesce", ms as usize, 0, 10_000, "0 to 10000 ms")?;
            relay.coalesce = Some(Duration::from_millis(ms as u64));
        }
        let tls = match (
            options.tls_cert,
            options.tls_key,
            options.tls_self_signed.unwrap_or(false),
        ) {
            (None, None, false) => Tls::Off,
            (None, None, true) => Tls::SelfSigned,
            (Some(cert), Some(key), false) => Tls::Files { cert, key },
            (Some(_), Some(_), true) => {
                return Err(ConfigError::Combination(
                    "--tls-self-signed makes a certificate: leave out --tls-cert and --tls-key",
                ));
            }
            _ => {
                return Err(ConfigError::Combination(
                    "--tls-cert and --tls-key go together: give both",
                ));
            }
        };
        let threads = match options.threads {
            Some(threads) => Some(within("threads", threads, 1, 1024, "1 to 1024")?),
            None => None,
        };
        Ok(Self {
            http: listen("http", options.http, default.http)?,
            rtmp: listen("rtmp", options.rtmp, default.rtmp)?,
            base_path: base_path(&options.base_path.unwrap_or_default()),
            tls,
            apps: options
                .app
                .unwrap_or_default()
                .iter()
                .map(|app| app.trim_matches('/').to_owned())
                .collect(),
            routes: Routes::new(
                options.relay.unwrap_or_default(),
                options.relays.unwrap_or_default(),
            )?,
            relay,
            threads,
        })
    }
}

/// Which apps go through which external relays.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// For every app, with `{app}` in the address; or for the one app it names. In the order to try them.
    general: Vec<Route>,
    /// For single apps.
    apps: BTreeMap<String, Vec<Endpoint>>,
}

#[derive(Clone, Debug)]
struct Route {
    endpoint: Endpoint,
    maps_apps: bool,
}

const APP: &str = "{app}";

impl Routes {
    /// `general` are the addresses of `--relay`, `apps` those of `[relays]`.
    pub fn new(
        general: Vec<String>,
        apps: BTreeMap<String, Vec<String>>,
    ) -> Result<Self, AddressError> {
        let general = general
            .iter()
            .map(|text| {
                // Braces may not stand in a URL, so the place of the app is marked by a word.
                let endpoint: Endpoint = text.replace(APP, "app-goes-here").parse()?;
                let app = endpoint.app.replace("app-goes-here", APP);
                Ok(Route {
                    maps_apps: app.contains(APP),
                    endpoint: Endpoint { app, ..endpoint },
                })
            })
            .collect::<Result<_, AddressError>>()?;
        let apps = apps
            .into_iter()
            .map(|(app, relays)| {
                let relays = relays
                    .iter()
                    .map(|text| text.replace(APP, &app).parse())
                    .collect::<Result<_, _>>()?;
                Ok((app, relays))
            })
            .collect::<Result<_, AddressError>>()?;
        Ok(Self { general, apps })
    }

    /// The relays of `app`, in the order to try them; none when the embedded relay serves it.
    pub fn of(&self, app: &str) -> Vec<Endpoint> {
        let name = app.split('/').next().unwrap_or_default();
        if let Some(relays) = self.apps.get(app).or_else(|| self.apps.get(name)) {
            return relays.clone();
        }
        self.general
            .iter()
            .filter(|route| route.maps_apps || route.endpoint.app == app)
            .map(|route| Endpoint {
                app: route.endpoint.app.replace(APP, app),
                ..route.endpoint.clone()
            })
            .collect()
    }

    /// Whether every app is served by the embedded relay.
    pub fn is_empty(&self) -> bool {
        self.general.is_empty() && self.apps.is_empty()
    }

    /// The addresses, without credentials, for a log line.
    pub fn describe(&self) -> String {
        let general = self.general.iter().map(|route| route.endpoint.to_string());
        let apps = self
            .apps
            .iter()
            .flat_map(|(app, relays)| relays.iter().map(move |relay| format!("{app}: {relay}")));
        general.chain(apps).collect::<Vec<_>>().join(", ")
    }
}

fn listen(
    name: &'static str,
    given: Option<String>,
    default: Option<SocketAddr>,
) -> Result<Option<SocketAddr>, ConfigError> {
    let Some(value) = given else {
        return Ok(default);
    };
    if value == "off" {
        return Ok(None);
    }
    if let Ok(port) = value.trim_start_matches(':').parse::<u16>() {
        return Ok(default.map(|default| SocketAddr::new(default.ip(), port)));
    }
    let address = value
        .to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next());
    address.map(Some).ok_or(ConfigError::Listen { name, value })
}

fn base_path(given: &str) -> String {
    let path = given.trim_matches('/');
    if path.is_empty() {
        String::new()
    } else {
        format!("/{path}")
    }
}

fn seconds(name: &'static str, given: Option<f64>) -> Result<Option<Duration>, ConfigError> {
    match given {
        None => Ok(None),
        Some(value) if (0.0..=3600.0).contains(&value) => Ok(Some(Duration::from_secs_f64(value))),
        Some(value) => Err(ConfigError::Range {
            name,
            value,
            range: "0 to 3600 seconds",
        }),
    }
}

fn within(
    name: &'static str,
    value: usize,
    min: usize,
    max: usize,
    range: &'static str,
) -> Result<usize, ConfigError> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(ConfigError::Range {
            name,
            value: value as f64,
            range,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(general: &[&str]) -> Routes {
        Routes::new(
            general.iter().map(|text| (*text).to_owned()).collect(),
            BTreeMap::new(),
        )
        .unwrap()
    }

    #[test]
    fn a_literal_app_maps_apps_one_to_one_and_a_fixed_one_bridges_itself() {
        let mapping = routes(&["rtmp://relay:1936/{app}?key=k"]);
        assert_eq!(
            mapping.of("live/room")[0].to_string(),
            "rtmp://relay:1936/live/room"
        );
        assert_eq!(mapping.of("live")[0].query.as_deref(), Some("key=k"));
        let fixed = routes(&["rtmp://relay/live", "rtmp://second/live"]);
        assert_eq!(fixed.of("live").len(), 2);
        assert!(fixed.of("other").is_empty());
    }

    #[test]
    fn flags_go_over_the_file() {
        let file: Options = toml::from_str("http = \"9000\"\nrtmp = \"off\"\napp = [\"live\"]\n[relays]\nlive = [\"rtmp://r/{app}\"]\n").unwrap();
        let flags = Options {
            http: Some("0.0.0.0:8081".into()),
            ..Options::default()
        };
        let config = Config::from_options(flags.over(file)).unwrap();
        assert_eq!(config.http, Some(SocketAddr::from(([0, 0, 0, 0], 8081))));
        assert_eq!(config.rtmp, None);
        assert!(config.allows("live/room") && !config.allows("vod") && !config.allows(""));
        assert_eq!(config.routes.of("live")[0].to_string(), "rtmp://r/live");
        assert!(config.routes.of("vod").is_empty());
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        // As `main` prints it.
        let error = |options| {
            let error = Config::from_options(options).unwrap_err();
            format!("{:#}", anyhow::Error::from(error))
        };
        assert!(
            error(Options {
                http: Some("nowhere at all".into()),
                ..Options::default()
            })
            .contains("--http")
        );
        assert!(
            error(Options {
                tls_cert: Some("c.pem".into()),
                ..Options::default()
            })
            .contains("--tls-key")
        );
        assert!(
            error(Options {
                grace: Some(-1.0),
                ..Options::default()
            })
            .contains("--grace -1")
        );
        assert!(
            error(Options {
                relay: Some(vec!["rtmp://h".into()]),
                ..Options::default()
            })
            .contains("{app}")
        );
        let foreign = error(Options {
            relay: Some(vec!["http://h/app".into()]),
            ..Options::default()
        });
        assert_eq!(foreign.matches("not RTMP").count(), 1, "{foreign}");
        let file = toml::from_str::<Options>("htp = \"x\"")
            .unwrap_err()
            .to_string();
        assert!(file.contains("htp") && file.contains("http"), "{file}");
    }
}
