//! Each answer to each probe, by an account that gives it, and what the functions then do.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod long;
mod setup;

use std::time::Duration;

use futures::FutureExt;
use probes::Answer;
use simulator::state::conversations::conversation::NewParticipant;
use simulator::{At, Fault, FaultKind};
use world::{WORDS, World};

use setup::{CUSTOMERS, DAY, HOUR, MINUTE, a_month, answer, ask, ask_until, expect_safety};

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    AsExpected,
    Differs,
    NotAsked,
}

use Form::{AsExpected, Differs, NotAsked};

fn form(answer: &Answer) -> Form {
    match answer {
        Answer::AsExpected { .. } => AsExpected,
        Answer::Differs { .. } => Differs,
        Answer::NotAsked { .. } => NotAsked,
    }
}

/// An account that gives an answer other than the expected one.
struct Case {
    probe: &'static str,
    /// Sets up the account before anything happens.
    from_the_start: fn(&World),
    /// Changes the account before the probes are asked.
    at_the_end: fn(&World),
}

fn nothing(_: &World) {}

fn refuse(world: &World, product: &str, path: &str, status: u16) {
    world.twilio.fail(Fault {
        at: At::product(product).method("GET").path(path),
        kind: FaultKind::Status(status),
        times: None,
    });
}

const fn knob(probe: &'static str, from_the_start: fn(&World)) -> Case {
    Case {
        probe,
        from_the_start,
        at_the_end: nothing,
    }
}

const fn late(probe: &'static str, at_the_end: fn(&World)) -> Case {
    Case {
        probe,
        from_the_start: nothing,
        at_the_end,
    }
}

