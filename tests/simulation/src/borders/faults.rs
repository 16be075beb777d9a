//! Faults on the way to Twilio and AWS and back, and the time that each request takes.

use std::time::Duration;

use fastrand::Rng;

/// Draws the faults of a schedule, request by request.
pub(crate) struct Faults {
    pub(crate) rng: Rng,
    /// The chance that a request fails on a good day.
    ordinary: f64,
    /// Nothing fails any more.
    pub(crate) faultless: bool,
    /// The part that fails more often now.
    pub(crate) outage: Option<Outage>,
    /// Twilio does not accept the credentials at present.
    pub(crate) unauthorized: bool,
    /// The channel of which every request fails, on good days too.
    pub(crate) poisoned: Option<String>,
    /// The lead of the functions' clocks over Twilio's, in milliseconds.
    pub(crate) skew: i64,
}

/// A time in which much fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    /// Twilio throttles.
    Throttles,
    /// Twilio fails.
    Fails,
    /// The network to Twilio fails, before or after the effect.
    Breaks,
    /// The table fails.
    Table,
    /// The bus fails.
    Bus,
    /// Everything fails.
    Everything,
}

impl Outage {
    pub(crate) const ALL: [Self; 6] = [
        Self::Throttles,
        Self::Fails,
        Self::Breaks,
        Self::Table,
        Self::Bus,
        Self::Everything,
    ];
}

/// The outcome of a request to Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TwilioOutcome {
    Good,
    /// 429, with this in `Retry-After`.
    TooMany(RetryAfter),
    /// An error of Twilio's own.
    Status(u16),
    /// A 503 that says when to come back.
    Busy(u64),
    /// A 400 that no repetition mends.
    Refused,
    /// A 401 or a 403.
    Unauthorized(u16),
    HangBefore,
    HangAfter,
    NoConnection,
    BrokenBefore,
    BrokenAfter,
    GarbageBefore,
    GarbageAfter,
}

impl TwilioOutcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::TooMany(_) => "twilio 429",
            Self::Status(_) => "twilio 5xx",
            Self::Busy(_) => "twilio 503 with retry-after",
            Self::Refused => "twilio 400",
            Self::Unauthorized(_) => "twilio 401 or 403",
            Self::HangBefore => "twilio hangs, no effect",
            Self::HangAfter => "twilio hangs after the effect",
            Self::NoConnection => "no connection to twilio",
            Self::BrokenBefore => "twilio broken before the effect",
            Self::BrokenAfter => "twilio broken after the effect",
            Self::GarbageBefore => "twilio garbage, no effect",
            Self::GarbageAfter => "twilio garbage after the effect",
        }
    }
}

/// The value of `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    Absent,
    Seconds(u64),
    /// A date so many seconds after the answer's own.
    Date(u64),
    Nonsense(&'static str),
}

impl RetryAfter {
    /// Returns the time for which the client is asked to wait.
    pub(crate) fn asks_for(self) -> Duration {
        match self {
            Self::Absent | Self::Nonsense(_) => Duration::ZERO,
            Self::Seconds(seconds) | Self::Date(seconds) => Duration::from_secs(seconds),
        }
    }
}

/// The outcome of a request to AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AwsOutcome {
    Good,
    Throttled,
    InternalError,
    RequestLost,
    ResponseLost,
    /// It takes longer than the client waits, before the effect.
    SlowBefore,
    /// It takes longer than the client waits, after the effect.
    SlowAfter,
}

impl AwsOutcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Throttled => "aws throttles",
            Self::InternalError => "aws 500",
            Self::RequestLost => "aws request lost",
            Self::ResponseLost => "aws response lost",
            Self::SlowBefore => "aws times out before the effect",
            Self::SlowAfter => "aws times out after the effect",
        }
    }
}

/// The part of AWS that a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Table,
    Bus,
    Secrets,
}

impl Faults {
    pub(crate) fn new(rng: Rng, ordinary: f64) -> Self {
        Self {
            rng,
            ordinary,
            faultless: false,
            outage: None,
            unauthorized: false,
            poisoned: None,
            skew: 0,
        }
    }

    /// Everything works from now on, except what is poisoned.
    pub(crate) fn end(&mut self) {
        self.faultless = true;
        self.outage = None;
        self.unauthorized = false;
        self.skew = 0;
    }

    /// Returns whether every request for a channel fails.
    pub(crate) fn poisons(&self, channel: &str) -> bool {
        self.poisoned.as_deref() == Some(channel)
    }

