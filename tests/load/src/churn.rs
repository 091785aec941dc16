//! Viewers that come and go all the time, beside others that stay.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;

use crate::cost::Cost;
use crate::publisher::Manner;
use crate::subject::Subject;
use crate::viewer::{Class, Seen, Witness, watch};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    subject: Subject,
    /// How many come and go at any time
    #[arg(long, default_value_t = 100)]
    churners: usize,
    /// How many stay
    #[arg(long, default_value_t = 20)]
    viewers: usize,
    /// For how long
    #[arg(long, default_value_t = 360.0)]
    seconds: f64,
    /// After so long memory is first looked at
    #[arg(long, default_value_t = 60.0)]
    warm_up: f64,
}

/// Fails if those who stay lose anything, or if memory has grown by more than 5 % since the warm-up.
pub(crate) async fn run(options: Options) -> Result<()> {
    let gateway = options.subject.start(&[], Manner::Steady).await?;
    let mut audience = gateway.audience();
    audience.gather(&gateway.ws(), options.viewers, None).await;
    audience.settle().await?;
    let class = Arc::new(Class::new(&gateway.lesson, &gateway.sent));
    let visits = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let churners: Vec<_> = (0..options.churners)
        .map(|number| {
            let url = if number % 2 == 0 {
                gateway.ws()
            } else {
                gateway.rtmp()
            };
            let (class, visits, over) =
                (Arc::clone(&class), Arc::clone(&visits), Arc::clone(&over));
            tokio::spawn(async move {
                // From a fifth of a second to three, each its own.
                let mut stay = 200 + number as u64 * 37 % 2800;
                while !over.load(Ordering::Relaxed) {
                    let witness = Witness::new(&class, &Arc::new(Seen::default()), false);
                    let _ = tokio::time::timeout(
                        Duration::from_millis(stay),
                        watch(&url, None, witness),
                    )
                    .await;
                    visits.fetch_add(1, Ordering::Relaxed);
                    stay = 200 + (stay * 7 + 13) % 2800;
                }
            })
        })
        .collect();
    let started = Instant::now();
    let mut warm = 0;
    while started.elapsed().as_secs_f64() < options.seconds {
        tokio::time::sleep(Duration::from_secs_f64(options.warm_up.min(30.0))).await;
        let resident = Cost::of(&[gateway.server.pid()])?.resident;
        let elapsed = started.elapsed().as_secs_f64();
        if warm == 0 && elapsed >= options.warm_up {
            warm = resident;
        }
        println!(
            "after {elapsed:4.0} s: {:.1} MiB resident, {} visits, {} gaps for those who stay",
            resident as f64 / f64::from(1 << 20),
            visits.load(Ordering::Relaxed),
            audience.sum(|seen| &seen.gaps)
        );
    }
    let end = Cost::of(&[gateway.server.pid()])?.resident;
    over.store(true, Ordering::Relaxed);
    for churner in churners {
        let _ = churner.await;
    }
    gateway.publisher.check()?;
    println!(
        "change since the warm-up: {:+.1} %",
        (end as f64 / warm as f64 - 1.0) * 100.0
    );
    ensure!(
        audience.lost() == 0 && audience.sum(|seen| &seen.gaps) == 0,
        "those who stayed lost something"
    );
    ensure!(end as f64 <= warm as f64 * 1.05, "memory has grown");
    Ok(())
}
