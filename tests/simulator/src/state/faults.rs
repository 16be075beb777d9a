//! Faults on the way to Twilio and back, as values.

/// Says what goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// 429 with code 20429; nothing was done.
    TooManyRequests {
        /// The value of `Retry-After`, which Twilio does not promise.
        retry_after: Option<String>,
    },
    /// This status with a proper Twilio error; nothing was done.
    Status(u16),
    /// No answer ever comes; nothing was done.
    HangBefore,
    /// No answer ever comes, yet it was done.
    HangAfter,
    /// The connection closes without an answer; nothing was done.
    DropBefore,
    /// The connection closes without an answer, yet it was done.
    DropAfter,
    /// 200 with a body that is not JSON; nothing was done.
    Garbage,
}

/// Says which requests are hit; an absent part hits all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct At {
    product: Option<String>,
    method: Option<String>,
    path: Option<String>,
}

impl At {
    /// Hits every request.
    pub fn anything() -> Self {
        Self::default()
    }

    /// Hits requests of one product, e.g. `chat`.
    pub fn product(product: &str) -> Self {
        Self {
            product: Some(product.to_owned()),
            ..Self::default()
        }
    }

    /// Hits only this method of them.
    pub fn method(self, method: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            ..self
        }
    }

    /// Hits only paths of them that contain this text.
    pub fn path(self, part: &str) -> Self {
        Self {
            path: Some(part.to_owned()),
            ..self
        }
    }

    fn hits(&self, product: &str, method: &str, path: &str) -> bool {
        self.product
            .as_deref()
            .is_none_or(|wanted| wanted == product)
            && self.method.as_deref().is_none_or(|wanted| wanted == method)
            && self
                .path
                .as_deref()
                .is_none_or(|wanted| path.contains(wanted))
    }
}

/// Is a fault that hits every matching request until it is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which requests are hit.
    pub at: At,
    /// The fault.
    pub kind: FaultKind,
    /// The number of times; without a number until the faults are cleared.
    pub times: Option<u32>,
}

/// Is bad weather: each matching request is hit with the same chance.
#[derive(Debug, Clone, PartialEq)]
pub struct Storm {
    /// Which requests may be hit.
    pub at: At,
    /// The faults; one of them is drawn for each hit.
    pub kinds: Vec<FaultKind>,
    /// The chance of a hit, from 0 to 1.
    pub chance: f64,
}

/// Holds the faults that wait.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    pub(crate) queue: Vec<Fault>,
    pub(crate) storms: Vec<Storm>,
    rng: fastrand::Rng,
}

impl Faults {
    pub(crate) fn new(rng: fastrand::Rng) -> Self {
        Self {
            queue: Vec::new(),
            storms: Vec::new(),
            rng,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.storms.clear();
    }

    pub(crate) fn strike(&mut self, product: &str, method: &str, path: &str) -> Option<FaultKind> {
        if let Some(found) = self
            .queue
            .iter()
            .position(|fault| fault.at.hits(product, method, path))
        {
            let fault = &mut self.queue[found];
            let kind = fault.kind.clone();
            match fault.times {
                Some(0 | 1) => {
                    self.queue.remove(found);
                }
                Some(times) => fault.times = Some(times - 1),
                None => {}
            }
            return Some(kind);
        }
        for storm in &self.storms {
            if storm.at.hits(product, method, path) && self.rng.f64() < storm.chance {
                return self.rng.choice(&storm.kinds).cloned();
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_it_says() {
        let mut faults = Faults::new(fastrand::Rng::with_seed(1));
        let at = At::product("chat").method("POST").path("/Channels");
        faults.queue.push(Fault {
            at,
            kind: FaultKind::Garbage,
            times: Some(2),
        });
        assert_eq!(faults.strike("chat", "GET", "/chat/v2/Channels"), None);
        assert_eq!(faults.strike("proxy", "POST", "/chat/v2/Channels"), None);
        for expected in [Some(FaultKind::Garbage), Some(FaultKind::Garbage), None] {
            assert_eq!(faults.strike("chat", "POST", "/chat/v2/Channels"), expected);
        }
    }

    #[test]
    fn a_storm_strikes_about_as_often_as_its_chance() {
        let mut faults = Faults::new(fastrand::Rng::with_seed(1));
        faults.storms.push(Storm {
            at: At::anything(),
            kinds: vec![FaultKind::Status(503)],
            chance: 0.25,
        });
        let hits = (0..1_000)
            .filter(|_| faults.strike("chat", "GET", "/").is_some())
            .count();
        assert!((200..300).contains(&hits), "{hits}");
    }
}
