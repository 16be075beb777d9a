//! Projects that break the rules about the project, TaskRouter and Proxy.

use std::time::Duration;

use serde_json::{Map, Value, json};
use simulator::state::taskrouter::task::NewTask;

use super::{Broken, breaks, breaks_more, sid};

pub(super) const BROKEN: &[Broken] = &[
    breaks("project/configuration", |stage| {
        stage
            .state()
            .configure_flex("chat_service_instance_sid", Value::Null);
    }),
    breaks("project/workspace", |stage| {
        stage.state().lose(stage.project.workspace).unwrap();
    }),
    breaks("project/chat-service", |stage| {
        stage.state().lose(stage.project.chat_service).unwrap();
    }),
    breaks("project/settings", |stage| {
        stage.wanted.workspace = Some(sid("WS").parse().unwrap());
    }),
    breaks("project/unreadable", |stage| {
        let mut state = stage.state();
        let makes = Map::from_iter([("enabled".to_owned(), true.into())]);
        let address = state.configure_address("whatsapp", "whatsapp:+15550100077", makes);
        state.address_mut(address.unwrap()).unwrap().sid = stage.worker;
    }),
    breaks("taskrouter/workflow", |stage| {
        let workflow = json!({ "taskrouter_target_workflow_sid": sid("WW") });
        let named = workflow["taskrouter_target_workflow_sid"].clone();
        stage
            .state()
            .configure_flex("taskrouter_target_workflow_sid", named);
    }),
    breaks("taskrouter/multi-tasking", |stage| {
        let mut state = stage.state();
        state
            .workspace_mut(stage.project.workspace)
            .unwrap()
            .multi_task_enabled = false;
    }),
    breaks_more(
        "taskrouter/task-channel",
        &["studio/task-channel"],
        |stage| {
            let mut state = stage.state();
            let voice = state
                .find_task_channel(stage.project.workspace, "voice")
                .unwrap()
                .sid;
            state.lose(voice).unwrap();
        },
    ),
    breaks("taskrouter/parking-channel", |stage| {
        stage.state().lose(stage.inactive).unwrap();
    }),
    breaks("taskrouter/parking-capacity", |stage| {
        stage
            .state()
            .set_capacity(stage.worker, stage.inactive, 0)
            .unwrap();
    }),
    breaks("taskrouter/workers-not-read", |stage| {
        let mut state = stage.state();
        for number in 0..1_000 {
            let name = format!("agent {number}");
            state.hire_agent(stage.project.workspace, &name).unwrap();
        }
    }),
    breaks("taskrouter/parked", |stage| {
        stage.stop_parking();
        let task = NewTask {
            attributes: Some(r#"{"inactive": 1}"#.to_owned()),
            ..NewTask::default()
        };
        let mut state = stage.state();
        state.create_task(stage.project.workspace, task).unwrap();
    }),
    breaks("taskrouter/wrap-up", |stage| {
        let mut state = stage.state();
        let task = state.customer_writes("+15550100099", "Hello").task();
        state.agent_accepts(task.unwrap(), stage.worker).unwrap();
        state.agent_wraps_up(task.unwrap()).unwrap();
        state.advance(Duration::from_secs(13 * 60 * 60));
    }),
    breaks_more("proxy/service", &["number/messages"], |stage| {
        stage.state().lose(stage.project.proxy_service).unwrap();
    }),
    breaks_more("proxy/chat-service", &["number/messages"], |stage| {
        let mut state = stage.state();
        let service = state
            .proxy_service_mut(stage.project.proxy_service)
            .unwrap();
        service.chat_instance = None;
    }),
    breaks("proxy/pool", |stage| {
        stage
            .state()
            .take_from_pool(stage.order.chat_number)
            .unwrap();
    }),
    breaks("proxy/pool-stranger", |stage| {
        let mut state = stage.state();
        let number = state.buy_number("+15550100066");
        state
            .add_to_pool(stage.project.proxy_service, number)
            .unwrap();
        state.lose(number).unwrap();
    }),
];
