//! Where streams live: RTMP addresses as people write them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use url::Url;

/// An address that is not one, with what would be.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// Not a URL at all.
    #[error(
        "`{0}` is not an address; write it as rtmp://HOST/APP/STREAM or ws://HOST:PORT/APP/STREAM"
    )]
    Malformed(String),
    /// Not a URL, where only an app is wanted.
    #[error(
        "`{0}` is not an address; write it as rtmp://HOST:PORT/APP, or rtmp://HOST:PORT/{{app}} to map apps one to one"
    )]
    MalformedApp(String),
    /// A URL of some other kind.
    #[error("`{0}` addresses are not RTMP; use rtmp://, rtmps://, ws:// or wss://")]
    Scheme(String),
    /// The path is too short.
    #[error("`{0}` names no stream; add its name at the end: APP/STREAM")]
    NoStream(String),
    /// The path is empty.
    #[error(
        "`{0}` names no app; write it as rtmp://HOST/APP, or rtmp://HOST/{{app}} to map apps one to one"
    )]
    NoApp(String),
}

/// How the RTMP byte stream travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// RTMP on TCP, port 1935.
    Rtmp,
    /// RTMP on TLS, port 443.
    Rtmps,
    /// RTMP in a WebSocket, port 80.
    Ws,
    /// RTMP in a WebSocket on TLS, port 443.
    Wss,
}

impl Scheme {
    /// As it is written before `://`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::Rtmps => "rtmps",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The port when none is written.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Rtmp => 1935,
            Self::Ws => 80,
            Self::Rtmps | Self::Wss => 443,
        }
    }

    /// Whether TLS lies underneath.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Rtmps | Self::Wss)
    }

    /// Whether a WebSocket carries it.
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }
}

/// An app on a server: what `connect` needs. Displayed without credentials, so that it can be logged.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// How to get there.
    pub scheme: Scheme,
    /// A name or an IP address (IPv6 in brackets).
    pub host: String,
    /// The port.
    pub port: u16,
    /// `APP[/INSTANCE]`, without slashes around it.
    pub app: String,
    /// What follows `?`, which servers use for tokens: never shown.
    pub query: Option<String>,
    /// `user[:password]`: never shown.
    pub userinfo: Option<String>,
}

impl Endpoint {
    /// Splits `…/APP[/INSTANCE]/STREAM[?QUERY]` into the app and the stream's name, which keeps the query.
    pub fn parse_with_stream(text: &str) -> Result<(Self, String), AddressError> {
        let mut endpoint = parse(text)?;
        let (app, stream) = match endpoint.app.rsplit_once('/') {
            Some((app, stream)) if !app.is_empty() && !stream.is_empty() => {
                (app.to_owned(), stream.to_owned())
            }
            _ => return Err(AddressError::NoStream(endpoint.to_string())),
        };
        endpoint.app = app;
        let name = match endpoint.query.take() {
            Some(query) => format!("{stream}?{query}"),
            None => stream,
        };
        Ok((endpoint, name))
    }

    /// The URL for `connect`'s `tcUrl`, which carries the query but never a password.
    pub fn tc_url(&self) -> String {
        let mut url = self.to_string();
        if let Some(query) = &self.query {
            url.push('?');
            url.push_str(query);
        }
        url
    }

    /// What `connect` names as the app: with the query, where servers look for tokens.
    pub fn connect_app(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.app),
            None => self.app.clone(),
        }
    }

    /// `HOST:PORT`, for a Host header and for messages.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The host as a resolver and a certificate want it: without brackets.
    pub fn host_name(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl FromStr for Endpoint {
    type Err = AddressError;

    /// Parses `scheme://host[:port]/APP[/INSTANCE][?QUERY]`.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let endpoint = parse(text).map_err(|error| match error {
            AddressError::Malformed(text) => AddressError::MalformedApp(text),
            error => error,
        })?;
        if endpoint.app.is_empty() {
            Err(AddressError::NoApp(endpoint.to_string()))
        } else {
            Ok(endpoint)
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}/{}",
            self.scheme.as_str(),
            self.authority(),
            self.app
        )
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

