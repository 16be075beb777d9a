//! A scene of its own: three customers fall silent, their agent gets room, two of them write
//! again.
//!
//! Real are the webhook, the parking function and their clients, over loopback, with both ways
//! by which messages are told: signed events, and a Chat channel's own webhook.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use domain::{Policy, Timestamp};
use http::StatusCode;
use ingest::Ingest;
use park::{Park, Settings, Summary};
use runtime::Environment;
use runtime::secrets::{Secrets, TwilioSecrets};
use serde::Serialize;
use simulator::{Project, Sid, Simulator};
use twilio::events::Scope;

use super::claims::{Claim, claim};
use super::world::{WEBHOOK, bus, refused, table};

/// Chats that the agent takes at the same time.
const CAPACITY: i64 = 3;

/// The customers: the first is on Chat, the others on Conversations.
const CUSTOMERS: [&str; 3] = ["+15550190001", "+15550190002", "+15550190003"];

/// Result of the scene.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Scene {
    capacity: i64,
    /// Chats that took the agent's capacity: when all were answered, when all were
    /// parked, and when two customers had written again.
    load_before: i64,
    load_parked: i64,
    load_after: i64,
    parked: usize,
    returned: usize,
    /// Requests to Twilio for all moves.
    calls: u64,
    /// True if every task is in its TaskChannel, with its attributes as they were.
    restored: bool,
}

impl Scene {
    /// The scene in words.
    pub(crate) fn in_words(&self) -> String {
        format!(
            "Three customers fall silent. Their agent's {} of {} places are taken; after {} minutes the chats\n\
             are parked and {} are. Two customers write again, their chats come back, and {} are.",
            self.load_before,
            self.capacity,
            Policy::default().park_after.as_secs() / 60,
            match self.load_parked {
                0 => "none".to_owned(),
                load => load.to_string(),
            },
            self.load_after,
        )
    }

    /// Returns the claim of the scene.
    pub(crate) fn claim(&self) -> Claim {
        let loads = (self.load_before, self.load_parked, self.load_after);
        let moves = u64::try_from(self.parked + self.returned).unwrap_or(u64::MAX);
        let calls_as_promised = self.calls == 2 * moves;
        claim(
            "silent chats make room and come back when the customer writes",
            loads == (3, 0, 2)
                && (self.parked, self.returned) == (3, 2)
                && calls_as_promised
                && self.restored,
            format!(
                "{} parked, {} returned, {} requests for the moves",
                self.parked, self.returned, self.calls
            ),
        )
    }
}

struct Stage {
    simulator: Simulator,
    project: Project,
    inactive: Sid,
    agent: Sid,
    aws: embedded::Embedded,
    ingest: Ingest,
    park: Park,
}

/// Plays the scene.
pub(crate) async fn play(seed: u64) -> anyhow::Result<Scene> {
    let stage = Stage::set(seed).await?;
    let now = stage.now();
    stage.park.check(now).await?;
    let mut tasks = Vec::new();
    for (number, customer) in CUSTOMERS.into_iter().enumerate() {
        tasks.push(stage.chat(customer, number == 0).await?);
    }
    let load_before = stage.load()?;
    let before: Vec<String> = tasks.iter().map(|task| stage.attributes(*task)).collect();

    stage
        .simulator
        .advance(Policy::default().park_after + Duration::from_secs(10));
    let parked = stage.poll().await?;
    stage.deliver().await?;
    let load_parked = stage.load()?;

    stage.simulator.advance(Duration::from_secs(90));
    stage.customer_writes(CUSTOMERS[0], true)?;
    stage.customer_writes(CUSTOMERS[1], false)?;
    stage.deliver().await?;
    let returned = stage.replies().await?;
    stage.deliver().await?;

    // Each came back to where it was, but for the one value that says so.
    let chat = stage.project.chat_task_channel;
    let stands = |task: Sid| {
        let state = stage.simulator.state();
        state.task(task).map(|task| task.task_channel)
    };
    let mut restored = stands(tasks[2]) == Some(stage.inactive);
    for (task, before) in tasks.iter().zip(&before).take(2) {
        let expected = before
            .strip_suffix('}')
            .map(|text| format!("{text},\"inactive\":0}}"));
        restored &= stands(*task) == Some(chat) && Some(stage.attributes(*task)) == expected;
    }
    let calls = stage.simulator.calls();
    let asked = |method| calls.count("taskrouter", method, "Tasks/{Sid}");
    Ok(Scene {
        capacity: CAPACITY,
        load_before,
        load_parked,
        load_after: stage.load()?,
        parked: parked.parked,
        returned: returned.iter().map(|summary| summary.returned).sum(),
        calls: asked("GET") + asked("POST"),
        restored,
    })
}

