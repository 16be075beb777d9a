//! Stories of tasks that stay in wrap-up, and of ending one by hand.

use simulator::state::interactions::interaction::Routing;
use simulator::state::taskrouter::task::{Expect, TaskChange};
use simulator::{ConversationState, Sid, TaskStatus};
use sweep::WrapUp;
use world::{Chat, World};

fn status_of(world: &World, task: Sid) -> TaskStatus {
    world.twilio.state().task(task).unwrap().status
}

/// Looks at a task, which writes nothing, and then asks for its completion, which agrees.
async fn complete(world: &World, task: Sid) -> WrapUp {
    let sid = task.as_str().parse().unwrap();
    let (sweep, before) = (world.sweeper(), status_of(world, task));
    world.twilio.reset_calls();
    let seen = sweep.wrap_up(sid, world.now()).await.unwrap();
    assert_eq!(world.twilio.calls().writes(), 0);
    assert_eq!(status_of(world, task), before);
    let done = sweep.complete(sid, world.now()).await.unwrap();
    assert_eq!(seen, done);
    done
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_chat_stuck_in_wrap_up_is_completed_manually_and_no_other() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550100123");
    assert_eq!(complete(&world, chat.task).await, WrapUp::NotWrapping);
    world.agent_accepts(chat);
    assert_eq!(complete(&world, chat.task).await, WrapUp::NotWrapping);
    assert_eq!(status_of(&world, chat.task), TaskStatus::Assigned);

    world.twilio.state().agent_wraps_up(chat.task).unwrap();
    assert_eq!(complete(&world, chat.task).await, WrapUp::Task);
    assert_eq!(status_of(&world, chat.task), TaskStatus::Completed);
    // What has ended is not ended again.
    assert_eq!(complete(&world, chat.task).await, WrapUp::NotWrapping);

    let unknown = format!("WT{}", "0".repeat(31) + "9").parse().unwrap();
    let unknown = world.sweeper().complete(unknown, world.now()).await;
    assert_eq!(unknown.unwrap(), WrapUp::Unknown);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn one_task_of_a_conversation_is_completed_and_its_other_agent_goes_on() {
    let world = World::new().await;
    let first = world.customer_converses("+15550100123");
    world.agent_accepts(first);
    let second = invite(&world, first.task);
    world.twilio.state().agent_wraps_up(first.task).unwrap();

    let done = complete(&world, first.task).await;
    assert!(matches!(done, WrapUp::Participant(_)), "{done:?}");
    assert_eq!(status_of(&world, first.task), TaskStatus::Completed);
    assert_eq!(status_of(&world, second), TaskStatus::Assigned);
    let state = world.twilio.state();
    let conversation = state.conversation(first.channel).unwrap();
    assert_eq!(conversation.state, ConversationState::Active);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_task_whose_way_is_not_known_is_left_in_wrap_up() {
    let world = World::new().await;
    let of_nothing = world.customer_writes("+15550100123");
    let of_no_agent = world.customer_converses("+15550100124");
    let no_interaction = world.customer_converses("+15550100125");
    let name = |chat: Chat, attributes: String| {
        world.agent_accepts(chat);
        let change = TaskChange {
            attributes: Some(attributes),
            ..TaskChange::default()
        };
        let mut state = world.twilio.state();
        state.update_task(chat.task, Expect::Any, change).unwrap();
        state.agent_wraps_up(chat.task).unwrap();
    };
    name(of_nothing, "{}".to_owned());
    name(
        no_interaction,
        format!(r#"{{"conversationSid":"{}"}}"#, no_interaction.channel),
    );
    // The attributes name an interaction in which another agent has another task.
    let others = {
        let state = world.twilio.state();
        state.task(of_no_agent.task).unwrap().attributes.to_string()
    };
    let stranger = world.customer_converses("+15550100126");
    world.agent_accepts(of_no_agent);
    name(stranger, others);
    for task in [of_nothing.task, no_interaction.task, stranger.task] {
        assert_eq!(complete(&world, task).await, WrapUp::Unclear);
        assert_eq!(status_of(&world, task), TaskStatus::Wrapping);
    }
    assert_eq!(status_of(&world, of_no_agent.task), TaskStatus::Assigned);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_task_that_no_participant_names_is_left_in_wrap_up() {
    let world = World::new().await;
    world.twilio.state().knobs.participants_name_tasks = false;
    let chat = world.customer_converses("+15550100123");
    world.agent_accepts(chat);
    world.twilio.state().agent_wraps_up(chat.task).unwrap();
    assert_eq!(complete(&world, chat.task).await, WrapUp::Unclear);
    assert_eq!(status_of(&world, chat.task), TaskStatus::Wrapping);
}

/// Invites a second agent, who accepts, and returns that agent's task.
fn invite(world: &World, task: Sid) -> Sid {
    let mut state = world.twilio.state();
    let workspace = world.project.workspace;
    let colleague = state
        .hire_agent(workspace, "agent.jones@example.com")
        .unwrap();
    let stored = state.task(task).unwrap();
    let routing = Routing {
        workspace,
        workflow: stored.workflow,
        queue: stored.queue,
        worker: None,
        task_channel: None,
        attributes: None,
    };
    let channel = state.interaction_channel_of(task).unwrap().sid;
    let before: Vec<Sid> = state.tasks().map(|task| task.sid).collect();
    state.invite(channel, routing).unwrap();
    let second = state.tasks().map(|task| task.sid);
    let second = second
        .into_iter()
        .find(|sid| !before.contains(sid))
        .unwrap();
    state.agent_accepts(second, colleague).unwrap();
    second
}
