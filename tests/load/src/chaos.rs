//! Servers, relays and publishers that die, freeze and return under viewers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::audience::Audience;
use crate::publisher::{Manner, Publisher, Sent};
use crate::server::Server;
use crate::subject::Subject;

#[derive(Args)]
pub(crate) struct Options {
    /// What happens; all if not said
    #[arg(long, value_enum, value_delimiter = ',')]
    what: Vec<What>,
    #[command(flatten)]
    subject: Subject,
    /// How many watch
    #[arg(long, default_value_t = 200)]
    viewers: usize,
    /// How long the publisher flaps, in seconds
    #[arg(long, default_value_t = 120.0)]
    seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// The gateway is killed and started again; the viewers come again
    Gateway,
    /// The relay behind the gateway is killed and started again; nobody leaves
    Relay,
    /// The relay behind the gateway is stopped (SIGSTOP) and let go on; nobody leaves
    Freeze,
    /// The publisher comes for three seconds and goes for one; nobody leaves
    Flap,
}

const ALL: [What; 4] = [What::Gateway, What::Relay, What::Freeze, What::Flap];

/// Fails if anybody does not get the lesson again.
pub(crate) async fn run(options: Options) -> Result<()> {
    let chosen = if options.what.is_empty() {
        ALL.to_vec()
    } else {
        options.what.clone()
    };
    for what in chosen {
        match what {
            What::Gateway => gateway(&options).await?,
            What::Relay => relay(&options, false).await?,
            What::Freeze => relay(&options, true).await?,
            What::Flap => flap(&options).await?,
        }
    }
    Ok(())
}

async fn gateway(options: &Options) -> Result<()> {
    let mut gateway = options.subject.start(&[], Manner::Stubborn).await?;
    let mut audience = gateway.audience();
    audience.gather_loyal(&gateway.ws(), options.viewers).await;
    audience.settle().await?;
    let before = audience.sum(|seen| &seen.connections);
    gateway.server.kill()?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    gateway.server.restart()?;
    let back = again(&audience).await?;
    println!(
        "gateway killed for 2 s: publisher back, {} viewers came again and got the lesson within {:.1} s of its return; \
         timestamps back {}, gaps {}",
        audience.sum(|seen| &seen.connections) - before,
        back.as_secs_f64(),
        audience.sum(|seen| &seen.backward),
        audience.sum(|seen| &seen.gaps)
    );
    ensure!(gateway.publisher.times() >= 2 && audience.sum(|seen| &seen.gaps) == 0);
    Ok(())
}

/// nginx-rtmp behind the gateway: its own publisher is pulled, the gateway's is pushed.
async fn relay(options: &Options, frozen: bool) -> Result<()> {
    let lesson = &options.subject.lesson()?;
    let mut nginx = Server::nginx()?;
    let upstream = nginx.rtmp.replace("/live", "/{app}");
    let server = Server::chalkcast(&options.subject.gateway, &["--relay", &upstream])?;
    let sents = [Arc::new(Sent::new()), Arc::new(Sent::new())];
    let url = format!("{}/pulled", nginx.publish);
    let pulled = Publisher::start(&url, lesson, &sents[0], Manner::Stubborn).await?;
    let url = format!("{}/pushed", server.publish);
    let pushed = Publisher::start(&url, lesson, &sents[1], Manner::Steady).await?;
    // Those who watch what is pulled; those who watch what is pushed, here and at the relay.
    let urls = [
        format!("{}/pulled", server.ws),
        format!("{}/pushed", server.ws),
        format!("{}/pushed", nginx.rtmp),
    ];
    let mut audiences = [
        Audience::new(lesson, &sents[0]),
        Audience::new(lesson, &sents[1]),
        Audience::new(lesson, &sents[1]),
    ];
    audiences[0]
        .gather(&urls[0], options.viewers / 2, None)
        .await;
    audiences[1]
        .gather(&urls[1], options.viewers / 2, None)
        .await;
    audiences[2].gather_loyal(&urls[2], 5).await;
    for audience in &audiences {
        audience.settle().await?;
    }
    let why = if frozen {
        nginx.freeze(true)?;
        // Longer than a silence that the gateway puts up with.
        tokio::time::sleep(Duration::from_secs(22)).await;
        nginx.freeze(false)?;
        "relay frozen for 22 s"
    } else {
        nginx.kill()?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        nginx.restart()?;
        "relay killed for 3 s"
    };
    let back = [again(&audiences[0]).await?, again(&audiences[2]).await?];
    pushed.check()?;
    println!(
        "{why}: pulled lesson with everybody again {:.1} s after its return, pushed lesson at the relay again {:.1} s after that; \
         {} publisher turns at the relay; at the gateway {} lost, pulled: timestamps back {}, gaps {}; pushed: timestamps back {}, gaps {}",
        back[0].as_secs_f64(),
        back[1].as_secs_f64(),
        pulled.times(),
        audiences[0].lost() + audiences[1].lost(),
        audiences[0].sum(|seen| &seen.backward),
        audiences[0].sum(|seen| &seen.gaps),
        audiences[1].sum(|seen| &seen.backward),
        audiences[1].sum(|seen| &seen.gaps),
    );
    ensure!(
        audiences[0].lost() + audiences[1].lost() == 0,
        "somebody lost the connection"
    );
    ensure!(
        audiences[1].sum(|seen| &seen.gaps) == 0,
        "who watches at the publisher's gateway must not notice the relay"
    );
    ensure!(audiences[0].sum(|seen| &seen.backward) == 0);
    Ok(())
}

async fn flap(options: &Options) -> Result<()> {
    let turn = Manner::Flapping(Duration::from_secs(3));
    let gateway = options.subject.start(&[], turn).await?;
    let mut audience = gateway.audience();
    audience.gather(&gateway.ws(), options.viewers, None).await;
    tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
    again(&audience).await?;
    let turns = gateway.publisher.times();
    println!(
        "publisher flapping for {:.0} s: {turns} turns; every viewer was told of {} to {} arrivals; {} lost, timestamps back {}, gaps within turns {}",
        options.seconds,
        audience.least(|seen| &seen.arrivals),
        audience
            .seen()
            .map(|seen| seen.arrivals.load(Ordering::Relaxed))
            .max()
            .unwrap_or_default(),
        audience.lost(),
        audience.sum(|seen| &seen.backward),
        audience.sum(|seen| &seen.gaps),
    );
    ensure!(
        audience.lost() == 0
            && audience.sum(|seen| &seen.backward) + audience.sum(|seen| &seen.gaps) == 0
    );
    Ok(())
}

/// Waits until every viewer gets frames again; answers how long that took.
async fn again(audience: &Audience) -> Result<Duration> {
    let started = Instant::now();
    // What is still on its way does not count.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before: Vec<u64> = frames(audience);
    while frames(audience)
        .iter()
        .zip(&before)
        .any(|(now, then)| now <= then)
    {
        if started.elapsed() > Duration::from_secs(60) {
            let without = frames(audience)
                .iter()
                .zip(&before)
                .filter(|(now, then)| now <= then)
                .count();
            bail!("{without} viewers get nothing after a minute");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(started.elapsed())
}

fn frames(audience: &Audience) -> Vec<u64> {
    audience
        .seen()
        .map(|seen| seen.ever.load(Ordering::Relaxed))
        .collect()
}
