//! The server's side of a connection.

/// A NetConnection and its NetStreams, as the server sees them.
#[derive(Debug)]
pub struct ServerSession;
