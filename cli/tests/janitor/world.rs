//! The world around the real binary: a simulated Twilio and the embedded AWS, over sockets.

use std::sync::Arc;
use std::time::Duration;

use ::runtime::Environment;
use ::sweep::{Settings, Sweep};
use embedded::Embedded;
use simulator::Simulator;
use simulator::state::sid::Sid;
use simulator::state::story::Contact;
use snapbox::cmd::Command;
use store::ChannelTable;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use twilio::rest::Https;

/// The table's name.
pub(crate) const TABLE: &str = "channels-of-a-test";

/// The time from the beginning of the story until now.
const BEGAN: Duration = Duration::from_secs(3 * 60 * 60);

/// The binary, in an environment that holds nothing but what is given.
pub(crate) fn janitor() -> Command {
    Command::new(snapbox::cmd::cargo_bin!("janitor"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .timeout(Duration::from_secs(120))
}

/// The output of a run of the binary.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// The JSON on standard output.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|why| panic!("{why}: {self}"))
    }

    /// The JSON objects on standard output, one per line.
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Makes sure of the exit code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Makes sure that it says so on standard error.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{text:?} in {self}");
        self
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "exit code {}\n--- stdout\n{}--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The attributes that matter; among the others are numbers that no reader could hold.
#[derive(serde::Deserialize)]
pub(crate) struct Attributes {
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) long_lived: bool,
}

/// A Flex project, and a table that knows nothing of it yet.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    aws: Embedded,
    pub(crate) agent: Sid,
    variables: Vec<(&'static str, String)>,
    secrets: Vec<String>,
    /// It serves both as long as it lives.
    runtime: Runtime,
}

impl World {
    /// A stack that acts by this world's variables.
    pub(crate) fn new() -> Self {
        let world = Self::whose_stack_never_ran();
        world.stack_acts_by(&[]);
        world
    }

    pub(crate) fn whose_stack_never_ran() -> Self {
        let runtime = Runtime::new().unwrap();
        let (simulator, project) = Simulator::with_flex(7).unwrap();
        let began = runtime::clock::now().minus(BEGAN);
        simulator.set_now(jiff::Timestamp::from_millisecond(began.as_millis()).unwrap());
        let agent = simulator
            .state()
            .hire_agent(project.workspace, "agent")
            .unwrap();
        let aws = Embedded::memory().unwrap();
        runtime
            .block_on(store::create_table(&aws.dynamodb(), TABLE))
            .unwrap();
        let (at_twilio, twilio) = runtime.block_on(listen());
        runtime.spawn(simulator::serve(
            at_twilio,
            simulator.clone(),
            std::future::pending::<()>(),
        ));
        let (at_aws, dynamodb) = runtime.block_on(listen());
        let served = aws.clone();
        runtime.spawn(async move { served.serve(at_aws, std::future::pending()).await });
        let account = simulator.account();
        let variables = vec![
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
            (
                "AWS_SECRET_ACCESS_KEY",
                "aws-secret-that-nobody-may-see".to_owned(),
            ),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
            ("CHANNELS_TABLE", TABLE.to_owned()),
            ("TWILIO_API_URL", twilio),
            ("TWILIO_ACCOUNT_SID", account.sid.to_string()),
            ("TWILIO_AUTH_TOKENS", account.auth_token.clone()),
            ("TWILIO_API_KEY", account.api_key.to_string()),
            ("TWILIO_API_SECRET", account.api_secret.clone()),
            ("PROXY_SERVICE_SID", project.proxy_service.to_string()),
        ];
        Self {
            simulator,
            aws,
            agent,
            variables,
            secrets: vec![
                account.auth_token,
                account.api_secret,
                "aws-secret-that-nobody-may-see".to_owned(),
            ],
            runtime,
        }
    }

    /// Lets the deployed functions run once, with this world's variables and these. Nothing is
    /// due for them.
    pub(crate) fn stack_acts_by(&self, others: &[(&str, &str)]) {
        let ours = self.variables.iter();
        let ours = ours.map(|(name, value)| (*name, value.as_str()));
        let environment: Environment = ours.chain(others.iter().copied()).collect();
        let transport = || Arc::new(Https::new().unwrap());
        let (now, time) = (::runtime::clock::now(), Duration::from_secs(60));
        let sweep = Settings::read_at(environment.clone(), None).unwrap();
        let sweep = Sweep::new(sweep, transport());
        let park = environment.is_set("PARK_TASK_CHANNELS").then(|| {
            let settings = park::Settings::read_at(environment, None).unwrap();
            park::Park::new(settings, transport())
        });
        self.runtime.block_on(async {
            let summary = sweep.run_scheduled(now, time).await.unwrap();
            assert_eq!(summary.due, 0, "{summary:?}");
            if let Some(park) = park {
                park.tick_scheduled(now, Duration::ZERO).await.unwrap();
            }
        });
    }

