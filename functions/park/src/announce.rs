//! The announcement of a move, which the record gets before the task is written. The reasons are
//! told in `domain::channel`, in the file `parking`.

use domain::{ManualRequest, TaskSid};
use store::{Saved, Versioned};
use twilio::events::About;
use twilio::rest::TaskVersion;

use crate::moves::{Announced, Announcement, Intent, MoveResult, Stop};
use crate::plan::{Direction, Refusal};
use crate::summary::ChannelResult;
use crate::worker::ChannelWorker;

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
