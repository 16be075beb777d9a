//! What goes wrong on the way to Twilio and AWS and back, and how long everything takes.

use std::time::Duration;

use fastrand::Rng;

/// The weather of a schedule: what is drawn for each request.
pub(super) struct Weather {
    pub(super) rng: Rng,
    /// The chance that a request fails on a good day.
    ordinary: f64,
    /// Nothing fails any more.
    pub(super) calm: bool,
    /// What fails more often now.
    pub(super) storm: Option<Storm>,
    /// Twilio does not accept our credentials at present.
    pub(super) unauthorized: bool,
    /// The channel of which every request fails, on good days too.
    pub(super) poisoned: Option<String>,
    /// How far the functions' clocks are ahead of Twilio's, in milliseconds.
    pub(super) skew: i64,
}

/// A time in which much fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storm {
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

impl Storm {
    pub(super) const ALL: [Self; 6] = [
        Self::Throttles,
        Self::Fails,
        Self::Breaks,
        Self::Table,
        Self::Bus,
        Self::Everything,
    ];
}

/// What becomes of a request to Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
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

impl Fate {
    pub(super) fn name(self) -> &'static str {
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

/// What Twilio writes into `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryAfter {
    Absent,
    Seconds(u64),
    /// A date so many seconds after the answer's own.
    Date(u64),
    Nonsense(&'static str),
}

impl RetryAfter {
    /// How long the one who asked is to wait.
    pub(super) fn asks_for(self) -> Duration {
        match self {
            Self::Absent | Self::Nonsense(_) => Duration::ZERO,
            Self::Seconds(seconds) | Self::Date(seconds) => Duration::from_secs(seconds),
        }
    }
}

/// What becomes of a request to AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Luck {
    Good,
    Throttled,
    InternalError,
    RequestLost,
    ResponseLost,
    /// It takes longer than anybody waits, before the effect.
    SlowBefore,
    /// It takes longer than anybody waits, after the effect.
    SlowAfter,
}

impl Luck {
    pub(super) fn name(self) -> &'static str {
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

/// Which part of AWS a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Table,
    Bus,
    Secrets,
}

impl Weather {
    pub(super) fn new(rng: Rng, ordinary: f64) -> Self {
        Self {
            rng,
            ordinary,
            calm: false,
            storm: None,
            unauthorized: false,
            poisoned: None,
            skew: 0,
        }
    }

    /// Everything works from now on, except what is poisoned.
    pub(super) fn calms_down(&mut self) {
        self.calm = true;
        self.storm = None;
        self.unauthorized = false;
        self.skew = 0;
    }

    /// Whether every request for a channel fails.
    pub(super) fn poisons(&self, channel: &str) -> bool {
        self.poisoned.as_deref() == Some(channel)
    }

    /// What becomes of a request to Twilio.
    pub(super) fn fate(&mut self, poisoned: bool) -> Fate {
        if poisoned {
            return if self.rng.bool() {
                Fate::Status(500)
            } else {
                Fate::HangBefore
            };
        }
        if self.calm {
            return Fate::Good;
        }
        if self.unauthorized {
            return Fate::Unauthorized([401, 403][self.rng.usize(..2)]);
        }
        let chance = match self.storm {
            Some(Storm::Throttles | Storm::Fails | Storm::Breaks | Storm::Everything) => 0.4,
            Some(Storm::Table | Storm::Bus) | None => self.ordinary,
        };
        if self.rng.f64() >= chance {
            return Fate::Good;
        }
        let kind = match self.storm {
            Some(Storm::Throttles) => 0,
            Some(Storm::Fails) => 1,
            Some(Storm::Breaks) => 2,
            Some(Storm::Table | Storm::Bus | Storm::Everything) | None => self.rng.u8(..3),
        };
        match kind {
            0 => self.throttles(),
            1 => self.fails(),
            _ => self.breaks(),
        }
    }

    fn throttles(&mut self) -> Fate {
        let seconds = [0, 1, 3, 30, 90, 86_400, 1_000_000_000];
        match self.rng.u8(..8) {
            0 | 1 => Fate::TooMany(RetryAfter::Absent),
            2 => Fate::TooMany(RetryAfter::Nonsense(
                ["soon", "-1", "1.5", ""][self.rng.usize(..4)],
            )),
            3 => Fate::TooMany(RetryAfter::Date(self.rng.u64(0..40))),
            4 => Fate::Busy(self.rng.u64(0..20)),
            _ => Fate::TooMany(RetryAfter::Seconds(
                seconds[self.rng.usize(..seconds.len())],
            )),
        }
    }

    fn fails(&mut self) -> Fate {
        match self.rng.u8(..8) {
            0 => Fate::GarbageBefore,
            1 => Fate::GarbageAfter,
            2 => Fate::Refused,
            _ => Fate::Status([500, 502, 503, 504][self.rng.usize(..4)]),
        }
    }

    fn breaks(&mut self) -> Fate {
        [
            Fate::HangBefore,
            Fate::HangAfter,
            Fate::NoConnection,
            Fate::BrokenBefore,
            Fate::BrokenAfter,
        ][self.rng.usize(..5)]
    }

    /// What becomes of a request to AWS.
    pub(super) fn luck(&mut self, part: Part) -> Luck {
        if self.calm {
            return Luck::Good;
        }
        let stormy = match (self.storm, part) {
            (Some(Storm::Everything), _)
            | (Some(Storm::Table), Part::Table | Part::Secrets)
            | (Some(Storm::Bus), Part::Bus) => true,
            (Some(_) | None, _) => false,
        };
        // The SDK tries three times by itself, so that half is needed to get through to us.
        let chance = if stormy { 0.5 } else { self.ordinary };
        if self.rng.f64() >= chance {
            return Luck::Good;
        }
        [
            Luck::Throttled,
            Luck::InternalError,
            Luck::RequestLost,
            Luck::ResponseLost,
            Luck::SlowBefore,
            Luck::SlowAfter,
        ][self.rng.usize(..6)]
    }

    /// How long a request to Twilio is on its way, each way.
    pub(super) fn way_to_twilio(&mut self) -> Duration {
        let slow = !self.calm && self.rng.u8(..100) < 3;
        let millis = if slow { 500..4_000 } else { 10..80 };
        Duration::from_millis(self.rng.u64(millis))
    }

    /// How long a request to AWS is on its way, each way.
    pub(super) fn way_to_aws(&mut self) -> Duration {
        let slow = !self.calm && self.rng.u8(..100) < 3;
        let millis = if slow { 50..350 } else { 1..6 };
        Duration::from_millis(self.rng.u64(millis))
    }

    pub(super) fn happens(&mut self, chance: f64) -> bool {
        self.rng.f64() < chance
    }
}
