//! What is tried: a gateway, and a lesson that is published to it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;

use crate::audience::Audience;
use crate::lesson::Lesson;
use crate::publisher::{Manner, Publisher, Sent};
use crate::server::Server;

#[derive(Args)]
pub(crate) struct Subject {
    /// The gateway's program
    #[arg(long, default_value = "target/release/chalkcast")]
    pub(crate) gateway: PathBuf,
    /// The FLV file
    #[arg(long)]
    file: PathBuf,
}

/// A gateway that runs, with its publisher.
pub(crate) struct Running {
    // Dropped before the server, whose end would be a failure to it.
    pub(crate) publisher: Publisher,
    pub(crate) server: Server,
    pub(crate) lesson: Arc<Lesson>,
    pub(crate) sent: Arc<Sent>,
}

impl Subject {
    pub(crate) fn lesson(&self) -> Result<Arc<Lesson>> {
        Ok(Arc::new(Lesson::read(&self.file)?))
    }

    /// Starts the gateway with `args`, and the publisher.
    pub(crate) async fn start(&self, args: &[&str], manner: Manner) -> Result<Running> {
        let server = Server::chalkcast(&self.gateway, args)?;
        let (lesson, sent) = (self.lesson()?, Arc::new(Sent::new()));
        let url = format!("{}/lesson", server.publish);
        let publisher = Publisher::start(&url, &lesson, &sent, manner).await?;
        Ok(Running {
            publisher,
            server,
            lesson,
            sent,
        })
    }
}

impl Running {
    /// Where to watch over WebSocket.
    pub(crate) fn ws(&self) -> String {
        format!("{}/lesson", self.server.ws)
    }

    /// Where to watch over RTMP.
    pub(crate) fn rtmp(&self) -> String {
        format!("{}/lesson", self.server.rtmp)
    }

    /// Nobody yet.
    pub(crate) fn audience(&self) -> Audience {
        Audience::new(&self.lesson, &self.sent)
    }
}
