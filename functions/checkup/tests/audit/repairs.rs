//! A project is broken, mended, and sound.

use std::time::Duration;

use checkup::{Choice, Fix, LongLived, Rule, Toggle, all, apply, rule};

use simulator::{At, Fault, FaultKind};

use crate::broken;
use crate::stage::{Line, Stage, parsed, rules_in};

async fn mend(stage: &Stage, choice: &Choice) {
    let plan = stage.plan(choice).await;
    assert!(
        plan.blocked.is_empty() && !plan.repairs.is_empty(),
        "{plan:#?}"
    );
    let made = apply(stage.client(), stage.account_sid(), &plan.repairs, |_| {}).await;
    for (repair, made) in plan.repairs.iter().zip(made) {
        assert_eq!(made, Ok(()), "{repair:?}");
    }
}

fn named(rules: &[&str]) -> Choice {
    Choice {
        rules: rules.iter().map(|id| rule(id).unwrap()).collect(),
        ..Choice::default()
    }
}

#[tokio::test(start_paused = true)]
async fn every_repair_leaves_the_project_sound() {
    let mut mended: Vec<&str> = Vec::new();
    for broken in broken::all() {
        let rule: &'static Rule = rule(broken.rule).unwrap();
        if rule.fix() == Fix::Person {
            continue;
        }
        let (_, mut stage) = Line::to_a_sound_project();
        (broken.how)(&mut stage);
        let choice = match rule.fix() {
            Fix::Default => Choice::default(),
            Fix::Named | Fix::Person => named(&[rule.id]),
        };
        mend(&stage, &choice).await;
        let report = stage.report().await;
        assert!(
            report.findings.is_empty(),
            "{}: {:#?}",
            rule.id,
            report.findings
        );
        mended.push(rule.id);
    }
    let ours: Vec<&str> = all()
        .filter(|rule| rule.fix() != Fix::Person)
        .map(|rule| rule.id)
        .collect();
    assert_eq!(mended, ours);
}

