//! The settings of a gateway, checked.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use crate::address::{AddressError, Endpoint, without_addresses};
use crate::options::{Names, Options};
use crate::{relay, tls};

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
    #[error("the configuration {} is not valid: {why}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why, without the credentials that addresses may hold.
        why: String,
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
    #[error("{place}")]
    Relay {
        /// Where it is written.
        place: String,
        /// What is wrong with it.
        source: AddressError,
    },
    /// A relay for an app that may not be used.
    #[error("{place}: the app `{app}` is not one of those that may be used (app: {apps})")]
    Unused {
        /// Where it is written.
        place: String,
        /// The app.
        app: String,
        /// Those that may be used.
        apps: String,
    },
    /// A relay that is the gateway itself.
    #[error(
        "{0} is this gateway itself: name the relay's own port, or give this gateway another one (--rtmp, --http)"
    )]
    Circle(Endpoint),
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
                let file = toml::from_str(&text).map_err(|source: toml::de::Error| {
                    ConfigError::Parse {
                        path: path.to_owned(),
                        why: without_addresses(source.to_string().trim_end()),
                    }
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
        if let Some(seconds) = options.lag {
            relay.lag = duration("lag", seconds, 0.1, "0.1 to 3600 seconds")?;
        }
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
        let apps: Vec<_> = options
            .app
            .unwrap_or_default()
            .iter()
            .map(|app| app.trim_matches('/').to_owned())
            .collect();
        if apps.iter().any(String::is_empty) {
            return Err(ConfigError::Combination(
                "--app: a name is empty; leave it out to allow any",
            ));
        }
        let config = Self {
            http: listen("http", options.http, default.http)?,
            rtmp: listen("rtmp", options.rtmp, default.rtmp)?,
            base_path: base_path(&options.base_path.unwrap_or_default()),
            tls,
            apps,
            routes: Routes::new(
                options.relay.unwrap_or_default(),
                options.relays.unwrap_or_default(),
            )?,
            relay,
            threads,
        };
        config.check_routes()?;
        Ok(config)
    }

    /// Relays that nobody could reach, and those that would be asked for ever, are mistakes.
    fn check_routes(&self) -> Result<(), ConfigError> {
        let general = self.routes.general.iter().filter(|route| !route.maps_apps);
        let general = general.map(|route| ("--relay".to_owned(), &route.endpoint.app));
        let single = self.routes.apps.keys();
        let single = single.map(|app| (format!("relays.{app}"), app));
        for (place, app) in general.chain(single) {
            let is_part_of = |allowed: &String| allowed.split('/').next() == Some(app);
            if !self.allows(app) && !self.apps.iter().any(is_part_of) {
                return Err(ConfigError::Unused {
                    place,
                    app: app.clone(),
                    apps: self.apps.join(", "),
                });
            }
        }
        let general = self.routes.general.iter().map(|route| &route.endpoint);
        let mut all = general.chain(self.routes.apps.values().flatten());
        match all.find(|endpoint| {
            let listener = match endpoint.scheme.is_websocket() {
                true => self.http,
                false => self.rtmp,
            };
            listener.is_some_and(|address| is_at(endpoint, address))
        }) {
            Some(endpoint) => Err(ConfigError::Circle(endpoint.clone())),
            None => Ok(()),
        }
    }
}

