//! Every order in which two runs, a reply, a person and Event Streams can work on one chat.
//!
//! Each actor stops at each of its requests until the explorer lets it go on. The actors are the
//! real function over the simulated Twilio and the embedded AWS; no step waits for a clock. What
//! an actor asks depends on the answers that it got, and what a request does on the state of
//! Twilio or of the record, so that each of these is played once and then looked up. A
//! conditional write that follows a read at once is one step with it: it has an effect only if
//! nothing came between. An actor who begins a round anew knows nothing of the rounds before but
//! their number; a test compares this with the orders of actors who are told apart by all that
//! they were answered. Two runs of the schedule are alike, and are not counted twice.
//!
//! In the end, once things are quiet and a tick has passed, no chat is parked whose customer
//! wrote last. The customer's word is told at any time; the events of the task, those before the
//! play too, are told at any time, twice, or never. One that changes nothing when it is told is
//! no step.
//!
//! A fault is a write of the task whose answer is lost, that is lost, that has its effect late, or
//! that is answered 412; or a process that ends between two requests. Each order has one at most.
//! The mutations show that the explorer finds what it looks for.
//!
//! # The bound
//!
//! The small casts are explored completely. Where all orders are too many, those are explored in
//! which an actor that could go on is kept waiting for another one a few times at most
//! ([`MAX_SWITCHES`]). The customer and Event Streams come between at any time, and are not
//! counted.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise and say what it saw; the explorer prints what it explored and how long it took"
)]

mod actors;
mod connectors;
mod explorer;
mod long;
mod mutation;
mod orders;
mod stage;
