//! The announcement of a move, which the record gets before the task is written. The reasons are
//! told in `domain::channel`, in the file `parking`.

use domain::{Channel, ChannelSid, ManualRequest, Platform, TaskParking, TaskSid};
use store::{Saved, Versioned};
use twilio::events::About;
use twilio::rest::TaskVersion;

use crate::plan::{Direction, Refusal};
use crate::summary::ChannelResult;
use crate::worker::{ChannelWorker, Intent, MoveResult, Stop};

/// The end of an announcement.
pub(crate) enum Announced {
    /// The record says so now.
    To(Announcement),
    /// Others wrote the record meanwhile.
    Conflict,
    /// The task is not to be moved.
    Impossible(MoveResult),
}

/// The record that a move was announced in.
pub(crate) struct Announcement {
    pub(crate) channel: ChannelSid,
    pub(crate) platform: Platform,
    /// The task's parking as the record knew it.
    pub(crate) parking: TaskParking,
}

impl Announcement {
    fn of(channel: &Channel, task: TaskSid) -> Self {
        Self {
            channel: channel.sid(),
            platform: channel.platform(),
            parking: channel.parking(task).copied().unwrap_or_default(),
        }
    }

    /// Returns the number of a version. Where Twilio's name for it is no number, it counts as
    /// the one that is known, so that what is found last counts.
    pub(crate) fn number(&self, version: &TaskVersion) -> u32 {
        let known = || self.parking.version().unwrap_or_default();
        version.number.unwrap_or_else(known)
    }
}

impl ChannelWorker<'_> {
    /// Records that a task is about to be moved, before it is.
    pub(crate) async fn announce(
        &self,
        task: TaskSid,
        version: &TaskVersion,
        intent: Intent<'_>,
    ) -> Result<Announced, Stop> {
        match intent {
            Intent::Record(before, Direction::Resume) => {
                Ok(Announced::To(Announcement::of(&before.channel, task)))
            }
            Intent::Record(before, Direction::Park) => {
                let announcement = Announcement::of(&before.channel, task);
                let mut after = before.channel.clone();
                after.announce_parking(task, announcement.number(version));
                // Whatever was told since the record was read makes this fail, a customer's
                // message before all.
                Ok(match self.settings.table.save(before, after, None).await? {
                    Saved::Written | Saved::Unchanged => Announced::To(announcement),
                    Saved::Conflict(_) => Announced::Conflict,
                })
            }
            Intent::Manual(request) => self.announce_manual(task, version, request).await,
        }
    }

    async fn announce_manual(
        &self,
        task: TaskSid,
        version: &TaskVersion,
        request: ManualRequest,
    ) -> Result<Announced, Stop> {
        let link = match version.seen.about {
            About::Channel(link) => link,
            About::NotTold | About::NoChannel(_) => {
                let refused = MoveResult::Refused(Refusal::NoChannel);
                return Ok(Announced::Impossible(refused));
            }
        };
        let stored = self.settings.table.get(link.channel).await?;
        let mut before = stored.unwrap_or_else(|| Versioned::absent(link.channel, link.platform));
        if request == ManualRequest::Park && !before.channel.hears_messages(task) {
            // Found out before anything is recorded: a command may have other settings than the
            // function, and would keep it from parking the chat too.
            if self.message_webhook().is_none() {
                return Ok(Announced::Impossible(MoveResult::NoWebhookUrl));
            }
            let result = self.install_webhook(&before.channel, task).await?;
            if result != ChannelResult::Installed {
                return Ok(Announced::Impossible(MoveResult::NoWebhook(result)));
            }
            let stored = self.settings.table.get(link.channel).await?;
            before = stored.unwrap_or(before);
        }
        let mut after = before.channel.clone();
        let pairs = &self.settings.pairs;
        for fact in version.seen.facts_about(link, pairs, self.watch.now()) {
            after.absorb(&fact);
        }
        after.note_manual_request(task, request, self.watch.started());
        let announcement = Announcement::of(&after, task);
        if request == ManualRequest::Park {
            after.announce_parking(task, announcement.number(version));
        }
        Ok(
            match self.settings.table.save(&before, after, None).await? {
                Saved::Written | Saved::Unchanged => Announced::To(announcement),
                Saved::Conflict(_) => Announced::Conflict,
            },
        )
    }
}