fn parse(text: &str) -> Result<Endpoint, AddressError> {
    let malformed = || AddressError::Malformed(without_secrets(text));
    let url = Url::parse(text).map_err(|_| malformed())?;
    let scheme = match url.scheme() {
        "rtmp" => Scheme::Rtmp,
        "rtmps" => Scheme::Rtmps,
        "ws" => Scheme::Ws,
        "wss" => Scheme::Wss,
        other => return Err(AddressError::Scheme(format!("{other}://"))),
    };
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or_else(malformed)?
        .to_owned();
    let userinfo = match (url.username(), url.password()) {
        ("", None) => None,
        (user, None) => Some(user.to_owned()),
        (user, Some(password)) => Some(format!("{user}:{password}")),
    };
    Ok(Endpoint {
        scheme,
        host,
        port: url.port().unwrap_or(scheme.default_port()),
        app: percent_decode(url.path().trim_matches('/')),
        query: url
            .query()
            .filter(|query| !query.is_empty())
            .map(str::to_owned),
        userinfo,
    })
}

/// Names in paths may be Chinese: browsers and the `url` crate percent-encode them, RTMP does not.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes
            .get(at + 1..at + 3)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match digits
            .filter(|_| bytes[at] == b'%')
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

/// The lines of a file as they can be shown: of an address in them, only its scheme.
pub(crate) fn without_addresses(text: &str) -> String {
    let lines = text.lines().map(|line| match line.find("://") {
        Some(at) => format!("{}…", &line[..at + 3]),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The text up to a query, and without what stands before an `@`.
fn without_secrets(text: &str) -> String {
    let text = text.split('?').next().unwrap_or_default();
    match (text.find("://"), text.rfind('@')) {
        (Some(start), Some(at)) if at > start => {
            format!("{}{}", &text[..start + 3], &text[at + 1..])
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_segment_is_the_stream() {
        let (endpoint, stream) =
            Endpoint::parse_with_stream("rtmp://example.org/live/room/conf").unwrap();
        assert_eq!(
            (endpoint.app.as_str(), stream.as_str(), endpoint.port),
            ("live/room", "conf", 1935)
        );
        let (endpoint, stream) =
            Endpoint::parse_with_stream("ws://[::1]:8080/live/conf?token=x").unwrap();
        assert_eq!(
            (endpoint.app.as_str(), stream.as_str()),
            ("live", "conf?token=x")
        );
        assert_eq!(endpoint.tc_url(), "ws://[::1]:8080/live");
        assert_eq!(endpoint.host_name(), "::1");
        let (_, stream) = Endpoint::parse_with_stream("rtmp://h/live/%E8%AF%BE").unwrap();
        assert_eq!(stream, "课");
    }

    #[test]
    fn what_is_missing_is_said() {
        assert_eq!(
            Endpoint::parse_with_stream("rtmp://h/live"),
            Err(AddressError::NoStream("rtmp://h/live".into()))
        );
        assert_eq!(
            "rtmp://h/".parse::<Endpoint>(),
            Err(AddressError::NoApp("rtmp://h/".into()))
        );
        assert_eq!(
            "http://h/live".parse::<Endpoint>(),
            Err(AddressError::Scheme("http://".into()))
        );
        assert!(matches!(
            "live/conf".parse::<Endpoint>(),
            Err(AddressError::MalformedApp(_))
        ));
        assert!(matches!(
            Endpoint::parse_with_stream("live/conf"),
            Err(AddressError::Malformed(_))
        ));
    }

    #[test]
    fn credentials_are_never_displayed() {
        let endpoint: Endpoint = "rtmp://user:secret@h:1936/live?token=secret"
            .parse()
            .unwrap();
        assert_eq!(endpoint.to_string(), "rtmp://h:1936/live");
        assert!(!format!("{endpoint:?}").contains("secret"));
        assert_eq!(endpoint.tc_url(), "rtmp://h:1936/live?token=secret");
        assert_eq!(endpoint.userinfo.as_deref(), Some("user:secret"));
        let error = "rtmp://user:secret@/live?secret"
            .parse::<Endpoint>()
            .unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
