//! Interactions of Flex Conversations: the channel through which work comes to agents.
//!
//! Twilio lists no interactions, so their SIDs are known from task attributes or not at all,
//! and it forgets a channel of theirs 180 days after its last change (Twilio, "Park an
//! interaction"). Tasks of an interaction are ended through its channel and never through
//! TaskRouter (Twilio, Flex Conversations, "Best practices").

use domain::{Interaction, InteractionChannelSid, InteractionSid, InteractionStatus};

use super::base::Product;
use super::client::{Call, Client};
use super::error::TwilioError;
use crate::json;

/// What becomes of the tasks of a channel that is closed: they are completed. Without it they
/// would be left in wrap-up, where no agent finishes them (Twilio, OpenAPI of Flex).
const COMPLETE_TASKS: &str = r#"{"status":"closed"}"#;

impl Client {
    /// Reads the status of an interaction channel; [`InteractionStatus::Gone`] where Twilio
    /// does not know it any more.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses or does not answer.
    pub async fn interaction_channel(
        &self,
        interaction: Interaction,
    ) -> Result<InteractionStatus, TwilioError> {
        let call = Call::get(Product::Flex, path_of(interaction));
        match self.ask(call, |text| read_channel(text, interaction)).await {
            Err(TwilioError::Gone) => Ok(InteractionStatus::Gone),
            status => status,
        }
    }

    /// Closes an interaction channel with all its tasks, for good. What is returned is the
    /// status that Twilio says it has now. It is tried once: read the channel again before
    /// the next try.
    pub async fn close_interaction_channel(
        &self,
        interaction: Interaction,
    ) -> Result<InteractionStatus, TwilioError> {
        let form = [("Status", "closed"), ("Routing", COMPLETE_TASKS)];
        let call = Call::post(Product::Flex, path_of(interaction), &form).once();
        self.ask(call, |text| read_channel(text, interaction)).await
    }
}

fn path_of(Interaction { sid, channel }: Interaction) -> String {
    format!("/v1/Interactions/{sid}/Channels/{channel}")
}

/// Reads the status of this very channel.
fn read_channel(text: &str, asked_for: Interaction) -> Option<InteractionStatus> {
    let names = ["sid", "interaction_sid", "status"];
    let [sid, interaction, status] = json::members(text, names).ok()?;
    let sid: InteractionChannelSid = json::parsed(sid)?;
    if let Some(interaction) = interaction
        && json::parsed::<InteractionSid>(Some(interaction))? != asked_for.sid
    {
        return None;
    }
    let status = match json::text(status?)?.as_ref() {
        "setup" => InteractionStatus::Setup,
        "active" => InteractionStatus::Active,
        "transfer" => InteractionStatus::Transfer,
        "inactive" => InteractionStatus::Inactive,
        "pause" => InteractionStatus::Pause,
        "closed" => InteractionStatus::Closed,
        "failed" => InteractionStatus::Failed,
        _ => InteractionStatus::Undocumented,
    };
    (sid == asked_for.channel).then_some(status)
}
