//! The script of a schedule: its length, its customers, its faults and its settings.

use std::time::Duration;

use domain::Policy;
use embedded::Lag;
use fastrand::Rng;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The size of a schedule, where that is not left to its seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// For how many days people act and things fail.
    pub days: Option<u64>,
    /// The number of customers.
    pub customers: Option<usize>,
}

/// The properties of a schedule, drawn from its seed and its size and from nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) seed: u64,
    /// The time for which people act and things fail.
    pub(crate) length: Duration,
    pub(crate) customers: usize,
    /// The percentage of customers who write by a medium whose channels are long-lived.
    pub(crate) long_lived: u8,
    /// The percentage of customers who write to a number of Conversations.
    pub(crate) conversing: u8,
    pub(crate) flex_deaf: bool,
    pub(crate) flex_delay: Duration,
    pub(crate) list_attributes: bool,
    pub(crate) lag: Option<Lag>,
    pub(crate) sweep_every: Duration,
    /// The interval of reconciliations, if there are any.
    pub(crate) reconcile_every: Option<Duration>,
    /// The time for which people act before the webhook is connected.
    pub(crate) backlog: Option<Duration>,
    /// The number of chats that are with a bot.
    pub(crate) bots: usize,
    pub(crate) concurrency: usize,
    pub(crate) max_closes: usize,
    pub(crate) deletes: bool,
    pub(crate) ends_sessions: bool,
    pub(crate) policy: Policy,
    /// The chance that a single event is lost.
    pub(crate) loss: f64,
    /// The chance that a task is one of which whole kinds of events are lost.
    pub(crate) silence: f64,
    /// The chance that an event comes more than seconds late.
    pub(crate) lateness: f64,
    pub(crate) duplicates: f64,
    pub(crate) batch: usize,
    /// The chance that a request fails on a good day.
    pub(crate) faults: f64,
    /// The chance that an invocation dies.
    pub(crate) crashes: f64,
    /// The chance that other software writes between a function's read and its write.
    pub(crate) meddling: f64,
    /// The properties of parking, if silent chats are parked.
    pub(crate) parking: Option<ParkingScript>,
    /// The properties of rescue, if unheard customers are given a task.
    pub(crate) rescue: Option<RescueScript>,
}

/// The properties of parking.
#[derive(Clone, Debug)]
pub(crate) struct ParkingScript {
    /// The interval between two looks of one run.
    pub(crate) poll: Duration,
    /// The chance that the bus loses the notice of a reply.
    pub(crate) lost_replies: f64,
}

/// The properties of rescue.
#[derive(Clone, Debug)]
pub(crate) struct RescueScript {
    /// The most tasks that one sweep makes.
    pub(crate) max: usize,
    /// The greatest age of a message whose customer is given a task.
    pub(crate) within: Duration,
}

impl RescueScript {
    /// Draws from a generator of its own, so that schedules without rescue play what they played
    /// before there was one.
    fn of(seed: u64) -> Option<Self> {
        let mut rng = Rng::with_seed(seed ^ 0x7e5c_0e0f_0000_1b87);
        (rng.u8(..3) == 0).then(|| Self {
            max: [2, 20, 20][rng.usize(..3)],
            within: Duration::from_secs(HOUR * [6, 24, 24][rng.usize(..3)]),
        })
    }
}

impl Script {
    pub(crate) fn of(seed: u64, size: Size) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x5c21_9e77_0b5e_a11e);
        let rng = &mut rng;
        let one_of = |rng: &mut Rng, choices: &[f64]| choices[rng.usize(..choices.len())];
        let length = Duration::from_secs(rng.u64(4 * HOUR..40 * HOUR));
        let length = size.days.map_or(length, |days| {
            Duration::from_secs(days.saturating_mul(24 * HOUR))
        });
        let customers = rng.usize(4..=8);
        let customers = size.customers.unwrap_or(customers);
        let reconcile_every = [None, Some(4), Some(12), Some(24)][rng.usize(..4)];
        let reconcile_every = reconcile_every.map(|hours| Duration::from_secs(hours * HOUR));
        let backlog = Duration::from_secs(24 * HOUR * rng.u64(1..45));
        let backlog = Some(backlog).filter(|_| reconcile_every.is_some() && rng.u8(..3) == 0);
        let mut script = Self {
            seed,
            length,
            customers,
            long_lived: [0, 30, 60, 100][rng.usize(..4)],
            conversing: [0, 30, 60, 100][rng.usize(..4)],
            flex_deaf: rng.u8(..100) < 15,
            flex_delay: Duration::from_secs([0, 2, 90][rng.usize(..3)]),
            list_attributes: rng.bool(),
            lag: match rng.u8(..3) {
                0 => None,
                1 => Some(Lag::Writes(rng.usize(1..6))),
                _ => Some(Lag::Time(Duration::from_millis(rng.u64(10..20_000)))),
            },
            sweep_every: Duration::from_secs(MINUTE * [15, 30, 60, 120][rng.usize(..4)]),
            reconcile_every,
            backlog,
            bots: rng.usize(0..3),
            concurrency: [1, 2, 10, 20][rng.usize(..4)],
            max_closes: match rng.u8(..10) {
                0 => 2 * customers.div_ceil(8),
                _ => 1_000,
            },
            deletes: rng.u8(..100) < 12,
            ends_sessions: rng.bool(),
            policy: policy(rng),
            loss: one_of(rng, &[0.0, 0.01, 0.05]),
            silence: one_of(rng, &[0.0, 0.1, 0.3]),
            lateness: one_of(rng, &[0.0, 0.05, 0.2]),
            duplicates: one_of(rng, &[0.0, 0.1, 0.5]),
            batch: [1, 3, 10, 40][rng.usize(..4)],
            faults: one_of(rng, &[0.0, 0.01, 0.05]),
            crashes: one_of(rng, &[0.0, 0.02, 0.1]),
            meddling: one_of(rng, &[0.0, 0.05, 0.3]),
            parking: None,
            rescue: RescueScript::of(seed),
        };
        if rng.u8(..3) == 0 {
            script.parking = Some(ParkingScript {
                poll: Duration::from_secs([10, 60, 60, 60][rng.usize(..4)]),
                lost_replies: one_of(rng, &[0.0, 0.1, 0.5]),
            });
            script.policy.park_after = Duration::from_secs(MINUTE * [1, 10][rng.usize(..2)]);
        }
        script
    }
}

impl Script {
    /// Returns how many times the acts of an ordinary schedule happen.
    pub(crate) fn bustle(&self) -> f64 {
        self.customers.div_ceil(8) as f64
    }
}

fn policy(rng: &mut Rng) -> Policy {
    let seconds = Duration::from_secs;
    let mut policy = Policy {
        // A closed channel's record expires within most schedules.
        retention: seconds(HOUR * [50, 72, 30 * 24][rng.usize(..3)]),
        release_long_lived: rng.u8(..100) < 85,
        ..Policy::default()
    };
    if rng.u8(..4) == 0 {
        policy.abandoned_cutoff = seconds(MINUTE);
        policy.ended_cutoff = seconds(2 * HOUR);
        policy.long_lived_cutoff = seconds(4 * HOUR);
        policy.inspect_after = seconds(5 * MINUTE);
    }
    if rng.u8(..3) == 0 {
        policy.orphan_cutoff = Some(seconds(12 * HOUR));
    }
    policy
}
