//! One channel of either platform: looked at, decided upon once more with what the look told,
//! written where something is missing.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use domain::{
    Channel, ChatServiceSid, Decision, End, Interaction, LastStep, Outcome, Platform, Progress,
    ProxySessionSid, Remedy, Timestamp, decide,
};
use twilio::rest::chat_closer::{ChatOrder, ChatPlan, CloseFailure, ClosingAction, look_at_chat};
use twilio::rest::conversation_closer::{
    ConversationFailure, ConversationOrder, ConversationPlan, ConversationRemedy, StillActive,
    look_at_conversation,
};
use twilio::rest::{Client, TwilioError};

use crate::settings::{Action, Mode, Plan};
use crate::summary::Came;

/// How often a write is tried, each time after a fresh look: an attempt whose answer was lost
/// may have had its effect, and others may have written meanwhile.
const WRITES: usize = 3;

/// The first wait between two tries of one write; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Closes channels of one Chat or Conversations service; Flex has one for both.
pub(crate) struct Closer {
    twilio: Client,
    service: ChatServiceSid,
    plan: Plan,
}

/// What became of a channel.
pub(crate) enum Closed {
    /// It is as this step wants it.
    Step(Step),
    /// It would have been written to, if this were not an observation.
    WouldWrite,
    /// No more channels may be written to.
    MayNot,
}

/// A step that is taken.
pub(crate) struct Step {
    pub(crate) progress: Progress,
    pub(crate) came: Came,
    /// The Proxy session that Flex is to end now.
    pub(crate) session: Option<ProxySessionSid>,
}

/// Why a channel was not closed.
#[derive(Debug)]
pub(crate) enum Unclosed {
    /// Its attributes are not an object: a person has to look.
    NotAnObject,
    /// It is being set up, or in a state that nobody knows: another time.
    NotNow,
    /// Twilio took the change and does not show it.
    NotKept,
    /// The service is not there, so that nothing that is said of its channels can be believed.
    NoSuchService,
    /// The call failed.
    Twilio(TwilioError),
}

/// A look at a channel, and what is to be done about it.
enum Look {
    Chat(ChatPlan),
    Conversation(ConversationPlan),
}

impl Closer {
    pub(crate) fn new(twilio: Client, service: ChatServiceSid, plan: Plan) -> Self {
        Self {
            twilio,
            service,
            plan,
        }
    }

    /// Takes the next step with a channel. Whether it is long-lived is remembered in `channel`.
    /// `may_write` is asked before the first write, once.
    pub(crate) async fn close(
        &self,
        channel: &mut Channel,
        last_step: LastStep,
        now: Timestamp,
        may_write: impl Fn() -> bool,
    ) -> Result<Closed, Unclosed> {
        if self.is_to_be_left_alone(channel, last_step) {
            // What a look would tell is known, and nothing is to be written.
            let outcome = Outcome::LeftAlone;
            return Ok(Closed::Step(Step {
                progress: Progress::Released { at: now, outcome },
                came: Came::AlreadyClean,
                session: None,
            }));
        }
        let mut waits = ExponentialBuilder::new()
            .with_min_delay(FIRST_WAIT)
            .with_max_times(WRITES - 1)
            .with_jitter()
            .build();
        let mut wrote = false;
        loop {
            let look = self.look(channel, last_step, now).await?;
            if look.writes() {
                if self.plan.mode == Mode::Observe {
                    return Ok(Closed::WouldWrite);
                }
                if !wrote && !may_write() {
                    return Ok(Closed::MayNot);
                }
            }
            let wrote_before = wrote;
            wrote |= look.writes();
            let failure = match look.carry_out(&self.twilio, channel, now).await {
                Ok(step) => return Ok(Closed::Step(step.or_ours(wrote_before, now))),
                Err(failure) => failure,
            };
            match waits.next() {
                Some(wait) if wrote && failure.may_pass() => tokio::time::sleep(wait).await,
                _ => return Err(failure),
            }
        }
    }

    /// A channel that is known to be long-lived and is not to be released has no first step.
    fn is_to_be_left_alone(&self, channel: &Channel, last_step: LastStep) -> bool {
        channel.platform() == Platform::Chat
            && last_step == LastStep::No
            && channel.long_lived() == Some(true)
            && !self.plan.policy.release_long_lived
    }

    async fn look(
        &self,
        channel: &mut Channel,
        last_step: LastStep,
        now: Timestamp,
    ) -> Result<Look, Unclosed> {
        match channel.platform() {
            Platform::Chat => self.look_at_chat(channel, last_step, now).await,
            Platform::Conversations => {
                let order = ConversationOrder {
                    service: self.service,
                    conversation: channel.sid(),
                    interaction: interaction_of(channel),
                    still_active: still_active(channel),
                    last_step,
                };
                let plan = look_at_conversation(&self.twilio, order).await?;
                Ok(Look::Conversation(plan))
            }
        }
    }

