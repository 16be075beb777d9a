//! A channel that a person deletes.

use domain::{Outcome, Progress};
use sweep::Deletion;
use world::World;

#[tokio::test(start_paused = true)]
async fn a_deletion_is_published_as_a_closing_is_and_the_record_says_so() {
    let world = World::new().await;
    let chat = world.chats_left_behind(1).await.remove(0);
    let channel = chat.channel.as_str().parse().unwrap();
    let deleted = world.sweeper().delete(channel, world.now()).await.unwrap();
    let Deletion::Done { outcome, .. } = deleted else {
        panic!("{deleted:?}");
    };
    assert_eq!(outcome, Outcome::Deleted);
    assert!(world.twilio.state().channel(chat.channel).is_none());
    world.expect_notices(&[("ChannelClosed", chat.channel)]);
    let record = world.record(chat.channel).await.unwrap();
    let progress = record.cleanup().map(|cleanup| &cleanup.progress);
    assert!(
        matches!(progress, Some(Progress::Done { .. })),
        "{record:?}"
    );
    world.deliver().await;
    world.finish().await;
}
