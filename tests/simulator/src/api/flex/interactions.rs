//! `flex-api.twilio.com/v1/Interactions`.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::{Call, Params};
use crate::api::flex::interaction_forms::routing;
use crate::api::page::place;
use crate::state::interactions::interaction::{Ending, InteractionChannel, Invite, Party};
use crate::state::sid::Sid;
use crate::state::taskrouter::task::Task;
use serde_json::{Value, json};

/// The largest page: twilio_flex_v1.json.
const MAX_PAGE: usize = 1_000;

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    let [interaction, "Channels", channel, rest @ ..] = path else {
        return Err(call.no_route());
    };
    let (interaction, channel) = (call.sid(interaction)?, call.sid(channel)?);
    let stored = call.state.interaction_channel(channel);
    if stored.is_none_or(|stored| stored.interaction != interaction) {
        return Err(call.no_route());
    }
    of_channel(call, method, channel, rest)
}

fn of_channel(call: &mut Call<'_>, method: &str, channel: Sid, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => {
            call.bare()?;
            show_channel(call, channel)
        }
        ("POST", []) => update_channel(call, channel),
        ("GET", ["Participants"]) => {
            let (_, paging) = call.list(&[], MAX_PAGE)?;
            let stored = call.state.interaction_channel_or_refuse(channel)?;
            let entries = stored
                .parties
                .iter()
                .zip(1..)
                .filter(|(_, at)| *at > paging.after());
            call.page(
                "participants",
                &paging,
                entries.map(|(party, at)| (place(at), party_json(call, stored, party))),
            )
        }
        ("POST", ["Participants", party]) => {
            let party = call.sid(party)?;
            let ending = status(
                &call.form(&["Status"])?,
                &[("closed", Ending::Complete), ("wrapup", Ending::WrapUp)],
            )?;
            let party = call.state.dismiss_party(channel, party, ending)?;
            let stored = call.state.interaction_channel_or_refuse(channel)?;
            Ok(Answer::ok(party_json(call, stored, &party)))
        }
        ("POST", ["Invites"]) => {
            let form = call.form(&["Routing"])?;
            form.need("Routing")?;
            let routing = routing(call, &form)?.ok_or_else(|| call.no_route())?;
            let invite = call.state.invite(channel, routing)?;
            let stored = call.state.interaction_channel_or_refuse(channel)?;
            let found = stored.invites.iter().find(|one| one.sid == invite);
            found
                .map(|invite| Answer::ok(invite_json(call, stored, invite)))
                .ok_or_else(|| call.no_route())
        }
        _ => Err(call.no_route()),
    }
}

#[derive(Clone, Copy)]
enum Wanted {
    Closed,
    Inactive,
}

fn update_channel(call: &mut Call<'_>, channel: Sid) -> Outcome {
    let form = call.form(&["Status", "Routing"])?;
    let wanted = status(
        &form,
        &[("closed", Wanted::Closed), ("inactive", Wanted::Inactive)],
    )?;
    let closes = |text: &str| {
        serde_json::from_str::<Value>(text)
            .ok()
            .filter(|routing| routing["status"] == "closed")
    };
    let routing = form.parsed("Routing", "{\"status\":\"closed\"}", closes)?;
    match (wanted, routing) {
        (Wanted::Inactive, None) => {
            return Err(Failure::invalid(
                "Routing is required when Status is inactive",
            ));
        }
        (Wanted::Inactive, Some(_)) => call.state.leave_interaction_channel(channel)?,
        (Wanted::Closed, None) => call
            .state
            .close_interaction_channel(channel, Ending::WrapUp)?,
        (Wanted::Closed, Some(_)) => call
            .state
            .close_interaction_channel(channel, Ending::Complete)?,
    }
    show_channel(call, channel)
}

fn status<T: Copy>(form: &Params, known: &[(&str, T)]) -> Result<T, Failure> {
    let word = form.need("Status")?;
    let found = known
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, meaning)| *meaning);
    found.ok_or_else(|| Failure::invalid(format!("Status cannot be {word:?}")))
}

fn show_channel(call: &Call<'_>, channel: Sid) -> Outcome {
    Ok(Answer::ok(channel_json(
        call,
        call.state.interaction_channel_or_refuse(channel)?,
    )))
}

fn channel_json(call: &Call<'_>, channel: &InteractionChannel) -> Value {
    let url = call.url(format_args!(
        "flex-api/v1/Interactions/{}/Channels/{}",
        channel.interaction, channel.sid
    ));
    json!({
        "sid": channel.sid,
        "interaction_sid": channel.interaction,
        "type": channel.medium,
        "status": channel.status.as_str(),
        "error_code": null,
        "error_message": null,
        "links": {
            "participants": format!("{url}/Participants"),
            "invites": format!("{url}/Invites"),
            "transfers": format!("{url}/Transfers"),
        },
        "url": url,
    })
}

fn routing_json(call: &Call<'_>, invite: &Invite) -> Value {
    let router = &call.state.router;
    let task = |task: &Task| {
        json!({
            "sid": task.sid,
            "account_sid": call.state.account.sid,
            "workspace_sid": task.workspace,
            "workflow_sid": task.workflow,
            "queue_sid": task.queue,
            "task_channel_sid": task.task_channel,
            "task_channel_unique_name": router.channels.get(task.task_channel).map(|channel| &channel.unique_name),
            "assignment_status": task.status.as_str(),
            "attributes": &*task.attributes,
            "priority": task.priority,
            "timeout": task.timeout,
            "routing_target": task.routing_target.as_deref(),
            "date_created": task.created.as_second(),
            "date_updated": task.updated.as_second(),
        })
    };
    json!({ "reservation": null, "properties": call.state.task(invite.task).map(task) })
}

fn invite_json(call: &Call<'_>, channel: &InteractionChannel, invite: &Invite) -> Value {
    let url = call.url(format_args!(
        "flex-api/v1/Interactions/{}/Channels/{}",
        channel.interaction, channel.sid
    ));
    json!({
        "sid": invite.sid,
        "interaction_sid": channel.interaction,
        "channel_sid": channel.sid,
        "routing": routing_json(call, invite),
        "url": format!("{url}/Invites/{}", invite.sid),
    })
}

fn party_json(call: &Call<'_>, channel: &InteractionChannel, party: &Party) -> Value {
    let url = call.url(format_args!(
        "flex-api/v1/Interactions/{}/Channels/{}",
        channel.interaction, channel.sid
    ));
    let is_told = call.state.knobs.participants_name_tasks;
    let task = party.task.filter(|_| is_told);
    let routing = task.map(|task| json!({ "task_sid": task, "worker_sid": party.worker, "reservation_sid": party.reservation }));
    json!({
        "sid": party.sid,
        "type": party.kind.as_str(),
        "interaction_sid": channel.interaction,
        "channel_sid": channel.sid,
        "routing_properties": routing,
        "url": format!("{url}/Participants/{}", party.sid),
    })
}
