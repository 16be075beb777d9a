//! Strangers who flood the URL of parking: the built functions, under the concurrency that the
//! template reserves for each.
//!
//! What is asserted is counted, so that a slow machine changes nothing. The pace itself is
//! asserted in virtual time, in `functions/park/tests/stories/flood.rs`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use binaries::concurrency::{Limited, reserved};
use binaries::function_url::{self, Encoding};
use binaries::lambda_api::{Function, built, socket};
use domain::Timestamp;
use serde_json::{Value, json};
use simulator::{Reply, Sid, Simulator};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::{Stage, WEBHOOK};

/// The requests with made-up tokens, in a second.
const JUNK_PER_SECOND: u32 = 200;

/// The least number of requests in the flood.
const JUNK: u32 = 1_000;

/// The most questions about tokens that go to Twilio in a minute.
const QUESTIONS_A_MINUTE: usize = 60;

/// The pause after which an agent who was turned away tries again.
const AGAIN: Duration = Duration::from_millis(20);

const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);

const URL: &str = "https://park.lambda-url.us-east-1.on.aws";

fn now() -> Timestamp {
    runtime::clock::now()
}

/// A deadline that leaves time for one look around.
fn soon() -> i64 {
    now().plus(Duration::from_secs(15)).as_millis()
}

/// A question about a token, as Twilio got it.
struct Question {
    at: Timestamp,
    body: String,
}

type Questions = Arc<Mutex<Vec<Question>>>;

