//! All other answers, which takes seconds. The fast tier leaves it out.

use world::World;

use crate::setup::{a_month, answer, ask, expect_safety};
use crate::{CASES, Differs, form};

/// With each other answer, the functions close nothing that is in use.
#[tokio::test(start_paused = true)]
async fn each_other_answer_is_found_and_leaves_the_functions_safe() {
    let mut wrong = Vec::new();
    for case in CASES {
        let world = World::new().await;
        let in_use = a_month(&world, case.from_the_start).await;
        (case.at_the_end)(&world);
        let report = ask(&world).await;
        let answer = answer(&report, case.probe);
        if form(&answer) != Differs {
            wrong.push((case.probe, answer));
        }
        expect_safety(&world, &in_use, case.probe).await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
