//! A chat that an agent, or an operator, parks or takes up again by hand.
//!
//! The agent knows better than the record: who parks a chat by hand has read what the customer
//! wrote, so that only what comes after it brings the chat back; who takes one up again has the
//! whole patience before it is parked once more. Both are remembered.

use domain::ManualRequest;
use domain::{Channel, Platform, TaskSid, Timestamp};
use store::StoreError;
use twilio::events::{About, Link};
use twilio::rest::TwilioError;

use crate::error::ParkError;
use crate::mover::{Look, Moved, Plan, Refusal, Trouble, Way, Writing, look, moved_at};
use crate::summary::Came;
use crate::tend::{Stop, Tender, Watch};
use crate::{Park, place};

/// How often a task is looked at again because others changed it meanwhile.
const ROUNDS: usize = 5;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByHand {
    /// The task was moved.
    Moved,
    /// It stood there already.
    Already,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum NotMoved {
    /// TaskRouter does not know the task.
    #[error("TaskRouter does not know this task")]
    Gone,
    /// It has ended, or nobody is talking: it waits for an agent, or its agent is writing up.
    #[error("the task has ended, or no agent is talking")]
    NobodyTalks,
    /// It cannot be moved as it is.
    #[error("{0}")]
    Unfit(String),
    /// Its TaskChannel stands in no pair.
    #[error("TaskChannel is not mapped")]
    Unmapped,
    /// A reply could not be heard, and the chat would stay parked for ever.
    #[error("the channel has no room for the webhook that would bring the chat back")]
    Deaf,
    /// The settings do not say where a reply is to be told.
    #[error(
        "without WEBHOOK_URL and a chat service, nobody would hear the customer of a Chat channel"
    )]
    Earless,
    /// Others kept changing it.
    #[error("the task keeps changing: try again")]
    Changing,
    /// Twilio is busy or does not answer.
    #[error("Twilio cannot be asked just now: try again")]
    Busy,
    /// The table cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Parking does not work at all.
    #[error(transparent)]
    Park(#[from] ParkError),
}

impl From<Stop> for NotMoved {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Store(error) => Self::Store(error),
            Stop::Unauthorized(error) => Self::Park(ParkError::Unauthorized(error)),
        }
    }
}

impl From<Trouble> for NotMoved {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Passing(_) => Self::Busy,
            Trouble::Unauthorized(error) => Self::Park(ParkError::Unauthorized(error)),
        }
    }
}

impl From<Refusal> for NotMoved {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unmapped(_) => Self::Unmapped,
            refusal @ (Refusal::NotAnObject(_) | Refusal::TooLong(_) | Refusal::Twilio(_)) => {
                Self::Unfit(refusal.to_string())
            }
        }
    }
}

impl Park {
    /// Parks a task, or takes it up again, because somebody asks for it.
    ///
    /// # Errors
    ///
    /// Fails without having changed anything, and says why.
    pub async fn manual(
        &self,
        task: TaskSid,
        wish: ManualRequest,
        now: Timestamp,
    ) -> Result<ByHand, NotMoved> {
        let tender = self.tender(now).await?;
        self.fulfil(&tender, task, wish).await
    }

