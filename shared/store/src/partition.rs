//! The due index's keys: which queue a channel waits in, and since when.

use domain::{ChannelSid, Queue, Timestamp};

/// The number of index partitions over which each queue is spread. One takes
/// [1,000 writes a second](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html);
/// four are more than any contact centre ends tasks, and each costs an idle sweep one query.
/// Once channels wait in a table, this number is fixed.
pub const PARTITIONS_OF_A_QUEUE: u32 = 4;

/// A channel whose turn has come, as the index tells it. The index may lag behind the table,
/// so that the record itself must be read before anything follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The channel.
    pub channel: ChannelSid,
    /// The queue that it waited in.
    pub queue: Queue,
    /// Since when it waited.
    pub since: Timestamp,
}

/// The index partition that a channel waits in.
pub(crate) fn partition_of(queue: Queue, channel: ChannelSid) -> String {
    let hash = channel.as_str().bytes().fold(0_u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    name(queue, hash % PARTITIONS_OF_A_QUEUE)
}

/// All index partitions of a queue.
pub(crate) fn partitions(queue: Queue) -> impl Iterator<Item = String> {
    (0..PARTITIONS_OF_A_QUEUE).map(move |number| name(queue, number))
}

fn name(queue: Queue, number: u32) -> String {
    format!("{}#{number}", queue.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_waits_in_one_of_its_queues_partitions() {
        let mut used = std::collections::BTreeSet::new();
        for n in 0..100 {
            let channel: ChannelSid = format!("CH{n:031x}1").parse().unwrap();
            let partition = partition_of(Queue::LongLived, channel);
            assert!(partitions(Queue::LongLived).any(|name| name == partition));
            used.insert(partition);
        }
        assert_eq!(
            used.len(),
            PARTITIONS_OF_A_QUEUE as usize,
            "the partitions share the load"
        );
    }
}