#[tokio::test]
async fn what_is_dangerous_is_offered_and_not_done() {
    for broken in broken::all() {
        let rule: &'static Rule = rule(broken.rule).unwrap();
        let mut stage = Stage::new().await;
        (broken.how)(&mut stage);
        let plan = stage.plan(&Choice::default()).await;
        let offered = plan.offers.iter().any(|(one, _)| one.id == rule.id);
        let manual_step = plan.manual_steps.iter().any(|one| one.rule.id == rule.id);
        match rule.fix() {
            Fix::Default => assert!(!plan.repairs.is_empty(), "{}", rule.id),
            Fix::Named => assert!(offered && plan.repairs.is_empty(), "{}", rule.id),
            Fix::Person => assert!(manual_step && plan.repairs.is_empty(), "{}", rule.id),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_chat_service_is_followed_by_all_flex_flows() {
    let (_, stage) = Line::to_a_sound_project();
    stage.state().lose(stage.project.chat_service).unwrap();
    let plan = stage.plan(&Choice::default()).await;
    assert!(plan.repairs.is_empty(), "{plan:#?}");
    let then = plan.manual_steps[0].then.as_deref().unwrap();
    assert!(then.contains("links the Flex Flows (4)"), "{then}");

    // What Flex System Checkup does.
    {
        let mut state = stage.state();
        let service = state.create_chat_service("Flex Chat Service");
        state.configure_flex("chat_service_instance_sid", service.into());
        state.set_default_conversation_service(service);
        let proxy = stage.project.proxy_service;
        state.proxy_service_mut(proxy).unwrap().chat_instance = Some(service);
        let address = state.address_mut(stage.order.address).unwrap();
        let key = "conversation_service_sid".to_owned();
        address.auto_creation.insert(key, service.into());
    }
    let found = rules_in(&stage.report().await);
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        ["flex-flow/chat-service"]
    );
    mend(&stage, &Choice::default()).await;
    assert!(stage.report().await.findings.is_empty());
}

#[tokio::test]
async fn chosen_flex_flows_alone_are_mended() {
    let mut stage = Stage::new().await;
    stage.wanted.janitor = Toggle::Off;
    let chosen = stage.flow("web");
    let choice = Choice {
        subjects: vec![chosen.to_string()],
        ..named(&["flex-flow/janitor"])
    };
    mend(&stage, &choice).await;
    let state = stage.state();
    let off: Vec<_> = state
        .flex_flows()
        .filter(|flow| !flow.janitor_enabled)
        .collect();
    assert_eq!(off.len(), 1);
    assert_eq!(off[0].sid, chosen);
}

#[tokio::test]
async fn a_flex_flow_keeps_everything_that_was_not_to_be_mended() {
    let mut stage = Stage::new().await;
    let sid = stage.flow("sms");
    let before = {
        let mut state = stage.state();
        let flow = state.flex_flow_mut(sid).unwrap();
        flow.friendly_name = "Ünïcode & + = %".to_owned();
        flow.integration_type = Some("task".to_owned());
        let project = stage.project;
        flow.integration = serde_json::json!({
            "workspace_sid": project.workspace,
            "workflow_sid": project.workflow,
            "channel": "chat",
            "timeout": 3600,
            "priority": 7,
            "creation_on_message": true,
        })
        .as_object()
        .unwrap()
        .clone();
        flow.clone()
    };
    stage.wanted.janitor = Toggle::Off;
    stage.wanted.long_lived = Some("sms".parse::<LongLived>().unwrap());
    let choice = Choice {
        subjects: vec![sid.to_string()],
        ..named(&["flex-flow/janitor", "flex-flow/long-lived"])
    };
    mend(&stage, &choice).await;
    let after = stage.state().flex_flow(sid).unwrap().clone();
    assert!(after.long_lived && !after.janitor_enabled);
    let put_back = simulator::state::flows::FlexFlow {
        long_lived: before.long_lived,
        janitor_enabled: before.janitor_enabled,
        updated: before.updated,
        ..after
    };
    assert_eq!(format!("{put_back:?}"), format!("{before:?}"));
}

#[tokio::test]
async fn of_several_studio_flows_none_is_guessed() {
    let stage = Stage::new().await;
    let second = stage.state().create_voice_flow().unwrap();
    let url = "https://example.com/voice";
    let settings = [("voice_url".to_owned(), url.into())];
    let number = stage.order.chat_number;
    stage
        .state()
        .point_number(number, serde_json::Map::from_iter(settings))
        .unwrap();
    let choice = named(&["number/voice"]);
    let plan = stage.plan(&choice).await;
    assert!(
        plan.repairs.is_empty() && plan.blocked.len() == 1,
        "{plan:#?}"
    );
    let wrong = Choice {
        voice_flow: Some(parsed(stage.order.messaging_flow)),
        ..choice.clone()
    };
    assert_eq!(stage.plan(&wrong).await.blocked.len(), 1);
    let right = Choice {
        voice_flow: Some(parsed(second)),
        ..choice
    };
    mend(&stage, &right).await;
    assert!(stage.report().await.findings.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_the_plan_is_left_alone() {
    let (_, mut stage) = Line::to_a_sound_project();
    stage.wanted.janitor = Toggle::Off;
    let plan = stage.plan(&named(&["flex-flow/janitor"])).await;
    let sid = stage.flow("web");
    stage.state().flex_flow_mut(sid).unwrap().friendly_name = "Renamed meanwhile".to_owned();
    let made = apply(stage.client(), stage.account_sid(), &plan.repairs, |_| {}).await;
    let failed: Vec<_> = made.into_iter().filter_map(Result::err).collect();
    assert_eq!(failed, [checkup::RepairFailure::Changed]);
    let state = stage.state();
    let on = state
        .flex_flows()
        .filter(|flow| flow.janitor_enabled)
        .count();
    assert_eq!(on, 1);
}

#[tokio::test(start_paused = true)]
async fn flex_flows_are_written_a_second_apart_and_again_when_twilio_is_too_busy() {
    let (line, mut stage) = Line::to_a_sound_project();
    stage.wanted.janitor = Toggle::Off;
    // 429 says that nothing was processed; a second plan in a row may meet the same limit.
    stage.twilio.fail(Fault {
        at: At::product("flex-api").method("POST"),
        kind: FaultKind::TooManyRequests { retry_after: None },
        times: Some(3),
    });
    mend(&stage, &named(&["flex-flow/janitor"])).await;
    let writes = line.flex_flow_writes.lock().unwrap().clone();
    assert_eq!(writes.len(), 4 + 3, "four Flex Flows, and three refusals");
    for pair in writes.windows(2) {
        let apart = pair[1] - pair[0];
        assert!(apart >= Duration::from_secs(1), "{apart:?}");
    }
    assert!(stage.report().await.findings.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_repair_that_twilio_refuses_for_good_is_given_up() {
    let (line, mut stage) = Line::to_a_sound_project();
    stage.wanted.janitor = Toggle::Off;
    let plan = stage.plan(&named(&["flex-flow/janitor"])).await;
    stage.twilio.fail(Fault {
        at: At::product("flex-api").method("POST"),
        kind: FaultKind::Status(400),
        times: None,
    });
    let made = apply(stage.client(), stage.account_sid(), &plan.repairs, |_| {}).await;
    assert!(made.iter().all(Result::is_err));
    assert_eq!(
        line.flex_flow_writes.lock().unwrap().len(),
        plan.repairs.len()
    );
}
