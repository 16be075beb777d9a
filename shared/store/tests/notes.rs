//! Notes beside the channels: read back as written, seen by no queue, and in no record's way.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod common;

use std::collections::BTreeMap;

use common::*;
use domain::{Fuse, Policy, Suspension};
use embedded::Fault;
use store::{Job, LastRun};

#[tokio::test]
async fn a_note_is_read_back_as_it_was_written_last() {
    let (_aws, table) = memory().await;
    assert_eq!(table.note::<Vec<u32>>("pages").await.unwrap(), None);
    table.set_note("pages", &[1, 2], at(0)).await.unwrap();
    table.set_note("pages", &[3], at(1)).await.unwrap();
    table.set_note("other", &[4], at(1)).await.unwrap();
    assert_eq!(table.note("pages").await.unwrap(), Some(vec![3]));
    // Written by another version of us, in another form.
    assert_eq!(table.note::<String>("pages").await.unwrap(), None);
}

#[tokio::test]
async fn no_queue_lists_a_note() {
    let (_aws, table) = memory().await;
    table.set_note("pages", &[1], at(0)).await.unwrap();
    tell(&table, &[completed(channel(1), 1, 0)]).await.unwrap();
    let due = table
        .due(&Policy::default(), at(90 * MINUTE))
        .await
        .unwrap();
    assert_eq!(due.len(), 1);
}

#[tokio::test]
async fn a_stop_stays_until_a_person_resumes_whatever_sweeps_note() {
    let (_aws, table) = memory().await;
    assert_eq!(table.suspension(at(0)).await.unwrap(), None);
    table.stop(at(1)).await.unwrap();
    // A sweep that began before the stop notes what it wrote.
    let mut fuse = table.fuse().await.unwrap();
    fuse.note_run(at(0), 3, at(2));
    table.set_fuse(&fuse).await.unwrap();
    // Stopped again, it is stopped since the first time.
    assert_eq!(table.stop(at(3)).await.unwrap(), at(1));
    let stopped = Suspension::Stopped { since: at(1) };
    let years = at(0).plus(std::time::Duration::from_secs(10 * 365 * 24 * 3600));
    for now in [at(3), years] {
        assert_eq!(table.suspension(now).await.unwrap(), Some(stopped));
    }
    fuse.blow(at(4));
    table.set_fuse(&fuse).await.unwrap();
    table.resume().await.unwrap();
    assert_eq!(table.suspension(at(5)).await.unwrap(), None);
    assert_eq!(table.fuse().await.unwrap(), Fuse::default());
}

#[tokio::test]
async fn a_run_is_noted_with_its_settings_and_a_failure_is_none() {
    let (aws, table) = memory().await;
    let settings = BTreeMap::from([("ENDED_CUTOFF".to_owned(), "10h".to_owned())]);
    let run = LastRun::new(at(1), settings, serde_json::json!({ "closed": 2 }));
    table.note_run(Job::Sweep, &run).await;
    assert_eq!(table.last_run(Job::Sweep).await.unwrap(), Some(run.clone()));
    assert_eq!(table.last_run(Job::Park).await.unwrap(), None);
    aws.plan_faults(|call| (call.operation == "PutItem").then_some(Fault::InternalError));
    table.note_run(Job::Park, &run).await;
    aws.end_faults();
    assert_eq!(table.last_run(Job::Park).await.unwrap(), None);
}
