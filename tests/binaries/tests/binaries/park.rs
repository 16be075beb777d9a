//! The real binaries under the Lambda runtime protocol: one function, three triggers.

use std::time::Duration;

use binaries::function_url::{self, Encoding};
use binaries::lambda_api::{Function, built, figures, socket};
use domain::Timestamp;
use embedded::Embedded;
use serde_json::{Value, json};
use simulator::{Sid, Simulator};

const WEBHOOK: &str = "https://abcdefghij.lambda-url.us-east-1.on.aws/twilio/events";
const CUSTOMER: &str = "+15550100123";

fn now() -> Timestamp {
    runtime::clock::now()
}

/// A deadline that leaves time for one look around.
fn soon() -> i64 {
    now().plus(Duration::from_secs(15)).as_millis()
}

async fn post(ingest: &Function, twilio: &Simulator) {
    let events = twilio.take_events();
    let body = Value::from(events).to_string();
    let token = twilio.account().auth_token;
    let signed = simulator::sign::json(&token, WEBHOOK, body.as_bytes());
    let headers = [(simulator::sign::HEADER, signed.signature.as_str())];
    let event = function_url::post(&signed.url, &headers, body.as_bytes(), Encoding::Base64);
    let answer = ingest.invoke(event, soon()).await.unwrap();
    assert_eq!(answer["statusCode"], 204);
}

fn stands_in(twilio: &Simulator, task: Sid) -> Sid {
    twilio.state().task(task).unwrap().task_channel
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_chat_is_parked_and_brought_back_by_the_deployed_binaries() {
    let (twilio, project) = Simulator::with_flex(11).unwrap();
    let (active, workspace) = (project.chat_task_channel, project.workspace);
    let inactive = {
        let mut state = twilio.state();
        state
            .create_task_channel(workspace, "Inactive", "inactive")
            .unwrap()
    };
    let (listener, twilio_url) = socket().await;
    tokio::spawn(simulator::serve(
        listener,
        twilio.clone(),
        std::future::pending::<()>(),
    ));
    let aws = Embedded::memory().unwrap();
    store::create_table(&aws.dynamodb(), "channels")
        .await
        .unwrap();
    let account = twilio.account();
    let secret = json!({
        "TWILIO_AUTH_TOKENS": account.auth_token,
        "TWILIO_API_KEY": account.api_key,
        "TWILIO_API_SECRET": account.api_secret,
    });
    aws.secrets.put("janitor/twilio", secret.to_string());
    let (listener, aws_url) = socket().await;
    let served = aws.clone();
    tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
    let variables = [
        ("AWS_ENDPOINT_URL", aws_url),
        ("CHANNELS_TABLE", "channels".to_owned()),
        ("NOTICE_BUS", "notices".to_owned()),
        ("TWILIO_ACCOUNT_SID", account.sid.to_string()),
        ("TWILIO_SECRET", "janitor/twilio".to_owned()),
        ("TWILIO_API_URL", twilio_url),
        ("WEBHOOK_URL", WEBHOOK.to_owned()),
        ("PARK_TASK_CHANNELS", format!("{active}:{inactive}")),
    ];
    let ingest = Function::start(&built("ingest"), &variables).await;
    let park = Function::start(&built("park"), &variables).await;

    // A chat that its agent answered half an hour ago.
    let past = now().minus(Duration::from_secs(1_800)).as_millis();
    twilio.set_now(jiff::Timestamp::from_millisecond(past).unwrap());
    let agent = twilio.state().hire_agent(workspace, "agent").unwrap();
    let contact = twilio.state().customer_converses(CUSTOMER, "Hello?");
    let task = contact.task().unwrap();
    twilio.state().agent_accepts(task, agent).unwrap();
    twilio
        .state()
        .agent_writes(task, "Hello! How can I help?")
        .unwrap();
    post(&ingest, &twilio).await;
    let present = jiff::Timestamp::from_millisecond(now().as_millis()).unwrap();
    twilio.set_now(present);

    // By the schedule.
    let scheduled = json!({ "detail-type": "Scheduled Event", "source": "aws.scheduler" });
    let summary = park.invoke(scheduled.clone(), soon()).await.unwrap();
    assert_eq!(
        (&summary["polls"], &summary["parked"]),
        (&json!(1), &json!(1)),
        "{summary}"
    );
    assert_eq!(stands_in(&twilio, task), inactive);

    // By the bus.
    twilio
        .state()
        .customer_converses(CUSTOMER, "Are you there?");
    post(&ingest, &twilio).await;
    let [entry] = &aws.bus.entries()[..] else {
        panic!("{:?}", aws.bus.entries());
    };
    let reply = json!({
        "source": entry.source,
        "detail-type": entry.detail_type,
        "detail": entry.detail,
    });
    let summary = park.invoke(reply, soon()).await.unwrap();
    assert_eq!(summary["returned"], 1, "{summary}");
    assert_eq!(stands_in(&twilio, task), active);

    // By the agent.
    let token = twilio.state().issue_token("agent", &["agent"], Some(agent));
    let body = json!({ "taskSid": task, "taskChannelSid": active, "Token": token }).to_string();
    let url = "https://xyz.lambda-url.us-east-1.on.aws/set-chat-to-inactive";
    let asked = function_url::post(url, &[], body.as_bytes(), Encoding::Base64);
    let answer = park.invoke(asked, soon()).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(answer["body"], r#"{"success":true}"#);
    assert_eq!(stands_in(&twilio, task), inactive);

    // Credentials that Twilio does not accept fail the run, by name.
    let wrong = json!({ "TWILIO_AUTH_TOKENS": "x", "TWILIO_API_KEY": account.api_key, "TWILIO_API_SECRET": "wrong" });
    aws.secrets.put("janitor/twilio", wrong.to_string());
    twilio.state().customer_converses(CUSTOMER, "Hello again?");
    let logs = park.stop().await;
    let told = figures(&logs);
    for figure in ["Parked", "Returned"] {
        assert_eq!(told.get(figure), Some(&1), "{figure}: {told:?}");
    }
    let fresh = Function::start(&built("park"), &variables).await;
    assert!(
        fresh.invoke(scheduled, soon()).await.is_ok(),
        "nothing is due yet"
    );
    let logs = logs + &fresh.stop().await + &ingest.stop().await;
    for secret in [
        CUSTOMER,
        "Hello",
        token.as_str(),
        account.api_secret.as_str(),
    ] {
        assert!(!logs.contains(secret), "{secret} is in the logs:\n{logs}");
    }
    assert!(
        logs.contains("nothing is moved"),
        "a wrong start is told:\n{logs}"
    );
}
