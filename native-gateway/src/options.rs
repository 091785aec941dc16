//! What can be set, in the one form that flags, environment and the configuration file share.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Deserializer, de};

/// Settings as somebody gave them: flags (which read the environment too) over the file over the defaults.
///
/// The names in the file are those of the flags: `http = "0.0.0.0:8080"`, `app = ["live"]`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Where browsers connect (pages and WebSocket): PORT, ADDRESS:PORT, or "off" [default: 127.0.0.1:8080]
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "CHALKCAST_HTTP",
        help_heading = "Addresses"
    )]
    #[serde(default, deserialize_with = "address")]
    pub http: Option<String>,

    /// Where OBS, ffmpeg and other RTMP programs connect: PORT, ADDRESS:PORT, or "off" [default: 127.0.0.1:1935]
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "CHALKCAST_RTMP",
        help_heading = "Addresses"
    )]
    #[serde(default, deserialize_with = "address")]
    pub rtmp: Option<String>,

    /// Path that a proxy in front puts before every path; less this, the path of a WebSocket is the app
    #[arg(
        long,
        value_name = "PATH",
        env = "CHALKCAST_BASE_PATH",
        help_heading = "Addresses"
    )]
    pub base_path: Option<String>,

    /// Certificate chain (PEM): the HTTP port then speaks https and wss
    #[arg(
        long,
        value_name = "FILE",
        env = "CHALKCAST_TLS_CERT",
        help_heading = "Encryption"
    )]
    pub tls_cert: Option<PathBuf>,

    /// Private key (PEM) of --tls-cert
    #[arg(
        long,
        value_name = "FILE",
        env = "CHALKCAST_TLS_KEY",
        help_heading = "Encryption"
    )]
    pub tls_key: Option<PathBuf>,

    /// Make a certificate for this machine's addresses; browsers ask once whether to trust it
    #[arg(long, env = "CHALKCAST_TLS_SELF_SIGNED", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Encryption")]
    pub tls_self_signed: Option<bool>,

    /// App name that may be used; repeat for more. Without it, any
    #[arg(
        long,
        value_name = "NAME",
        env = "CHALKCAST_APP",
        value_delimiter = ',',
        help_heading = "Relay"
    )]
    #[serde(default, deserialize_with = "some_names")]
    pub app: Option<Vec<String>>,

    /// Use this RTMP server instead of the embedded relay, e.g. rtmp://HOST/{app} ("{app}" maps apps one to one; a fixed
    /// app bridges only itself). Repeat to name servers to fall back on
    #[arg(
        long,
        value_name = "URL",
        env = "CHALKCAST_RELAY",
        hide_env_values = true,
        value_delimiter = ',',
        help_heading = "Relay"
    )]
    #[serde(default, deserialize_with = "some_names")]
    pub relay: Option<Vec<String>>,

    /// External relays of single apps: `[relays]`, then `live = ["rtmp://HOST/live"]`. Only in the file.
    #[arg(skip)]
    pub relays: Option<BTreeMap<String, Names>>,

    /// A second publisher of a name takes it over, instead of being refused
    #[arg(long, env = "CHALKCAST_TAKEOVER", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Relay")]
    pub takeover: Option<bool>,

    /// How long a stream outlives its publisher, so that it can return to the same viewers [default: 10]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "CHALKCAST_GRACE",
        help_heading = "Relay"
    )]
    pub grace: Option<f64>,

    /// How much of each stream is kept for viewers with a buffer [default: 20]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "CHALKCAST_KEEP",
        help_heading = "Relay"
    )]
    pub keep: Option<f64>,

    /// Most memory that the kept part of one stream may take [default: 64]
    #[arg(
        long,
        value_name = "MIB",
        env = "CHALKCAST_STREAM_MEMORY",
        help_heading = "Relay"
    )]
    pub stream_memory: Option<usize>,

    /// How far behind its buffer a viewer may fall before it goes on with a newer keyframe [default: 1]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "CHALKCAST_LAG",
        help_heading = "Relay"
    )]
    pub lag: Option<f64>,

    /// Milliseconds that media may wait to be written together, whatever the viewer's buffer [default: a tenth of the
    /// viewer's buffer, 0 to 350]
    #[arg(
        long,
        value_name = "MS",
        env = "CHALKCAST_COALESCE",
        help_heading = "Relay"
    )]
    pub coalesce: Option<u64>,

    /// Threads that carry traffic [default: one per core]
    #[arg(
        long,
        value_name = "N",
        env = "CHALKCAST_THREADS",
        help_heading = "Relay"
    )]
    pub threads: Option<usize>,
}

/// A list of names; in the file one name may stand without brackets.
#[derive(Clone, Debug, Default)]
pub struct Names(pub Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"text\" or [\"text\", \"text\"]")
            }

            fn visit_str<E>(self, text: &str) -> Result<Names, E> {
                Ok(Names(vec![text.to_owned()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Names, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(seq)).map(Names)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn some_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Names::deserialize(deserializer).map(|names| Some(names.0))
}

/// `http = "0.0.0.0:8080"`, or a port: `http = 8080`.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    struct Visitor;
    impl de::Visitor<'_> for Visitor {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a port, \"ADDRESS:PORT\" or \"off\"")
        }

        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_i64<E>(self, port: i64) -> Result<String, E> {
            Ok(port.to_string())
        }
    }
    deserializer.deserialize_any(Visitor).map(Some)
}

impl Options {
    /// These settings, and where they say nothing, those of `file`.
    pub fn over(self, file: Self) -> Self {
        Self {
            http: self.http.or(file.http),
            rtmp: self.rtmp.or(file.rtmp),
            base_path: self.base_path.or(file.base_path),
            tls_cert: self.tls_cert.or(file.tls_cert),
            tls_key: self.tls_key.or(file.tls_key),
            tls_self_signed: self.tls_self_signed.or(file.tls_self_signed),
            app: self.app.or(file.app),
            relay: self.relay.or(file.relay),
            relays: self.relays.or(file.relays),
            takeover: self.takeover.or(file.takeover),
            grace: self.grace.or(file.grace),
            keep: self.keep.or(file.keep),
            stream_memory: self.stream_memory.or(file.stream_memory),
            lag: self.lag.or(file.lag),
            coalesce: self.coalesce.or(file.coalesce),
            threads: self.threads.or(file.threads),
        }
    }
}
