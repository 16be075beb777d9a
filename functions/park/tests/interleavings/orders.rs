//! The choices of the explorer, and the numbers of orders that they make.

use std::fmt;

/// The fate of a write of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It has its effect, and its answer arrives.
    Answered,
    /// It has its effect, and its answer is lost.
    AnswerLost,
    /// It is lost.
    Lost,
    /// Its answer is lost, and its effect comes at any later time.
    Late,
    /// It is answered 412, without an effect.
    Refused,
}

/// A choice of the explorer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The request of this actor has this fate, and the actor goes on until it asks again.
    Step(usize, Fate),
    /// This actor's process ends where it is.
    Crash(usize),
    /// The late write has its effect.
    Late,
    /// A word of the customer is told.
    TellWord(usize),
    /// Another event is told.
    Tell(usize),
}

impl Choice {
    /// Returns the place of its fault among the counts, if it is one.
    fn fault(self) -> Option<usize> {
        match self {
            Self::Step(_, Fate::AnswerLost) => Some(0),
            Self::Step(_, Fate::Lost) => Some(1),
            Self::Step(_, Fate::Late) => Some(2),
            Self::Step(_, Fate::Refused) => Some(3),
            Self::Crash(_) => Some(4),
            Self::Step(_, Fate::Answered) | Self::Late | Self::TellWord(_) | Self::Tell(_) => None,
        }
    }
}

/// The fate of the events that are not told yet, in the end. A customer's word is always told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    Lost,
    Delivered,
    /// Backwards, and once more with all that was told before.
    Twice,
}

/// Numbers of orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Orders {
    pub(crate) all: u128,
    /// Those in which a write's answer was lost, the write was lost, it was late, it was refused,
    /// or a process ended.
    pub(crate) by_fault: [u128; 5],
    /// Those in which an event of the task was told before the end.
    pub(crate) told: u128,
}

impl Orders {
    pub(crate) const ONE: Self = Self {
        all: 1,
        by_fault: [0; 5],
        told: 0,
    };

    pub(crate) fn add(&mut self, choice: Choice, after: &Self) {
        self.all += after.all;
        self.told += match choice {
            Choice::Tell(_) => after.all,
            Choice::Step(..) | Choice::Crash(_) | Choice::Late | Choice::TellWord(_) => after.told,
        };
        match choice.fault() {
            Some(fault) => self.by_fault[fault] += after.all,
            None => {
                for (sum, after) in self.by_fault.iter_mut().zip(after.by_fault) {
                    *sum += after;
                }
            }
        }
    }
}

/// The extent of an exploration.
#[derive(Debug, Default)]
pub(crate) struct Explored {
    /// Orders of all steps.
    pub(crate) orders: Orders,
    /// States that were met.
    pub(crate) states: usize,
    /// The steps of the longest order.
    pub(crate) longest: usize,
    /// Runs of the real function.
    pub(crate) runs: usize,
    /// States of the record, and of Twilio.
    pub(crate) met: (usize, usize),
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Orders {
            all,
            by_fault: [answer_lost, lost, late, refused, ended],
            told,
        } = self.orders;
        write!(
            f,
            "{all} orders of up to {} steps. A write: answer lost in {answer_lost}, lost in {lost}, \
             late in {late}, 412 in {refused}; a process ended in {ended}. An event of the task \
             was told meanwhile in {told}; in the end, the rest was lost, told, and told twice after \
             each. {} states, {} runs, {:?} states of the record and of Twilio",
            self.longest, self.states, self.runs, self.met
        )
    }
}

/// An order after which a customer waits.
pub(crate) struct Unheard {
    pub(crate) path: Vec<Choice>,
    pub(crate) rest: Rest,
}

impl fmt::Debug for Unheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the rest of the events {:?}, after {:?}",
            self.rest, self.path
        )
    }
}
