//! Notes beside the channels: read back as written, seen by no queue, and in no record's way.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod common;

use common::*;
use domain::Policy;

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
