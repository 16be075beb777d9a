//! The fuse of the sweeps, and a person's stop.
//!
//! A mistake in the settings or in a clock makes everything due at once. The fuse bounds what
//! that can close: it counts the channels that sweeps write to within an hour, over all runs,
//! so that neither a retry nor the next run begins at zero. When one channel more is due than
//! the setting allows, the fuse blows, and later sweeps only observe.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The time over which written channels are counted together.
pub const FUSE_WINDOW: Duration = Duration::from_secs(60 * 60);

/// The time for which sweeps only observe after the fuse has blown, unless a person resumes
/// them before.
pub const FUSE_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The channels that sweeps wrote to lately, and if they were too many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fuse {
    /// The number of channels that each run wrote to, by the moment at which the run began.
    #[serde(default)]
    runs: BTreeMap<Timestamp, usize>,
    /// The last time that the fuse blew, unless a person resumed the sweeps since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blown: Option<BlownFuse>,
}

/// A fuse that has blown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlownFuse {
    /// The moment at which it blew.
    pub since: Timestamp,
    /// The number of channels that were written to in the hour before.
    pub count: usize,
    /// The moment from which sweeps write again by themselves.
    pub until: Timestamp,
}

/// The reason why sweeps only observe although the settings let them write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspension {
    /// A person stopped them. This has no end but a person's.
    Stopped {
        /// The moment at which the person did.
        since: Timestamp,
    },
    /// The fuse has blown.
    FuseBlown(BlownFuse),
}

impl Suspension {
    /// Returns the reason, as logs and the JSON have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped { .. } => "stopped",
            Self::FuseBlown(_) => "fuse-blown",
        }
    }
}

/// Decides if sweeps are suspended, and why. A person's stop comes first: it has no end.
pub fn suspension(stopped: Option<Timestamp>, fuse: &Fuse, now: Timestamp) -> Option<Suspension> {
    stopped
        .map(|since| Suspension::Stopped { since })
        .or_else(|| fuse.blown(now).map(Suspension::FuseBlown))
}

impl Fuse {
    /// Returns the number of channels that were written to within the last hour. A run whose
    /// clock was ahead counts too.
    pub fn count(&self, now: Timestamp) -> usize {
        self.counted(now).map(|(_, writes)| writes).sum()
    }

    /// Returns the number of channels that `run` may still write to, where at most `cap` may be
    /// written to within an hour. What the run itself wrote so far does not count.
    pub fn allows(&self, cap: usize, run: Timestamp, now: Timestamp) -> usize {
        if self.blown(now).is_some() {
            return 0;
        }
        let others = self.counted(now).filter(|(began, _)| *began != run);
        cap.saturating_sub(others.map(|(_, writes)| writes).sum())
    }

    /// Returns the moment by which a run that began then is known here: a little later where
    /// another run began at the same time.
    pub fn new_run(&self, began: Timestamp) -> Timestamp {
        let mut run = began;
        while self.runs.contains_key(&run) {
            run = run.plus(Duration::from_millis(1));
        }
        run
    }

    /// Notes the number of channels that a run wrote to so far, and forgets the runs that count
    /// no more.
    pub fn note_run(&mut self, run: Timestamp, writes: usize, now: Timestamp) {
        self.runs = self.counted(now).collect();
        match writes {
            0 => self.runs.remove(&run),
            writes => self.runs.insert(run, writes),
        };
    }

    /// Notes that a channel more was due than may be written to. One that has blown already
    /// stays as it is: its time does not begin again.
    pub fn blow(&mut self, now: Timestamp) -> BlownFuse {
        let blown = self.blown(now).unwrap_or_else(|| BlownFuse {
            since: now,
            count: self.count(now),
            until: now.plus(FUSE_TIME),
        });
        self.blown = Some(blown);
        blown
    }

    /// Returns how it has blown, if it has and its time is not over.
    pub fn blown(&self, now: Timestamp) -> Option<BlownFuse> {
        self.blown.filter(|blown| now < blown.until)
    }

