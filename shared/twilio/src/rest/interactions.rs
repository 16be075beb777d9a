//! Interactions of Flex Conversations: the channel through which work comes to agents.
//!
//! Twilio lists no interactions, so their SIDs are known from task attributes or not at all,
//! and it forgets a channel of theirs 180 days after its last change (Twilio, "Park an
//! interaction"). Tasks of an interaction are ended through its channel and never through
//! TaskRouter (Twilio, Flex Conversations, "Best practices").

use domain::{
    Interaction, InteractionChannelSid, InteractionParticipantSid, InteractionSid,
    InteractionStatus, TaskSid,
};

use super::client::Client;
use super::client::base::Product;
use super::client::call::Call;
use super::client::error::TwilioError;
use super::client::page::List;
use crate::json;

/// The end of the tasks of a channel that is closed: they are completed. Without it they
/// would be left in wrap-up, where no agent finishes them (Twilio, OpenAPI of Flex).
const COMPLETE_TASKS: &str = r#"{"status":"closed"}"#;

/// The page of participants that is asked for; Twilio allows more (Twilio, OpenAPI of Flex).
const PARTICIPANTS: &str = "PageSize=100";

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
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used. It
    /// is not known then whether the interaction channel was closed.
    pub async fn close_interaction_channel(
        &self,
        interaction: Interaction,
    ) -> Result<InteractionStatus, TwilioError> {
        let form = [("Status", "closed"), ("Routing", COMPLETE_TASKS)];
        let call = Call::post(Product::Flex, path_of(interaction), &form).once();
        self.ask(call, |text| read_channel(text, interaction)).await
    }

    /// Finds the agents of an interaction channel whose task this is.
    ///
    /// # Errors
    ///
    /// Fails if the participants cannot be read as a whole.
    pub async fn agents_with_task(
        &self,
        interaction: Interaction,
        task: TaskSid,
    ) -> Result<Vec<InteractionParticipantSid>, TwilioError> {
        let list = List {
            product: Product::Flex,
            path: format!("{}/Participants", path_of(interaction)),
            query: PARTICIPANTS.to_owned(),
        };
        let participants = self
            .complete(list, "participants", read_participant)
            .await?;
        Ok(participants
            .into_iter()
            .filter(|(_, agents_task)| *agents_task == Some(task))
            .map(|(participant, _)| participant)
            .collect())
    }

    /// Ends the part of one agent, and with it that agent's task. The interaction channel and
    /// the other tasks go on. It is tried once.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses or does not answer.
    pub async fn close_participant(
        &self,
        interaction: Interaction,
        participant: InteractionParticipantSid,
    ) -> Result<(), TwilioError> {
        let path = format!("{}/Participants/{participant}", path_of(interaction));
        let call = Call::post(Product::Flex, path, &[("Status", "closed")]).once();
        self.tell(call).await
    }
}

/// Reads a participant and, of an agent, the task that brought that agent.
fn read_participant(text: &str) -> Option<(InteractionParticipantSid, Option<TaskSid>)> {
    let [sid, kind, routing] = json::members(text, ["sid", "type", "routing_properties"]).ok()?;
    let sid: InteractionParticipantSid = json::parsed(sid)?;
    if json::text(kind?)? != "agent" {
        return Some((sid, None));
    }
    let task = routing.and_then(|routing| {
        let routing = json::object_text(routing)?;
        let [task] = json::members(&routing, ["task_sid"]).ok()?;
        json::parsed(task)
    });
    Some((sid, task))
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