    /// Draws the outcome of a request to Twilio.
    pub(crate) fn twilio_outcome(&mut self, poisoned: bool) -> TwilioOutcome {
        if poisoned {
            return if self.rng.bool() {
                TwilioOutcome::Status(500)
            } else {
                TwilioOutcome::HangBefore
            };
        }
        if self.faultless {
            return TwilioOutcome::Good;
        }
        if self.unauthorized {
            return TwilioOutcome::Unauthorized([401, 403][self.rng.usize(..2)]);
        }
        let chance = match self.outage {
            Some(Outage::Throttles | Outage::Fails | Outage::Breaks | Outage::Everything) => 0.4,
            Some(Outage::Table | Outage::Bus) | None => self.ordinary,
        };
        if self.rng.f64() >= chance {
            return TwilioOutcome::Good;
        }
        let kind = match self.outage {
            Some(Outage::Throttles) => 0,
            Some(Outage::Fails) => 1,
            Some(Outage::Breaks) => 2,
            Some(Outage::Table | Outage::Bus | Outage::Everything) | None => self.rng.u8(..3),
        };
        match kind {
            0 => self.throttles(),
            1 => self.fails(),
            _ => self.breaks(),
        }
    }

    fn throttles(&mut self) -> TwilioOutcome {
        let seconds = [0, 1, 3, 30, 90, 86_400, 1_000_000_000];
        match self.rng.u8(..8) {
            0 | 1 => TwilioOutcome::TooMany(RetryAfter::Absent),
            2 => TwilioOutcome::TooMany(RetryAfter::Nonsense(
                ["soon", "-1", "1.5", ""][self.rng.usize(..4)],
            )),
            3 => TwilioOutcome::TooMany(RetryAfter::Date(self.rng.u64(0..40))),
            4 => TwilioOutcome::Busy(self.rng.u64(0..20)),
            _ => TwilioOutcome::TooMany(RetryAfter::Seconds(
                seconds[self.rng.usize(..seconds.len())],
            )),
        }
    }

    fn fails(&mut self) -> TwilioOutcome {
        match self.rng.u8(..8) {
            0 => TwilioOutcome::GarbageBefore,
            1 => TwilioOutcome::GarbageAfter,
            2 => TwilioOutcome::Refused,
            _ => TwilioOutcome::Status([500, 502, 503, 504][self.rng.usize(..4)]),
        }
    }

    fn breaks(&mut self) -> TwilioOutcome {
        [
            TwilioOutcome::HangBefore,
            TwilioOutcome::HangAfter,
            TwilioOutcome::NoConnection,
            TwilioOutcome::BrokenBefore,
            TwilioOutcome::BrokenAfter,
        ][self.rng.usize(..5)]
    }

    /// Draws the outcome of a request to AWS.
    pub(crate) fn aws_outcome(&mut self, part: Part) -> AwsOutcome {
        if self.faultless {
            return AwsOutcome::Good;
        }
        let in_outage = match (self.outage, part) {
            (Some(Outage::Everything), _)
            | (Some(Outage::Table), Part::Table | Part::Secrets)
            | (Some(Outage::Bus), Part::Bus) => true,
            (Some(_) | None, _) => false,
        };
        // The SDK tries three times by itself, so that half is needed for the functions to notice.
        let chance = if in_outage { 0.5 } else { self.ordinary };
        if self.rng.f64() >= chance {
            return AwsOutcome::Good;
        }
        [
            AwsOutcome::Throttled,
            AwsOutcome::InternalError,
            AwsOutcome::RequestLost,
            AwsOutcome::ResponseLost,
            AwsOutcome::SlowBefore,
            AwsOutcome::SlowAfter,
        ][self.rng.usize(..6)]
    }

    /// Draws the time that a request to Twilio takes each way.
    pub(crate) fn way_to_twilio(&mut self) -> Duration {
        let slow = !self.faultless && self.rng.u8(..100) < 3;
        let millis = if slow { 500..4_000 } else { 10..80 };
        Duration::from_millis(self.rng.u64(millis))
    }

    /// Draws the time that a request to AWS takes each way.
    pub(crate) fn way_to_aws(&mut self) -> Duration {
        let slow = !self.faultless && self.rng.u8(..100) < 3;
        let millis = if slow { 50..350 } else { 1..6 };
        Duration::from_millis(self.rng.u64(millis))
    }

    pub(crate) fn happens(&mut self, chance: f64) -> bool {
        self.rng.f64() < chance
    }
}