/// Whether a connection to `endpoint` comes out at `listener`, on this machine.
fn is_at(endpoint: &Endpoint, listener: SocketAddr) -> bool {
    if endpoint.port != listener.port() {
        return false;
    }
    let is_own = |address: SocketAddr| {
        address.ip() == listener.ip()
            || listener.ip().is_unspecified()
                && (address.ip().is_loopback() || tls::own_addresses().contains(&address.ip()))
    };
    let found = (endpoint.host_name(), endpoint.port).to_socket_addrs();
    found.is_ok_and(|mut found| found.any(is_own))
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
    pub fn new(general: Vec<String>, apps: BTreeMap<String, Names>) -> Result<Self, ConfigError> {
        let general = general
            .iter()
            .map(|text| {
                let endpoint = template(text).map_err(|source| ConfigError::Relay {
                    place: "--relay".to_owned(),
                    source,
                })?;
                Ok(Route {
                    maps_apps: endpoint.app.contains(APP),
                    endpoint,
                })
            })
            .collect::<Result<_, ConfigError>>()?;
        let apps = apps
            .into_iter()
            .map(|(app, Names(relays))| {
                let relays = relays
                    .iter()
                    .map(|text| template(text).map(|endpoint| for_app(&endpoint, &app)))
                    .collect::<Result<_, _>>()
                    .map_err(|source| ConfigError::Relay {
                        place: format!("relays.{app}"),
                        source,
                    })?;
                Ok((app, relays))
            })
            .collect::<Result<_, ConfigError>>()?;
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
            .map(|route| for_app(&route.endpoint, app))
            .collect()
    }

    /// Whether every app is served by the embedded relay.
    pub fn is_empty(&self) -> bool {
        self.general.is_empty() && self.apps.is_empty()
    }

    /// Those whose address holds a user's name or password, which RTMP has no place for.
    pub fn with_user(&self) -> impl Iterator<Item = &Endpoint> {
        let general = self.general.iter().map(|route| &route.endpoint);
        let all = general.chain(self.apps.values().flatten());
        all.filter(|endpoint| endpoint.userinfo.is_some())
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

/// A relay's address, with the places for the app.
fn template(text: &str) -> Result<Endpoint, AddressError> {
    // Braces may not stand in a URL, so the place of the app is marked by a word.
    const WORD: &str = "app-goes-here";
    let endpoint: Endpoint = text
        .replace(APP, WORD)
        .parse()
        .map_err(|error| match error {
            AddressError::MalformedApp(text) => AddressError::MalformedApp(text.replace(WORD, APP)),
            error => error,
        })?;
    Ok(Endpoint {
        app: endpoint.app.replace(WORD, APP),
        query: endpoint.query.map(|query| query.replace(WORD, APP)),
        ..endpoint
    })
}

fn for_app(template: &Endpoint, app: &str) -> Endpoint {
    Endpoint {
        app: template.app.replace(APP, app),
        query: template.query.as_ref().map(|query| query.replace(APP, app)),
        ..template.clone()
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
    given
        .map(|value| duration(name, value, 0.0, "0 to 3600 seconds"))
        .transpose()
}

fn duration(
    name: &'static str,
    value: f64,
    min: f64,
    range: &'static str,
) -> Result<Duration, ConfigError> {
    if (min..=3600.0).contains(&value) {
        Ok(Duration::from_secs_f64(value))
    } else {
        Err(ConfigError::Range { name, value, range })
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
        let mapping = routes(&["rtmp://relay:1936/{app}?key={app}-k"]);
        assert_eq!(
            mapping.of("live/room")[0].to_string(),
            "rtmp://relay:1936/live/room"
        );
        assert_eq!(mapping.of("live")[0].query.as_deref(), Some("key=live-k"));
        let fixed = routes(&["rtmp://relay/live", "rtmp://second/live"]);
        assert_eq!(fixed.of("live").len(), 2);
        assert!(fixed.of("other").is_empty());
    }

    #[test]
    fn flags_go_over_the_file() {
        let file: Options = toml::from_str("http = 9000\nrtmp = \"off\"\napp = \"live\"\nrelay = [\"rtmp://r/{app}\", \"rtmp://s/{app}\"]\n[relays]\nlive = \"rtmp://r/{app}\"\n").unwrap();
        assert_eq!(file.http.as_deref(), Some("9000"));
        let flags = Options {
            http: Some("0.0.0.0:8081".into()),
            ..Options::default()
        };
        let config = Config::from_options(flags.over(file)).unwrap();
        assert_eq!(config.http, Some(SocketAddr::from(([0, 0, 0, 0], 8081))));
        assert_eq!(config.rtmp, None);
        assert!(config.allows("live/room") && !config.allows("vod") && !config.allows(""));
        assert_eq!(config.routes.of("live")[0].to_string(), "rtmp://r/live");
        assert_eq!(config.routes.of("vod").len(), 2);
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
        let relays = |general: &str, single: &[(&str, &str)], app: &str| {
            error(Options {
                rtmp: Some("1935".into()),
                app: Some(vec![app.into()]),
                relay: Some(vec![general.into()]),
                relays: Some(
                    single
                        .iter()
                        .map(|(app, url)| ((*app).to_owned(), Names(vec![(*url).to_owned()])))
                        .collect(),
                ),
                ..Options::default()
            })
        };
        let port = relays("rtmp://h:99999/{app}", &[], "live");
        assert!(
            port.contains("`rtmp://h:99999/{app}`") && !port.contains("STREAM"),
            "{port}"
        );
        let place = relays("rtmp://h/{app}", &[("live", "rtmp://h")], "live");
        assert!(place.starts_with("relays.live: "), "{place}");
        let typo = relays("rtmp://h/{app}", &[("lvie", "rtmp://h/live")], "live");
        assert!(typo.contains("`lvie`") && typo.contains("live"), "{typo}");
        let circle = relays("rtmp://127.0.0.1/{app}", &[], "live");
        assert!(circle.contains("this gateway itself"), "{circle}");
        assert!(
            error(Options {
                app: Some(vec![String::new()]),
                ..Options::default()
            })
            .contains("--app")
        );
        let file = toml::from_str::<Options>("htp = \"x\"")
            .unwrap_err()
            .to_string();
        assert!(file.contains("htp") && file.contains("http"), "{file}");
    }

    #[test]
    fn a_file_that_is_not_valid_is_explained_without_its_secrets() {
        let path = std::env::temp_dir().join(format!("chalkcast-config-{}", std::process::id()));
        for text in [
            "relay = 1\nhttp = \"rtmp://user:s3cret@h/live?t=s3cret\" x",
            "relay = rtmp://user:s3cret@h/live",
            "takeover = \"rtmp://user:s3 \\\" cret@h/live\"",
            "[relays]\nlive = [\"rtmp://user:s3cret@h/live\"",
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Config::load(Options::default(), Some(&path)).unwrap_err();
            let error = format!("{:#}", anyhow::Error::from(error));
            assert!(error.contains("line "), "{error}");
            assert!(!error.contains("s3") && !error.contains("cret@"), "{error}");
        }
        std::fs::remove_file(&path).unwrap();
    }
}
