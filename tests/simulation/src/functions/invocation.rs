//! One invocation of a function, which may die at any await.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::timeout;

use crate::report::{Law, Violation};
use crate::shared::{CALLER, Caller, Shared};

/// The planned end of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    Never,
    /// At its poll of this number.
    AtPoll(u32),
    /// After so long.
    After(Duration),
}

/// The end of an invocation.
#[derive(Debug)]
pub(crate) enum End<T> {
    Done(T),
    /// It died as planned.
    Died,
    /// Its time was up.
    Killed,
    /// It panicked.
    Panicked,
}

/// Runs an invocation to its end, which may be a sudden one: what it was about to do then
/// never happens, as when a machine fails.
pub(crate) async fn invoke<T: Send + 'static>(
    shared: &Shared,
    who: Caller,
    death: Death,
    limit: Duration,
    work: impl Future<Output = T> + Send + 'static,
) -> End<T> {
    let (polls, lives_for) = match death {
        Death::Never => (u32::MAX, limit),
        Death::AtPoll(polls) => (polls, limit),
        Death::After(time) => (u32::MAX, time.min(limit)),
    };
    let mortal = Mortal {
        work: Box::pin(CALLER.scope(who, work)),
        polls,
    };
    match tokio::spawn(timeout(lives_for, mortal)).await {
        Ok(Ok(Some(done))) => End::Done(done),
        Ok(Ok(None)) => End::Died,
        Ok(Err(_)) if lives_for < limit => End::Died,
        Ok(Err(_)) => End::Killed,
        Err(error) => {
            let what = format!("{who:?} panicked: {error}");
            shared.check(Err(Violation::of(Law::NoPanic, what)));
            End::Panicked
        }
    }
}

struct Mortal<F> {
    work: Pin<Box<F>>,
    polls: u32,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(left) = self.polls.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.polls = left;
        self.work.as_mut().poll(context).map(Some)
    }
}
