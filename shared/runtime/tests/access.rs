//! The client of Twilio, and the SIDs of the Flex project.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use domain::Timestamp;
use embedded::Embedded;
use futures::future::{BoxFuture, FutureExt as _};
use http::{Request, Response, header};
use runtime::access::{FlexIds, client};
use runtime::common::TwilioAccount;
use runtime::secrets::{Need, REFRESH_INTERVAL};
use runtime::{AccessError, Aws, Secrets, lock};
use twilio::rest::{Transport, TransportError, TwilioError};

const NOON: Timestamp = Timestamp::from_millis(43_200_000);
const SECOND: Duration = Duration::from_secs(1);
const WORKSPACE: &str = "WS00000000000000000000000000000001";
const SERVICE: &str = "IS00000000000000000000000000000001";

/// Answers the Flex configuration, and 401 to every key but one.
struct Twilio {
    configuration: String,
    good_key: &'static str,
    asked: Mutex<usize>,
}

impl Transport for Twilio {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        *lock(&self.asked) += 1;
        let given = request.headers()[header::AUTHORIZATION].to_str().unwrap();
        let good = given == self.good_key;
        let status = if good { 200 } else { 401 };
        let answer = Response::builder().status(status);
        let answer = answer.body(Bytes::from(self.configuration.clone()));
        async { Ok(answer.unwrap()) }.boxed()
    }
}

fn twilio(configuration: &str) -> Arc<Twilio> {
    Arc::new(Twilio {
        configuration: configuration.to_owned(),
        // "AC00000000000000000000000000000001:mended", in base64.
        good_key: "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTptZW5kZWQ=",
        asked: Mutex::default(),
    })
}

fn account() -> TwilioAccount {
    TwilioAccount {
        sid: "AC00000000000000000000000000000001".parse().unwrap(),
        api_url: None,
        edge: None,
        region: None,
    }
}

fn secrets(aws: &Embedded) -> Secrets {
    let client = Aws::with_http_client(aws.http_client()).secrets_manager();
    Secrets::stored(client, "twilio".to_owned(), Need::Rest)
}

fn put(aws: &Embedded, token: &str) {
    let text = format!("{{\"TWILIO_AUTH_TOKENS\":\"{token}\"}}");
    aws.secrets.put("twilio", text);
}

#[tokio::test]
async fn a_key_that_was_mended_is_used_by_the_next_client() {
    let aws = Embedded::memory().unwrap();
    let (secrets, account) = (secrets(&aws), account());
    let transport: Arc<dyn Transport> = twilio("{}");
    let ask = async |now| {
        let client = client(&secrets, &account, &transport, 1, now)
            .await
            .unwrap();
        client.flex_configuration().await
    };
    put(&aws, "revoked");
    for now in [NOON, NOON.plus(SECOND)] {
        let refused = ask(now).await;
        assert!(matches!(refused, Err(TwilioError::Unauthorized { .. })));
    }
    // The cache would keep the old key for five minutes.
    put(&aws, "mended");
    assert!(ask(NOON.plus(SECOND).plus(REFRESH_INTERVAL)).await.is_ok());
}

#[tokio::test]
async fn the_settings_come_before_the_flex_configuration() {
    let aws = Embedded::memory().unwrap();
    put(&aws, "mended");
    let (secrets, account) = (secrets(&aws), account());
    let both = format!(
        "{{\"taskrouter_workspace_sid\":\"{WORKSPACE}\",\"chat_service_instance_sid\":\"{SERVICE}\"}}"
    );
    let (workspace, service) = (WORKSPACE.parse().unwrap(), SERVICE.parse().unwrap());
    let look_up = async |configuration: &str, workspace, service| {
        let twilio = twilio(configuration);
        let transport: Arc<dyn Transport> = twilio.clone();
        let client = client(&secrets, &account, &transport, 1, NOON)
            .await
            .unwrap();
        let ids = FlexIds::look_up(&client, workspace, service).await;
        let asked = *lock(&twilio.asked);
        (ids, asked)
    };
    let expected = FlexIds {
        workspace,
        chat_service: Some(service),
    };
    let (ids, asked) = look_up("{}", Some(workspace), Some(service)).await;
    assert_eq!((ids.unwrap(), asked), (expected, 0));
    let (ids, asked) = look_up(&both, None, None).await;
    assert_eq!((ids.unwrap(), asked), (expected, 1));
    let (ids, _) = look_up("{}", Some(workspace), None).await;
    let missing = ids.unwrap().chat_service().unwrap_err();
    assert!(
        missing.to_string().contains("CHAT_SERVICE_SID"),
        "{missing}"
    );
    let (ids, _) = look_up("{}", None, Some(service)).await;
    assert!(matches!(ids, Err(AccessError::SettingMissing(_))));
}