const CASES: &[Case] = &[
    late("readable/flex", |world| {
        refuse(world, "flex-api", "/Configuration", 403);
    }),
    late("readable/taskrouter", |world| {
        refuse(world, "taskrouter", "/Tasks", 403);
    }),
    late("readable/taskrouter-log", |world| {
        refuse(world, "taskrouter", "/Events", 403);
    }),
    late("readable/parking", |world| {
        refuse(world, "taskrouter", "/Workers", 403);
    }),
    late("readable/chat", |world| refuse(world, "chat", "", 404)),
    late("readable/conversations", |world| {
        refuse(world, "conversations", "/Services", 403);
    }),
    late("readable/proxy", |world| refuse(world, "proxy", "", 403)),
    late("readable/event-streams", |world| {
        refuse(world, "events", "/Sinks", 403);
    }),
    late("readable/set-up", |world| refuse(world, "studio", "", 403)),
    late("interactions/readable", |world| {
        refuse(world, "flex-api", "/Interactions", 403);
    }),
    knob("taskrouter/list-without-attributes", |world| {
        world.twilio.state().knobs.list_attributes = true;
    }),
    knob("taskrouter/in", |world| {
        world.twilio.state().knobs.evaluates_in = false;
    }),
    late("taskrouter/equals", |world| {
        world.twilio.state().knobs.evaluates = false;
    }),
    late("taskrouter/names-channel", |world| {
        let project = world.project;
        let task = simulator::state::taskrouter::task::NewTask {
            attributes: Some(r#"{"subject":"no channel"}"#.to_owned()),
            workflow: Some(project.workflow),
            queue: Some(project.queue),
            ..Default::default()
        };
        let created = world.twilio.state().create_task(project.workspace, task);
        created.unwrap();
    }),
    knob("taskrouter/forgets", |world| {
        world.twilio.state().knobs.finished_task_life = 7 * DAY;
    }),
    knob("taskrouter/assigned-for-a-day", |world| {
        world.twilio.state().knobs.assigned_life = None;
    }),
    late("proxy/named-after-channel", |world| {
        let session = simulator::state::proxy::NewSession {
            unique_name: Some("a-masked-call".to_owned()),
            ..Default::default()
        };
        let service = world.project.proxy_service;
        let opened = world.twilio.state().open_session(service, session);
        opened.unwrap();
    }),
    knob("chat/newest-first", |world| {
        world.twilio.state().knobs.orders_messages = false;
    }),
    knob("conversations/newest-first", |world| {
        world.twilio.state().knobs.orders_messages = false;
    }),
    knob("conversations/date-updated-stays", |world| {
        world.twilio.state().knobs.messages_move_date_updated = true;
    }),
    knob("channels/short-webhook-pages", |world| {
        world.twilio.state().knobs.refuses_long_pages = false;
    }),
    late("channels/studio-webhook-stays", |world| {
        let mut state = world.twilio.state();
        let conversations: Vec<_> = state.conversations().map(|one| one.sid).collect();
        for conversation in conversations {
            let webhooks = state.webhooks_of(conversation).unwrap().to_vec();
            for webhook in webhooks.iter().filter(|one| one.kind == "studio") {
                state.program_leaves(conversation, webhook.sid).unwrap();
            }
        }
    }),
    knob("interactions/pause-keeps-task", setup::pause_ends_the_task),
    knob("interactions/leave-keeps-conversation", |world| {
        world.twilio.state().knobs.leave_closes = true;
    }),
    knob("interactions/end-closes-conversation", |world| {
        world.twilio.state().knobs.interactions_close_conversations = false;
    }),
    late("participants/agents-by-e-mail", |world| {
        let workspace = world.project.workspace;
        let hired = world.twilio.state().hire_agent_as(workspace, "Jo", "jo");
        hired.unwrap();
    }),
    late("participants/web-visitors-unbound", |world| {
        let mut state = world.twilio.state();
        let web = state.conversations().find(|one| {
            let mut participants = one.participants.iter();
            participants.any(|one| one.identity.as_deref() == Some(CUSTOMERS[8]))
        });
        let web = web.unwrap().sid;
        let bound = NewParticipant {
            address: Some("+15550100099".to_owned()),
            proxy_address: Some("+15550199999".to_owned()),
            ..Default::default()
        };
        state.add_participant(web, bound).unwrap();
    }),
    late("participants/identities-are-workers", |world| {
        let mut state = world.twilio.state();
        let bound = state.conversations().find(|one| {
            let mut participants = one.participants.iter();
            participants.any(|one| one.address.as_deref() == Some(CUSTOMERS[4]))
        });
        let bound = bound.unwrap().sid;
        let program = NewParticipant {
            identity: Some("faq-program".to_owned()),
            ..Default::default()
        };
        state.add_participant(bound, program).unwrap();
    }),
];

#[tokio::test(start_paused = true)]
async fn an_account_that_is_as_we_believe_says_so_and_nothing_of_its_customers() {
    let world = World::new().await;
    let in_use = a_month(&world, nothing).await;
    world.twilio.reset_calls();
    let report = ask(&world).await;
    for asked in &report.probes {
        assert_eq!(form(&asked.answer), AsExpected, "{asked:?}");
    }
    let counts = (report.as_expected, report.differ, report.not_asked);
    assert_eq!(counts, (report.probes.len(), 0, 0));

    let calls = world.twilio.calls();
    let methods: Vec<&str> = calls.iter().map(|(_, method, _, _)| method).collect();
    assert!(methods.iter().all(|method| *method == "GET"), "{methods:?}");
    assert!(calls.total() <= 120, "{} requests", calls.total());

    let text = serde_json::to_string(&report).unwrap();
    let personal = CUSTOMERS.into_iter().chain([WORDS, "smith"]);
    for personal in personal {
        assert!(!text.contains(personal), "{personal} is in {text}");
    }
    let is_sid = |word: &str| word.len() == 34 && word[2..].bytes().all(|b| b.is_ascii_hexdigit());
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    assert_eq!(words.find(|word| is_sid(word)), None, "{text}");

    expect_safety(&world, &in_use, "as expected").await;
}

#[test]
fn every_probe_has_an_account_that_answers_otherwise() {
    // Both have tests of their own below.
    let without = ["taskrouter/endless-wrap-up", "taskrouter/log-of-30-days"];
    for probe in probes::all().map(|probe| probe.id) {
        let is_tried = CASES.iter().any(|case| case.probe == probe);
        assert!(is_tried || without.contains(&probe), "{probe}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_without_data_says_what_it_lacks() {
    let world = World::new().await;
    let report = ask(&world).await;
    for asked in &report.probes {
        let needs_no_data = [
            "taskrouter/in",
            "taskrouter/equals",
            "participants/agents-by-e-mail",
        ];
        let is_answered =
            asked.probe.starts_with("readable/") || needs_no_data.contains(&asked.probe);
        let expected = if is_answered { AsExpected } else { NotAsked };
        assert_eq!(form(&asked.answer), expected, "{asked:?}");
    }
}

/// Where wrap-ups end by themselves, no long one is ever seen. The probe cannot tell that from a team
/// that wraps up in time, so it does not answer.
#[tokio::test(start_paused = true)]
async fn wrap_ups_that_end_by_themselves_are_not_seen_and_harm_nothing() {
    let world = World::new().await;
    let in_use = a_month(&world, |world| {
        world.twilio.state().knobs.wrap_up_life = Some(6 * HOUR);
    })
    .await;
    let report = ask(&world).await;
    let answer = answer(&report, "taskrouter/endless-wrap-up");
    assert_eq!(form(&answer), NotAsked, "{answer:?}");
    expect_safety(&world, &in_use, "wrap-ups that end by themselves").await;
}

/// A part that gives no answer leaves its probes unasked, and the functions safe.
#[tokio::test(start_paused = true)]
async fn a_product_that_gives_no_answer_leaves_its_probes_unasked() {
    for (product, path, probe) in [
        ("taskrouter", "/Tasks", "taskrouter/in"),
        ("taskrouter", "/Events", "taskrouter/log-of-30-days"),
        ("taskrouter", "/Workers", "participants/agents-by-e-mail"),
        ("chat", "", "readable/chat"),
        ("conversations", "", "conversations/newest-first"),
        ("proxy", "", "proxy/named-after-channel"),
        ("flex-api", "/Interactions", "interactions/readable"),
        ("events", "", "readable/event-streams"),
        ("studio", "", "readable/set-up"),
    ] {
        let world = World::new().await;
        let in_use = a_month(&world, nothing).await;
        refuse(&world, product, path, 503);
        let report = ask(&world).await;
        let answer = answer(&report, probe);
        assert_eq!(form(&answer), NotAsked, "{probe}: {answer:?}");
        expect_safety(&world, &in_use, probe).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_what_is_not_read_yet_unasked() {
    let world = World::new().await;
    a_month(&world, nothing).await;
    world.twilio_takes(Duration::from_millis(150));
    let mut asked = Vec::new();
    for tenths in [0, 3, 8, 100] {
        let stop = tokio::time::sleep(Duration::from_millis(100 * tenths));
        let report = ask_until(&world, stop.boxed().shared()).await;
        assert_eq!(report.interrupted, tenths < 100, "{tenths}: {report:?}");
        asked.push(report.as_expected);
        assert_eq!(report.differ, 0, "{tenths}: {report:?}");
    }
    assert!(asked.is_sorted() && asked[0] == 0, "{asked:?}");
    assert!(asked[1] < asked[2] && asked[2] < asked[3], "{asked:?}");
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn a_log_of_another_length_is_found_in_a_workspace_that_is_old_and_busy() {
    for life in [7 * DAY, 90 * DAY] {
        let world = World::new().await;
        world.twilio.state().knobs.log_life = life;
        let done = world.conversation_with_agent(CUSTOMERS[1]);
        world.agent_completes(done);
        world.time_passes(20 * DAY).await;
        let in_use = a_month(&world, nothing).await;
        for number in 0..50 {
            let done = world.conversation_with_agent(&format!("+1555020{number:04}"));
            world.agent_completes(done);
        }
        world.deliver().await;
        world.time_passes(20 * MINUTE).await;
        let report = ask(&world).await;
        let answer = answer(&report, "taskrouter/log-of-30-days");
        assert_eq!(form(&answer), Differs, "{life:?}: {answer:?}");
        expect_safety(&world, &in_use, "another length of the log").await;
    }
}
