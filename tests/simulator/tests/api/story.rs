use crate::client::Client;
use simulator::{Contact, Lifespan, Medium, Sid, Simulator, State, Transfer};

const CUSTOMER: &str = "+15550100123";

/// Starts a chat that an agent works on.
fn chat(client: &Client, state: &mut State, lifespan: Lifespan) -> (Sid, Sid) {
    state.set_lifespan(Medium::Sms, lifespan);
    let contact = state.customer_writes(CUSTOMER, "Hi");
    assert!(matches!(contact, Contact::Started { .. }), "{contact:?}");
    let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
    state
        .agent_accepts(contact.task().unwrap(), worker)
        .unwrap();
    (contact.channel().unwrap(), contact.task().unwrap())
}

#[test]
fn a_chat_that_its_agent_ends_properly_leaves_nothing_open() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let (channel, task) = chat(&client, &mut state, Lifespan::OneTask);
    assert_eq!(
        state.customer_writes(CUSTOMER, "Still there?"),
        Contact::Delivered { channel, task }
    );
    state.agent_writes(task, "Yes").unwrap();
    state.agent_wraps_up(task).unwrap();
    state.agent_completes(task).unwrap();
    assert!(state.channel(channel).unwrap().is_inactive());
    assert_eq!(state.sessions().count(), 0);
    let next = state.customer_writes(CUSTOMER, "Hello again");
    assert!(
        matches!(next, Contact::Started { channel: new, .. } if new != channel),
        "{next:?}"
    );
    assert_eq!(state.lost_messages().count(), 0);
}

#[test]
fn a_chat_whose_tab_was_closed_swallows_messages() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let (channel, task) = chat(&client, &mut state, Lifespan::OneTask);
    state.task_completed_by_nobody(task).unwrap();
    assert_eq!(
        state.channel(channel).unwrap().status().as_deref(),
        Some("ACTIVE")
    );
    assert_eq!(
        state.customer_writes(CUSTOMER, "Anybody?"),
        Contact::Lost { channel }
    );
    assert_eq!(
        state.customer_writes(CUSTOMER, "Hello?"),
        Contact::Lost { channel }
    );
    assert!(state.lost_messages().all(|lost| lost.channel == channel));
    assert_eq!(state.lost_messages().count(), 2);
    assert_eq!(state.channel(channel).unwrap().messages.len(), 3);
}

#[test]
fn a_deleted_or_canceled_task_swallows_messages_too() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let first = state.customer_writes("+15550100001", "Hi");
    let second = state.customer_writes("whatsapp:+15550100002", "Hi");
    state
        .task_deleted_through_api(first.task().unwrap())
        .unwrap();
    state
        .task_canceled_by_supervisor(second.task().unwrap())
        .unwrap();
    assert!(matches!(
        state.customer_writes("+15550100001", "?"),
        Contact::Lost { .. }
    ));
    assert!(matches!(
        state.customer_writes("whatsapp:+15550100002", "?"),
        Contact::Lost { .. }
    ));
}

#[test]
fn a_long_lived_chat_that_was_released_reopens() {
    let client = Client::new();
    let mut state = client.simulator.state();
    let (channel, task) = chat(&client, &mut state, Lifespan::LongLived);
    let before = state.channel(channel).unwrap().attributes.clone();
    state.agent_completes(task).unwrap();
    assert!(state.channel(channel).unwrap().is_inactive());
    let again = state.customer_writes(CUSTOMER, "One more thing");
    assert!(
        matches!(again, Contact::Reopened { channel: same, task: new } if same == channel && new != task),
        "{again:?}"
    );
    assert_eq!(
        state.channel(channel).unwrap().attributes,
        before,
        "Flex changes the status and no other byte"
    );
}

#[test]
fn an_inactive_channel_whose_session_stayed_swallows_messages() {
    let client = Client::new();
    let mut state = client.simulator.state();
    state.knobs.flex_deaf = true;
    let (channel, task) = chat(&client, &mut state, Lifespan::OneTask);
    state.agent_completes(task).unwrap();
    assert_eq!(
        state.customer_writes(CUSTOMER, "?"),
        Contact::Lost { channel }
    );
}

#[test]
fn a_transfer_keeps_the_channel_with_the_second_task() {
    for transfer in [Transfer::KeepsChannel, Transfer::LosesChannel] {
        let client = Client::new();
        let mut state = client.simulator.state();
        let (channel, first) = chat(&client, &mut state, Lifespan::OneTask);
        state.take_events();
        let second = state.agent_transfers(first, transfer).unwrap();
        assert_eq!(
            state.customer_writes(CUSTOMER, "Hi Bob"),
            Contact::Delivered {
                channel,
                task: second
            }
        );
        let events = state.take_events();
        let completed = events
            .iter()
            .find(|event| event["type"] == "com.twilio.taskrouter.task.completed")
            .unwrap();
        let attributes = completed["data"]["payload"]["task_attributes"]
            .as_str()
            .unwrap();
        assert_eq!(
            attributes.contains("channelSid"),
            transfer == Transfer::KeepsChannel
        );
        assert_eq!(completed["data"]["payload"]["task_sid"], first.as_str());
    }
}

#[test]
fn an_acceptance_tells_who_the_agent_is() {
    let client = Client::new();
    let mut state = client.simulator.state();
    chat(&client, &mut state, Lifespan::OneTask);
    let events = state.take_events();
    let accepted = events
        .iter()
        .find(|event| event["type"] == "com.twilio.taskrouter.reservation.accepted")
        .unwrap();
    let payload = &accepted["data"]["payload"];
    assert_eq!(payload["worker_name"], "alice");
    assert!(payload["worker_sid"].as_str().unwrap().starts_with("WK"));
    assert!(
        payload["worker_attributes"]
            .as_str()
            .unwrap()
            .contains("\"client:alice\"")
    );
    assert!(
        payload["reservation_sid"]
            .as_str()
            .unwrap()
            .starts_with("WR")
    );
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let story = |seed| {
        let (simulator, _) = Simulator::with_flex(seed).unwrap();
        let mut state = simulator.state();
        for customer in 0..20 {
            state.customer_writes(&format!("+1555010{customer:04}"), "Hi");
        }
        let attributes: Vec<String> = state
            .channels()
            .map(|channel| channel.attributes.clone())
            .collect();
        (attributes, state.take_events())
    };
    assert_eq!(story(1), story(1));
    assert_ne!(story(1), story(2));
    let (attributes, _) = story(1);
    let status_first = |text: &&String| text.find("\"status\"") < text.find("\"from\"");
    let ahead = attributes.iter().filter(status_first).count();
    assert!((1..20).contains(&ahead), "the order of keys differs");
    assert!(
        attributes.iter().any(|text| text.contains("1e400")),
        "some attributes are hostile"
    );
    assert!(
        attributes.iter().any(|text| text.contains("\n\t")),
        "some are oddly spaced"
    );
}