    fn counted(&self, now: Timestamp) -> impl Iterator<Item = (Timestamp, usize)> {
        let runs = self.runs.iter().map(|(began, writes)| (*began, *writes));
        runs.filter(move |(began, _)| now.since(*began) < FUSE_WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * MINUTE)
    }

    /// Runs at these minutes, with so many written channels each.
    fn fuse(runs: &[(i64, usize)]) -> Fuse {
        let mut fuse = Fuse::default();
        for (minute, writes) in runs {
            fuse.note_run(at(*minute), *writes, at(*minute));
        }
        fuse
    }

    #[test]
    fn every_state_and_count_at_every_time() {
        const CAP: usize = 10;
        let whole = fuse(&[]);
        let used = fuse(&[(0, 4), (5, 5)]);
        let mut blown = fuse(&[(0, 4), (5, 6)]);
        blown.blow(at(5));
        let day = 24 * 60;
        // The minute, and how many channels a run that begins then may write to.
        for (name, fuse, cells) in [
            ("whole", &whole, vec![(0, 10), (5, 10), (day, 10)]),
            (
                "used",
                &used,
                vec![(10, 1), (59, 1), (60, 5), (64, 5), (65, 10)],
            ),
            (
                "blown",
                &blown,
                vec![(5, 0), (65, 0), (day + 4, 0), (day + 5, 10)],
            ),
        ] {
            for (minute, allowed) in cells {
                let now = at(minute);
                assert_eq!(fuse.allows(CAP, now, now), allowed, "{name} at {minute}");
                for stopped in [None, Some(at(3))] {
                    let suspended = suspension(stopped, fuse, now).map(Suspension::name);
                    let expected = match (stopped, name, allowed) {
                        (Some(_), _, _) => Some("stopped"),
                        (None, "blown", 0) => Some("fuse-blown"),
                        (None, _, _) => None,
                    };
                    assert_eq!(suspended, expected, "{name} at {minute}, {stopped:?}");
                }
            }
        }
    }

    #[test]
    fn a_retry_and_the_next_run_go_on_counting() {
        let mut fuse = Fuse::default();
        // A run notes more and more, and dies.
        for writes in [3, 6, 8] {
            assert_eq!(fuse.allows(10, at(0), at(0)), 10);
            fuse.note_run(at(0), writes, at(0));
        }
        assert_eq!(fuse.allows(10, at(1), at(1)), 2);
        fuse.note_run(at(1), 2, at(1));
        assert_eq!(fuse.allows(10, at(6), at(6)), 0);
        assert_eq!(fuse.blow(at(6)).count, 10);
        // One more run that finds it blown does not make it last longer.
        assert_eq!(fuse.blow(at(30)).since, at(6));
    }

    #[test]
    fn two_runs_that_begin_at_the_same_time_are_two() {
        let mut fuse = fuse(&[(0, 4)]);
        let second = fuse.new_run(at(0));
        assert_eq!(fuse.allows(10, second, at(0)), 6);
        fuse.note_run(second, 6, at(0));
        assert_eq!(fuse.count(at(0)), 10);
    }

    #[test]
    fn a_run_in_the_future_counts() {
        let fuse = fuse(&[(1_000_000, 7)]);
        assert_eq!(fuse.allows(10, at(0), at(0)), 3);
    }

    #[test]
    fn the_note_is_small_and_reads_back() {
        let mut fuse = fuse(&[(0, 4), (5, 6), (70, 1)]);
        fuse.blow(at(70));
        let text = serde_json::to_string(&fuse).unwrap();
        assert_eq!(serde_json::from_str::<Fuse>(&text).unwrap(), fuse);
        assert_eq!(text.matches("4200000").count(), 2, "{text}");
        // What is over is forgotten.
        assert!(!text.contains("\"0\""), "{text}");
        assert_eq!(serde_json::from_str::<Fuse>("{}").unwrap(), Fuse::default());
    }
}