/// Serves a Twilio that notes what it is asked about tokens, and answers that only while it is
/// told to.
async fn hesitant_twilio(
    twilio: Simulator,
    questions: Questions,
    answers: watch::Receiver<bool>,
) -> String {
    let (listener, url) = socket().await;
    let answer = move |request: Request| {
        let (twilio, questions) = (twilio.clone(), Arc::clone(&questions));
        let mut answers = answers.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            if parts.uri.path().starts_with("/iam/") {
                questions.lock().unwrap().push(Question {
                    at: now(),
                    body: String::from_utf8_lossy(&body).into_owned(),
                });
                answers.wait_for(|answers| *answers).await.unwrap();
            }
            match twilio.handle(http::Request::from_parts(parts, body)) {
                Reply::Answer(answer) => answer.map(Body::from),
                Reply::Hang | Reply::Drop => Response::default(),
            }
        }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

/// A contact centre that parks, with one function for its work and one for its URL.
struct Centre {
    stage: Stage,
    active: Sid,
    inactive: Sid,
    questions: Questions,
    /// Says if Twilio answers questions about tokens.
    answers: watch::Sender<bool>,
    work: Limited,
    url: Limited,
}

impl Centre {
    async fn open(seed: u64) -> Self {
        let mut stage = Stage::set(seed).await;
        let project = stage.twilio.state().project().unwrap();
        let (active, workspace) = (project.chat_task_channel, project.workspace);
        let inactive = {
            let mut state = stage.twilio.state();
            state.create_task_channel(workspace, "Inactive", "inactive")
        };
        let inactive = inactive.unwrap();
        let questions = Questions::default();
        let answers = watch::Sender::new(true);
        let twilio = stage.twilio.clone();
        let twilio_url = hesitant_twilio(twilio, Arc::clone(&questions), answers.subscribe()).await;
        let mut variables = stage.variables.clone();
        variables.retain(|(name, _)| *name != "TWILIO_API_URL");
        variables.extend([
            ("TWILIO_API_URL", twilio_url),
            ("WEBHOOK_URL", WEBHOOK.to_owned()),
            ("PARK_TASK_CHANNELS", format!("{active}:{inactive}")),
        ]);
        stage.ingest = Function::start(&built("ingest"), &variables).await;
        let function = |name| Limited::new(built("park"), variables.clone(), reserved(name));
        Self {
            work: function("Park"),
            url: function("ParkApi"),
            stage,
            active,
            inactive,
            questions,
            answers,
        }
    }

    fn twilio(&self) -> &Simulator {
        &self.stage.twilio
    }

    async fn tell(&self) {
        let events = self.twilio().take_events();
        assert_eq!(self.stage.post(&events, Encoding::Base64).await, 204);
    }

    /// A chat whose agent answered so long ago. Returns its task and the agent.
    async fn answered(&self, customer: &str, ago: Duration) -> (Sid, Sid) {
        let at = |moment: Timestamp| jiff::Timestamp::from_millisecond(moment.as_millis()).unwrap();
        self.twilio().set_now(at(now().minus(ago)));
        let (task, agent) = {
            let mut state = self.twilio().state();
            let workspace = state.project().unwrap().workspace;
            let agent = state.hire_agent(workspace, &format!("agent of {customer}"));
            let agent = agent.unwrap();
            let task = state.customer_converses(customer, "Hello?").task().unwrap();
            state.agent_accepts(task, agent).unwrap();
            state.agent_writes(task, "How can I help?").unwrap();
            (task, agent)
        };
        self.tell().await;
        self.twilio().set_now(at(now()));
        (task, agent)
    }

    fn stands_in(&self, task: Sid) -> Sid {
        self.twilio().state().task(task).unwrap().task_channel
    }

    async fn work(&self, event: Value) -> Value {
        let Some(summary) = self.work.invoke(event, soon()).await else {
            panic!("no execution is free");
        };
        summary
    }

    /// The run that the schedule starts. Returns how many chats it parked.
    async fn tick(&self) -> u64 {
        let summary = self.work(json!({})).await;
        assert_eq!(summary["polls"], 1, "{summary}");
        summary["parked"].as_u64().unwrap()
    }

    /// A customer writes on a parked chat, and the bus wakes the function.
    async fn replies(&self, customer: &str) {
        self.stage.aws.bus.take_entries();
        self.twilio()
            .state()
            .customer_converses(customer, "Are you there?");
        self.tell().await;
        let [entry] = &self.stage.aws.bus.take_entries()[..] else {
            panic!("one notice");
        };
        let notice = json!({ "source": entry.source, "detail-type": entry.detail_type, "detail": entry.detail });
        let summary = self.work(notice).await;
        assert_eq!(summary["returned"], 1, "{summary}");
    }

    /// A request to the URL. Returns nothing where AWS turns it away.
    async fn ask(&self, path: &str, task: Sid, token: &str) -> Option<Value> {
        let stands_in = match path {
            "/set-chat-to-active" => self.inactive,
            _ => self.active,
        };
        let body = json!({ "taskSid": task, "taskChannelSid": stands_in, "Token": token });
        let body = body.to_string();
        let url = format!("{URL}{path}");
        let request = function_url::post(&url, &[], body.as_bytes(), Encoding::Text);
        self.url.ask(request, soon()).await
    }
}

/// The answers to the flood by status, those of AWS itself left out.
type Statuses = BTreeMap<u64, usize>;

/// Floods the URL until `ends`, with at least [`JUNK`] requests, and until more came to the function
/// than it may ask about.
async fn flood(centre: Arc<Centre>, task: Sid, ends: Arc<AtomicBool>) -> Statuses {
    // Late ticks come at once, so that a slow machine sees as many.
    let mut next = interval(Duration::from_secs(1) / JUNK_PER_SECOND);
    let mut asked = JoinSet::new();
    for number in 0.. {
        let taken = centre.url.counts().taken;
        if number >= JUNK && taken > 2 * QUESTIONS_A_MINUTE && ends.load(Ordering::Relaxed) {
            break;
        }
        next.tick().await;
        let centre = Arc::clone(&centre);
        asked.spawn(async move {
            let token = format!("eyJ6aXAiOiJERUYi.{number:032x}");
            centre.ask("/set-chat-to-inactive", task, &token).await
        });
    }
    let mut statuses = Statuses::new();
    for answer in asked.join_all().await.into_iter().flatten() {
        let status = answer["statusCode"].as_u64().unwrap();
        let is_told_when = answer["headers"]["retry-after"].is_string();
        assert_eq!(status == 429, is_told_when, "{answer}");
        *statuses.entry(status).or_default() += 1;
    }
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_the_url_keeps_no_tick_no_reply_and_no_proven_token_waiting() {
    let centre = Arc::new(Centre::open(31).await);
    let customers = ["+15550100123", "+15550100124"];
    let mut parked = Vec::new();
    for customer in customers {
        parked.push(centre.answered(customer, HALF_AN_HOUR).await.0);
    }
    assert_eq!(centre.tick().await, 2);
    let (silent, _) = centre.answered("+15550100125", HALF_AN_HOUR).await;
    let (handled, agent) = centre.answered("+15550100126", Duration::ZERO).await;
    let token = {
        let mut state = centre.twilio().state();
        state.issue_token("agent", &["agent"], Some(agent))
    };
    let proven = centre.ask("/set-chat-to-inactive", handled, &token).await;
    assert_eq!(proven.unwrap()["statusCode"], 200);
    assert_eq!(centre.stands_in(handled), centre.inactive);

    centre.answers.send_replace(false);
    let ends = Arc::new(AtomicBool::new(false));
    let strangers = tokio::spawn(flood(Arc::clone(&centre), handled, Arc::clone(&ends)));
    // From here on each execution of the URL waits for Twilio.
    centre.url.until(|counts| counts.throttled > 0).await;
    assert_eq!(centre.tick().await, 1);
    assert_eq!(centre.stands_in(silent), centre.inactive);
    for (customer, task) in customers.into_iter().zip(parked) {
        centre.replies(customer).await;
        assert_eq!(centre.stands_in(task), centre.active);
    }
    centre.answers.send_replace(true);
    let mut again = interval(AGAIN);
    let answer = loop {
        again.tick().await;
        if let Some(answer) = centre.ask("/set-chat-to-active", handled, &token).await {
            break answer;
        }
    };
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(centre.stands_in(handled), centre.active);
    ends.store(true, Ordering::Relaxed);
    let statuses = strangers.await.unwrap();

    let (work, url) = (centre.work.counts(), centre.url.counts());
    println!("answers {statuses:?}, the work {work:?}, the URL {url:?}");
    assert_eq!(
        work.throttled, 0,
        "the flood takes no execution of the work"
    );
    assert_eq!(url.most_at_once, reserved("ParkApi"));
    assert!(statuses.contains_key(&429), "{statuses:?}");
    // A machine so slow that a question times out is told 503.
    let denials = [401, 429, 503];
    assert!(statuses.keys().all(|status| denials.contains(status)));

    let questions = centre.questions.lock().unwrap();
    let about = |token: &str| {
        questions
            .iter()
            .filter(|one| one.body.contains(token))
            .count()
    };
    assert_eq!(about(&token), 1, "a proven token is not asked about again");
    for first in questions.iter() {
        let minute = questions
            .iter()
            .filter(|one| (first.at..first.at.plus(Duration::from_secs(60))).contains(&one.at));
        assert!(minute.count() <= QUESTIONS_A_MINUTE);
    }
}