    pub(crate) async fn tender(&self, now: Timestamp) -> Result<Tender<'_>, ParkError> {
        let settings = self.settings();
        let twilio = place::client(settings, self.transport(), now).await?;
        let place = self.checked().place(&twilio, settings).await?;
        Ok(Tender::new(settings, twilio, place, Watch::new(now)))
    }

    pub(crate) async fn fulfil(
        &self,
        tender: &Tender<'_>,
        task: TaskSid,
        wish: ManualRequest,
    ) -> Result<ByHand, NotMoved> {
        let way = match wish {
            ManualRequest::Park => Way::There,
            ManualRequest::Resume => Way::Back,
        };
        let mut noted = Noted::default();
        for _ in 0..ROUNDS {
            let (twilio, place) = (&tender.twilio, tender.place);
            let pairs = &self.settings().pairs;
            // Whoever takes a chat up again must win over a parker that is still under way.
            let writing = match way {
                Way::There => Writing::IfNeeded,
                Way::Back => noted.writing,
            };
            let plan = match look(twilio, place, pairs, task, way, writing).await? {
                Look::Plan(plan) => plan,
                Look::Over(_) => return Err(NotMoved::NobodyTalks),
                Look::Gone => return Err(NotMoved::Gone),
                Look::Refused(refusal) => return Err(refusal.into()),
            };
            let link = match plan.version().seen.about {
                About::Channel(link) => Some(link),
                About::NotTold | About::NoChannel(_) => None,
            };
            if let Some(link) = link
                && !noted.done
            {
                let again = self.announce(tender, link, &plan, task, wish, &mut noted);
                if again.await? == Announced::LookAgain {
                    continue;
                }
            }
            match plan.carry_out(twilio, place).await? {
                moved @ (Moved::There(..) | Moved::Already(..)) => {
                    return self.record(tender, link, task, moved, way, &noted).await;
                }
                Moved::LookAgain => {}
                Moved::Gone => return Err(NotMoved::Gone),
                Moved::Refused(refusal) => {
                    self.take_back(tender, link, task).await?;
                    return Err(refusal.into());
                }
            }
        }
        Err(NotMoved::Changing)
    }

    /// Records the wish before it is fulfilled: see `domain::channel`.
    async fn announce(
        &self,
        tender: &Tender<'_>,
        link: Link,
        plan: &Plan,
        task: TaskSid,
        wish: ManualRequest,
        noted: &mut Noted,
    ) -> Result<Announced, NotMoved> {
        let now = tender.watch.now();
        let stored = self.settings().table.get(link.channel).await?;
        let known = stored.map_or_else(
            || Channel::new(link.channel, link.platform),
            |stored| stored.channel,
        );
        if wish == ManualRequest::Park && link.platform == Platform::Chat && !known.is_heard() {
            // Found out before anything is recorded: whoever asks may have other settings than
            // the function, and would make the channel deaf for it too.
            if tender.ear().is_none() {
                return Err(NotMoved::Earless);
            }
            if tender.listen(&known).await? != Came::Listening {
                return Err(NotMoved::Deaf);
            }
        }
        let parking = known.parking(task);
        let parking = parking.is_some_and(domain::TaskParking::is_being_parked);
        let facts = plan.version().seen.facts_about(link, now);
        tender
            .note(&known, |channel| {
                facts.iter().for_each(|fact| channel.absorb(fact));
                channel.note_manual_request(task, wish, now);
                if wish == ManualRequest::Park {
                    channel.note_parking(task, now);
                }
            })
            .await?;
        noted.done = true;
        noted.announced = Some(now);
        if wish == ManualRequest::Resume && parking {
            noted.writing = Writing::Always;
            return Ok(Announced::LookAgain);
        }
        Ok(Announced::Plainly)
    }

    async fn record(
        &self,
        tender: &Tender<'_>,
        link: Option<Link>,
        task: TaskSid,
        moved: Moved,
        way: Way,
        noted: &Noted,
    ) -> Result<ByHand, NotMoved> {
        let (stand, changed, came) = match moved {
            Moved::There(stand, changed) => (stand, changed, ByHand::Moved),
            Moved::Already(stand, changed) => (stand, changed, ByHand::Already),
            Moved::LookAgain | Moved::Gone | Moved::Refused(_) => return Err(NotMoved::Changing),
        };
        let Some(link) = link else { return Ok(came) };
        let known = Channel::new(link.channel, link.platform);
        let at = moved_at(tender.watch.now(), changed);
        tender
            .note(&known, |channel| match (way, noted.announced) {
                (Way::There, Some(announced)) => channel.note_parked(task, announced, at, stand),
                (Way::There, None) | (Way::Back, _) => channel.note_placement(task, at, stand),
            })
            .await?;
        if way == Way::Back && came == ByHand::Moved {
            tender.is_over_capacity(link.channel).await;
        }
        tracing::info!(channel = %link.channel, %task, ?way, ?came, "moved by hand");
        Ok(came)
    }

    /// Nothing came of the wish.
    async fn take_back(
        &self,
        tender: &Tender<'_>,
        link: Option<Link>,
        task: TaskSid,
    ) -> Result<(), NotMoved> {
        let Some(link) = link else { return Ok(()) };
        let now = tender.watch.now();
        let known = Channel::new(link.channel, link.platform);
        tender
            .note(&known, |channel| channel.note_not_parked(task, now))
            .await?;
        Ok(())
    }
}

/// What was recorded of the wish so far.
struct Noted {
    done: bool,
    announced: Option<Timestamp>,
    writing: Writing,
}

impl Default for Noted {
    fn default() -> Self {
        Self {
            done: false,
            announced: None,
            writing: Writing::IfNeeded,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Announced {
    Plainly,
    LookAgain,
}

/// What Twilio said instead of an answer.
pub(crate) fn not_asked(error: TwilioError) -> NotMoved {
    match error {
        TwilioError::Gone => NotMoved::Gone,
        error @ TwilioError::Unauthorized { .. } => NotMoved::Park(ParkError::Unauthorized(error)),
        TwilioError::Throttled { .. } | TwilioError::Unreachable { .. } => NotMoved::Busy,
        error @ (TwilioError::Refused { .. } | TwilioError::Conflict) => {
            NotMoved::Unfit(error.to_string())
        }
    }
}