impl Stage {
    async fn set(seed: u64) -> anyhow::Result<Self> {
        let (simulator, project) = Simulator::with_flex(seed).map_err(refused)?;
        let (agent, inactive) = {
            let mut state = simulator.state();
            let workspace = project.workspace;
            let agent = state.hire_agent(workspace, "agent").map_err(refused)?;
            let inactive = state.create_task_channel(workspace, "Inactive chat", "inactive_chat");
            let inactive = inactive.map_err(refused)?;
            for (channel, capacity) in [(project.chat_task_channel, CAPACITY), (inactive, 20)] {
                state
                    .set_capacity(agent, channel, capacity)
                    .map_err(refused)?;
            }
            (agent, inactive)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .context("no port of this machine can be listened on")?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(simulator::serve(
            listener,
            simulator.clone(),
            std::future::pending::<()>(),
        ));
        let aws = embedded::Embedded::memory()?;
        let account = simulator.account();
        let environment: Environment = [
            ("CHANNELS_TABLE", super::world::TABLE),
            ("TWILIO_ACCOUNT_SID", account.sid.as_str()),
            ("TWILIO_API_KEY", account.api_key.as_str()),
            ("TWILIO_API_SECRET", account.api_secret.as_str()),
            ("TWILIO_API_URL", url.as_str()),
            ("WEBHOOK_URL", WEBHOOK),
            (
                "PARK_TASK_CHANNELS",
                &format!("{}:{inactive}", project.chat_task_channel),
            ),
        ]
        .into_iter()
        .collect();
        let clients = runtime::Aws::with_http_client(aws.http_client());
        let settings = Settings::read_at(environment, Some(clients))?;
        let ingest = Ingest::new(ingest::Settings {
            table: table(&aws).await?,
            bus: bus(&aws),
            secrets: Secrets::fixed(TwilioSecrets {
                signing_keys: vec![account.auth_token.into()],
                api_key: None,
            }),
            scope: Scope {
                pairs: domain::Pairs::new(vec![
                    format!("{}:{inactive}", project.chat_task_channel).parse()?,
                ])
                .unwrap_or_default(),
                ..Scope::default()
            },
            public_url: None,
            basic_auth: None,
        });
        Ok(Self {
            simulator,
            project,
            inactive,
            agent,
            aws,
            ingest,
            park: Park::new(settings, Arc::new(twilio::rest::Https::new()?)),
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.simulator.now().as_millisecond())
    }

    /// A customer writes, the agent accepts and answers.
    async fn chat(&self, customer: &str, on_chat: bool) -> anyhow::Result<Sid> {
        let task = self.customer_writes(customer, on_chat)?;
        let accepted = self.simulator.state().agent_accepts(task, self.agent);
        accepted.map_err(refused)?;
        self.deliver().await?;
        self.poll().await?;
        let said = self
            .simulator
            .state()
            .agent_writes(task, "Hello! How can I help?");
        said.map_err(refused)?;
        self.deliver().await?;
        self.simulator.reset_calls();
        Ok(task)
    }

    fn customer_writes(&self, customer: &str, on_chat: bool) -> anyhow::Result<Sid> {
        let mut state = self.simulator.state();
        let contact = if on_chat {
            state.customer_writes(customer, "Where is my parcel?")
        } else {
            state.customer_converses(customer, "Where is my parcel?")
        };
        contact
            .task()
            .with_context(|| format!("no agent sees it: {contact:?}"))
    }

    /// Delivers what happened, signed, by both ways.
    async fn deliver(&self) -> anyhow::Result<()> {
        let token = self.simulator.account().auth_token;
        let events = self.simulator.take_events();
        let calls = self.simulator.state().take_webhook_calls();
        let body = serde_json::Value::from(events).to_string();
        let signed = simulator::sign::json(&token, WEBHOOK, body.as_bytes());
        self.post(signed, "application/json", body).await?;
        for call in calls {
            let fields: Vec<(&str, &str)> = call
                .parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let signed = simulator::sign::form(&token, &call.url, &fields);
            let body = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&fields)
                .finish();
            self.post(signed, "application/x-www-form-urlencoded", body)
                .await?;
        }
        Ok(())
    }

    async fn post(
        &self,
        signed: simulator::sign::Signed,
        kind: &str,
        body: String,
    ) -> anyhow::Result<()> {
        let request = http::Request::post(&signed.url)
            .header("content-type", kind)
            .header(simulator::sign::HEADER, &signed.signature)
            .body(bytes::Bytes::from(body))?;
        let status = self.ingest.handle(request, self.now()).await.status();
        ensure!(
            status == StatusCode::NO_CONTENT,
            "the webhook answered {status}"
        );
        Ok(())
    }

    /// The schedule's look, once.
    async fn poll(&self) -> anyhow::Result<Summary> {
        Ok(self.park.tick(self.now(), Duration::ZERO).await?)
    }

    /// Handles replies as the bus's rule does.
    async fn replies(&self) -> anyhow::Result<Vec<Summary>> {
        let mut summaries = Vec::new();
        for entry in self.aws.bus.take_entries() {
            let channel = entry.detail["channel_sid"].as_str().unwrap_or_default();
            summaries.push(self.park.reply(channel.parse()?, self.now()).await?);
        }
        Ok(summaries)
    }

    /// Returns the number of chats that take the agent's capacity.
    fn load(&self) -> anyhow::Result<i64> {
        let state = self.simulator.state();
        let channel = state.worker_channel(self.agent, self.project.chat_task_channel);
        Ok(channel.context("the agent takes no chats")?.assigned_tasks)
    }

    fn attributes(&self, task: Sid) -> String {
        let state = self.simulator.state();
        let task = state.task(task);
        task.map(|task| task.attributes.to_string())
            .unwrap_or_default()
    }
}
