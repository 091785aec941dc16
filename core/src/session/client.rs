//! The client's side of a connection.

/// A NetConnection and its NetStreams, as the client sees them.
#[derive(Debug)]
pub struct ClientSession;
