//! Programs that nobody here wrote: ffmpeg on both ends, and nginx-rtmp with its default settings as the external relay.

#![allow(clippy::unwrap_used)]

mod support;

use chalkcast_core::session::PlayStart;
use chalkcast_gateway::config::Routes;
use support::programs::{Folder, Nginx, assert_sound, play, publish};
use support::{Gateway, Peer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ffmpeg_plays_what_ffmpeg_publishes_to_the_embedded_relay() {
    let gateway = Gateway::start().await;
    let url = gateway.url("rtmp", "live/lesson");
    let folder = Folder::new();
    // One who waits is there first; ffmpeg quits on a status of level error.
    let waiting = play(&["-rtmp_live", "live"], &url, &folder.file("early.flv"));
    let mut witness = Peer::player_from(&url, PlayStart::Live).await;
    let _publisher = publish(&url);
    witness.status("NetStream.Play.PublishNotify").await;
    let late = play(&[], &url, &folder.file("late.flv"));
    for (name, program) in [("early.flv", waiting), ("late.flv", late)] {
        witness.during(program.done()).await;
        assert_sound(&folder.file(name));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ffmpeg_plays_what_ffmpeg_publishes_through_nginx_rtmp() {
    let nginx = Nginx::start().await;
    let gateway = nginx.gateway().await;
    let folder = Folder::new();

    // Pushed: published to the gateway, played from nginx.
    let _publisher = publish(&gateway.url("rtmp", "live/pushed"));
    let mut witness = Peer::player_from(&gateway.url("rtmp", "live/pushed"), PlayStart::Live).await;
    witness.tag().await;
    let pushed = play(&[], &nginx.url("live/pushed"), &folder.file("pushed.flv"));
    // And from the gateway itself.
    let direct = play(
        &[],
        &gateway.url("rtmp", "live/pushed"),
        &folder.file("direct.flv"),
    );
    witness.during(pushed.done()).await;
    witness.during(direct.done()).await;

    // Pulled: published to nginx, played from the gateway.
    let _elsewhere = publish(&nginx.url("live/pulled"));
    let mut witness = Peer::player_from(&gateway.url("rtmp", "live/pulled"), PlayStart::Live).await;
    witness.tag().await;
    let pulled = play(
        &[],
        &gateway.url("rtmp", "live/pulled"),
        &folder.file("pulled.flv"),
    );
    witness.during(pulled.done()).await;
    for name in ["pushed.flv", "direct.flv", "pulled.flv"] {
        assert_sound(&folder.file(name));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nginx_rtmp_is_silent_the_gateway_speaks() {
    let nginx = Nginx::start().await;
    let gateway = nginx.gateway().await;
    let url = gateway.url("ws", "live/later");
    let mut student = Peer::player(&url).await;
    student.status("NetStream.Play.StreamNotFound").await;

    let publisher = publish(&nginx.url("live/later"));
    student.status("NetStream.Play.PublishNotify").await;
    student.tag().await;
    drop(publisher);
    student.status("NetStream.Play.UnpublishNotify").await;
    let _publisher = publish(&nginx.url("live/later"));
    student.status("NetStream.Play.PublishNotify").await;
    student.tag().await;

    // A name that is taken at nginx is refused in nginx's own words.
    let mut second = Peer::publisher(&gateway.url("ws", "live/later")).await;
    assert_eq!(
        second.status("NetStream.Publish.BadName").await,
        "Already publishing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_stay_while_nginx_rtmp_is_killed_and_restarted() {
    let mut nginx = Nginx::start().await;
    let gateway = nginx.gateway().await;
    let _publisher = publish(&gateway.url("rtmp", "live/pushed"));
    let elsewhere = publish(&nginx.url("live/pulled"));
    let mut local = Peer::player(&gateway.url("ws", "live/pushed")).await;
    let mut student = Peer::player(&gateway.url("ws", "live/pulled")).await;
    local.tag().await;
    student.tag().await;
    nginx.kill();
    student.status("NetStream.Play.UnpublishNotify").await;
    local.tags(50).await;

    drop(elsewhere);
    nginx.restart().await;
    let _elsewhere = publish(&nginx.url("live/pulled"));
    student.status("NetStream.Play.PublishNotify").await;
    student.tag().await;
    let mut at_nginx = Peer::player_from(&nginx.url("live/pushed"), PlayStart::Live).await;
    at_nginx.tag().await;
}

/// Frozen, not gone: its connections stay open and say nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lesson_goes_on_while_nginx_rtmp_is_frozen() {
    let nginx = Nginx::start().await;
    let gateway = nginx.gateway().await;
    let _publisher = publish(&gateway.url("rtmp", "live/pushed"));
    let _elsewhere = publish(&nginx.url("live/pulled"));
    let mut local = Peer::player(&gateway.url("ws", "live/pushed")).await;
    let mut student = Peer::player(&gateway.url("ws", "live/pulled")).await;
    local.tag().await;
    student.tag().await;
    nginx.freeze(true);
    // Those at the publisher's own gateway do not notice, and those of a silent relay are told.
    let told = student.status("NetStream.Play.UnpublishNotify");
    local.during(told).await;
    local.tags(50).await;
    nginx.freeze(false);
    local
        .during(student.status("NetStream.Play.PublishNotify"))
        .await;
    local.during(student.tag()).await;
}

/// A relay that is gone is replaced by the next of the list, for what is pushed and for what is pulled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_nginx_rtmp_takes_over_when_the_first_is_killed() {
    let (mut first, second) = (Nginx::start().await, Nginx::start().await);
    let gateway = Gateway::with(|config| {
        let relays = [&first, &second].map(|nginx| nginx.url("{app}"));
        config.routes = Routes::new(relays.into(), Default::default()).unwrap();
    })
    .await;
    let _publisher = publish(&gateway.url("rtmp", "live/pushed"));
    let _elsewhere = publish(&first.url("live/pulled"));
    let _reserve = publish(&second.url("live/pulled"));
    let mut student = Peer::player(&gateway.url("ws", "live/pulled")).await;
    student.tag().await;
    let mut at_first = Peer::player_from(&first.url("live/pushed"), PlayStart::Live).await;
    at_first.tag().await;
    first.kill();
    student.status("NetStream.Play.UnpublishNotify").await;
    student.status("NetStream.Play.PublishNotify").await;
    student.tag().await;
    let mut at_second = Peer::player_from(&second.url("live/pushed"), PlayStart::Live).await;
    student.during(at_second.tag()).await;
}
