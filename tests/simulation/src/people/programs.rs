//! Other people's programs in a channel: surveys, and webhooks that come and go.

use simulator::state::webhooks::WebhookTarget;
use simulator::{Sid, State};
use world::WEBHOOK;

use crate::functions::Deployment;
use crate::oracle::WORDS;
use crate::people::People;

/// Where a survey listens.
const SURVEY: &str = "https://survey.example.com/answer";

/// Where other software listens.
const ELSEWHERE: &str = "https://crm.example.com/messages";

impl People {
    /// A survey takes over a Chat channel whose task has ended, or is done with one.
    pub(super) fn survey(&mut self, deployment: &Deployment) {
        let Some(channel) = self.some_channel(deployment) else {
            return;
        };
        let mut state = deployment.shared.twilio.state();
        let (deed, result) = match webhook_at(&state, channel, SURVEY) {
            Some(webhook) => ("leaves", state.program_leaves(channel, webhook)),
            None if state.open_tasks_on(channel).next().is_some() => return,
            None => {
                let joined = state.program_joins(channel, SURVEY);
                let asked = joined.and_then(|_| state.program_writes(channel, "Bot", WORDS));
                ("takes over", asked.map(drop))
            }
        };
        drop(state);
        let mut inner = deployment.shared.lock();
        inner.totals.count("acts of surveys");
        inner.trace(deployment.shared.now(), || {
            format!("a survey {deed} {channel}: {result:?}")
        });
    }

    /// Other software takes our webhook from a channel, or adds one of its own.
    pub(super) fn others_change_webhooks(&mut self, deployment: &Deployment, channel: Sid) {
        let takes = self.rng.bool();
        let kind = ["trigger", "webhook"][self.rng.usize(..2)];
        let mut state = deployment.shared.twilio.state();
        let result = match webhook_at(&state, channel, WEBHOOK) {
            Some(ours) if takes => state.remove_channel_webhook(channel, ours),
            Some(_) | None => {
                let target = WebhookTarget {
                    url: Some(ELSEWHERE.to_owned()),
                    ..WebhookTarget::default()
                };
                state.add_channel_webhook(channel, kind, target).map(drop)
            }
        };
        drop(state);
        let mut inner = deployment.shared.lock();
        inner.totals.count("webhooks changed by others");
        inner.trace(deployment.shared.now(), || {
            format!("other software changes the webhooks of {channel}: {result:?}")
        });
    }
}

fn webhook_at(state: &State, channel: Sid, url: &str) -> Option<Sid> {
    let mut webhooks = state.webhooks_of(channel)?.iter();
    let found = webhooks.find(|webhook| webhook.target.url.as_deref() == Some(url));
    found.map(|webhook| webhook.sid)
}
