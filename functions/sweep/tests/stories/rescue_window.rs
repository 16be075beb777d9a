//! The time in which a task of others makes a second one: between the last look at the open tasks
//! and the task that is made for an unheard customer.

use std::time::Duration;

use futures::join;

use crate::rescues::{open_tasks, unheard};

/// The time of a request to Twilio, by assumption.
const REQUEST: Duration = Duration::from_millis(150);

/// Others open a task at any moment of a sweep. Printed: how long after theirs ours was made.
#[tokio::test(start_paused = true)]
async fn the_window_between_the_last_look_and_the_task_is_two_requests_at_most() {
    let mut windows = Vec::new();
    let mut none = 0;
    for offset in (0..2_400).step_by(75) {
        let (world, chat) = unheard("chat").await;
        world.twilio_takes(REQUEST);
        let others = async {
            let late = Duration::from_millis(offset);
            world.time_passes_for_others(late).await;
            let is_first = open_tasks(&world, chat.channel).is_empty();
            is_first.then(|| world.another_task_on(chat.channel))
        };
        let (summary, theirs) = join!(world.sweep(), others);
        assert_eq!(
            summary.closed + summary.released,
            0,
            "{offset}: {summary:?}"
        );
        let tasks = open_tasks(&world, chat.channel);
        let created = |ours: bool| {
            let mut of = tasks
                .iter()
                .filter(|task| (Some(task.sid) != theirs) == ours);
            of.next().map(|task| task.created)
        };
        match (created(false), created(true)) {
            (Some(theirs), Some(ours)) => {
                let millis = ours.as_millisecond() - theirs.as_millisecond();
                windows.push(Duration::from_millis(u64::try_from(millis).unwrap()));
            }
            (theirs, ours) => {
                assert!(theirs.is_some() != ours.is_some(), "{offset}: {tasks:?}");
                none += 1;
            }
        }
        world.notices();
        world.lose_events();
        world.finish().await;
    }
    let longest = windows.iter().max().copied().unwrap_or_default();
    println!(
        "{} tasks of others: {} beside ours, opened at most {longest:?} before it",
        windows.len() + none,
        windows.len()
    );
    assert!(!windows.is_empty(), "the window is there");
    assert!(longest <= 2 * REQUEST, "{windows:?}");
}