    async fn look_at_chat(
        &self,
        channel: &mut Channel,
        last_step: LastStep,
        now: Timestamp,
    ) -> Result<Look, Unclosed> {
        let policy = &self.plan.policy;
        let order = ChatOrder {
            service: self.service,
            channel: channel.sid(),
            last_step,
            action: match self.plan.action {
                Action::Inactivate => ClosingAction::Inactivate,
                Action::Delete => ClosingAction::Delete,
            },
        };
        let plan = look_at_chat(&self.twilio, order, policy).await?;
        let Some(long_lived) = plan.long_lived() else {
            return Ok(Look::Chat(plan));
        };
        channel.observe_long_lived(long_lived, now);
        // A channel that turns out to be long-lived may have waited for its reset, too.
        Ok(Look::Chat(match decide(channel, policy, now) {
            Decision::Reset(_) => plan.for_step(LastStep::Yes, policy),
            Decision::Nothing
            | Decision::Wait(_)
            | Decision::Release(_)
            | Decision::EndSession(_)
            | Decision::Inspect(_)
            | Decision::InstallWebhook
            | Decision::Park(_)
            | Decision::Unpark(_) => plan,
        }))
    }
}

/// The interaction of the task that ended last, or else of any task.
fn interaction_of(channel: &Channel) -> Option<Interaction> {
    let last = channel.idle().and_then(|idle| idle.task());
    let of_last = last.and_then(|task| channel.tasks().get(&task)?.interaction);
    of_last.or_else(|| {
        let others = channel.tasks().values();
        others.filter_map(|task| task.interaction).next_back()
    })
}

/// To park an interaction completes its task and leaves its channel active, and so does a chat
/// that Flex forgot to close: where they look the same, the customer gets the longer patience.
fn still_active(channel: &Channel) -> StillActive {
    match channel.idle().and_then(|idle| idle.how()) {
        Some(End::Completed | End::Vanished) => StillActive::MayBeParked,
        Some(End::Canceled | End::Deleted | End::SystemDeleted) | None => StillActive::Forgotten,
    }
}

impl Look {
    fn writes(&self) -> bool {
        match self {
            Self::Chat(plan) => matches!(
                plan.remedy(),
                Some(Remedy::Release | Remedy::Inactivate | Remedy::Reset)
            ),
            Self::Conversation(plan) => ConversationRemedy::writes(plan.remedy()),
        }
    }

    async fn carry_out(
        self,
        twilio: &Client,
        channel: &mut Channel,
        now: Timestamp,
    ) -> Result<Step, Unclosed> {
        match self {
            Self::Chat(plan) => {
                let resets = plan.remedy() == Some(Remedy::Reset);
                let closed = plan.carry_out(twilio).await?;
                if resets && closed.outcome == Outcome::Written {
                    channel.observe_long_lived(false, now);
                }
                Ok(Step::new(closed.progress(now), closed.proxy_session))
            }
            Self::Conversation(plan) => {
                let closed = plan.carry_out(twilio).await?;
                Ok(Step::new(closed.progress(now), None))
            }
        }
    }
}

impl Step {
    fn new(progress: Progress, session: Option<ProxySessionSid>) -> Self {
        let (written, outcome) = match &progress {
            Progress::Released { outcome, .. } => (Came::Released, *outcome),
            Progress::Closed { outcome, .. } => (Came::Closed, *outcome),
            Progress::Untouched | Progress::Failed { .. } => (Came::Deferred, Outcome::LeftAlone),
        };
        let came = match outcome {
            Outcome::Written | Outcome::Deleted => written,
            Outcome::AlreadyClean | Outcome::LeftAlone => Came::AlreadyClean,
            Outcome::Gone => Came::Gone,
        };
        Self {
            // Found clean is no proof that its session is gone: whoever wrote it without
            // Twilio's webhook left the session open, and the next message would be lost.
            session: session.filter(|_| matches!(progress, Progress::Closed { .. })),
            progress,
            came,
        }
    }

    /// What is found done after an attempt of ours whose answer was lost is our doing.
    fn or_ours(self, wrote_before: bool, now: Timestamp) -> Self {
        let outcome = Outcome::Written;
        match self.progress {
            Progress::Closed {
                outcome: Outcome::AlreadyClean,
                ..
            } if wrote_before => Self::new(Progress::Closed { at: now, outcome }, self.session),
            Progress::Released {
                outcome: Outcome::AlreadyClean,
                ..
            } if wrote_before => Self::new(Progress::Released { at: now, outcome }, self.session),
            Progress::Untouched
            | Progress::Released { .. }
            | Progress::Closed { .. }
            | Progress::Failed { .. } => self,
        }
    }
}

impl Unclosed {
    fn may_pass(&self) -> bool {
        match self {
            Self::NotKept => true,
            Self::Twilio(error) => error.may_pass(),
            Self::NotAnObject | Self::NotNow | Self::NoSuchService => false,
        }
    }
}

impl From<CloseFailure> for Unclosed {
    fn from(failure: CloseFailure) -> Self {
        match failure {
            CloseFailure::NotAnObject(_) => Self::NotAnObject,
            CloseFailure::NotKept => Self::NotKept,
            CloseFailure::NoSuchService(_) => Self::NoSuchService,
            CloseFailure::Twilio(error) => Self::Twilio(error),
        }
    }
}

impl From<ConversationFailure> for Unclosed {
    fn from(failure: ConversationFailure) -> Self {
        match failure {
            ConversationFailure::NotNow => Self::NotNow,
            ConversationFailure::NotShown => Self::NotKept,
            ConversationFailure::NoSuchService(_) => Self::NoSuchService,
            ConversationFailure::Twilio(error) => Self::Twilio(error),
        }
    }
}