    /// A Flex project with a TaskChannel for parked chats, by name `inactive`.
    pub(crate) fn that_parks() -> Self {
        let mut world = Self::new();
        let pair = {
            let mut state = world.simulator.state();
            let project = state.project().unwrap();
            let inactive = state.create_task_channel(project.workspace, "Inactive", "inactive");
            format!("{}:{}", project.chat_task_channel, inactive.unwrap())
        };
        world.variables.push(("PARK_TASK_CHANNELS", pair));
        world.stack_acts_by(&[]);
        world
    }

    /// The variables of this world.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        self.variables.clone()
    }

    /// The binary in this world.
    pub(crate) fn command(&self) -> Command {
        janitor().envs(self.variables())
    }

    /// Runs the binary here. Whatever it says, no secret is in it.
    pub(crate) fn janitor<const N: usize>(&self, arguments: [&str; N]) -> Said {
        self.checked(self.command().args(arguments))
    }

    /// Runs the binary here with something on standard input.
    pub(crate) fn janitor_reads<const N: usize>(&self, input: &str, arguments: [&str; N]) -> Said {
        self.checked(self.command().args(arguments).stdin(input))
    }

    fn checked(&self, command: Command) -> Said {
        let said = run(command);
        for secret in &self.secrets {
            let anywhere = said.stdout.contains(secret) || said.stderr.contains(secret);
            assert!(!anywhere, "a secret was said: {said}");
        }
        said
    }

    /// Lets the events that there are arrive, by the command itself.
    pub(crate) fn events_arrive(&self) {
        let events = serde_json::Value::from(self.simulator.take_events());
        self.janitor_reads(&events.to_string(), ["replay", "-", "--yes"])
            .ends(0);
    }

    /// A chat on SMS or, long-lived, on WhatsApp, whose agent closed the tab too early.
    pub(crate) fn tab_closed(&self, address: &str) -> String {
        let mut state = self.simulator.state();
        let Contact::Started { channel, task } = state.customer_writes(address, "Hello?") else {
            panic!("no new channel");
        };
        state.agent_accepts(task, self.agent).unwrap();
        state.agent_wraps_up(task).unwrap();
        state.task_completed_by_nobody(task).unwrap();
        channel.to_string()
    }

    /// A chat in which an agent is at work.
    pub(crate) fn live_chat(&self, address: &str) -> String {
        let mut state = self.simulator.state();
        let contact = state.customer_writes(address, "Hello?");
        state
            .agent_accepts(contact.task().unwrap(), self.agent)
            .unwrap();
        contact.channel().unwrap().to_string()
    }

    /// A Conversation that was left open.
    pub(crate) fn conversation_left_open(&self, address: &str) -> String {
        let mut state = self.simulator.state();
        let contact = state.customer_converses(address, "Hello?");
        let task = contact.task().unwrap();
        state.agent_accepts(task, self.agent).unwrap();
        state.agent_wraps_up(task).unwrap();
        state.task_completed_by_nobody(task).unwrap();
        contact.channel().unwrap().to_string()
    }

    /// A channel's attributes at Twilio; nothing if it is gone.
    pub(crate) fn attributes(&self, channel: &str) -> Option<Attributes> {
        let state = self.simulator.state();
        let mut channels = state.channels();
        let channel = channels.find(|seen| seen.sid.as_str() == channel)?;
        Some(serde_json::from_str(&channel.attributes).unwrap())
    }

    /// Returns what this asks of the table.
    pub(crate) fn table<T>(&self, ask: impl AsyncFnOnce(ChannelTable) -> T) -> T {
        let table = ChannelTable::new(self.aws.dynamodb(), TABLE);
        self.runtime.block_on(ask(table))
    }

    /// Lets time pass at Twilio.
    pub(crate) fn pass(&self, time: Duration) {
        self.simulator.advance(time);
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}
