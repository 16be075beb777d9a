//! The connector to AWS: the SDK's HTTP client, in process, with everything that can go wrong.
//!
//! Faults that AWS itself answers with are injected by the embedded services' own fault plan;
//! what happens on the way is injected here, so that it is known whether a request whose
//! answer was lost had its effect.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use embedded::{Embedded, Fault};
use serde_json::Value;
use tokio::time::sleep;

use crate::borders::faults::{AwsOutcome, Part};
use crate::oracle::plain;
use crate::report::Mutation;
use crate::shared::{Caller, Shared, caller};

/// Longer than the clients wait for one try.
const TOO_LONG: Duration = Duration::from_secs(3);

#[derive(Clone)]
pub(crate) struct AwsConnector {
    shared: Arc<Shared>,
    inner: Arc<Mutex<Option<SharedHttpConnector>>>,
    aws: Embedded,
    /// The fault with which the embedded services answer the next request.
    fault: Arc<Mutex<Option<Fault>>>,
}

impl std::fmt::Debug for AwsConnector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsConnector").finish_non_exhaustive()
    }
}

impl AwsConnector {
    pub(crate) fn client(shared: Arc<Shared>, aws: Embedded) -> SharedHttpClient {
        let fault: Arc<Mutex<Option<Fault>>> = Arc::default();
        let next = Arc::clone(&fault);
        aws.plan_faults(move |_| next.lock().unwrap().take());
        SharedHttpClient::new(Self {
            shared,
            inner: Arc::default(),
            aws,
            fault,
        })
    }

    async fn carry(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request
            .headers()
            .get("x-amz-target")
            .unwrap_or_default()
            .to_owned();
        let (service, operation) = target.split_once('.').unwrap_or_default();
        let part = match service {
            "AWSEvents" => Part::Bus,
            "secretsmanager" => Part::Secrets,
            _ => Part::Table,
        };
        if caller() == Caller::Simulation {
            return self.perform(request).await;
        }
        if let Some(run) = caller().run() {
            let mut inner = self.shared.lock();
            if let Some(history) = inner.oracle.runs.get_mut(&run) {
                *history.table.entry(operation.to_owned()).or_default() += 1;
                if operation == "Query" && matches!(caller(), Caller::Park(_)) {
                    history.looks_anew();
                }
            }
        }
        let (aws_outcome, there, back) = {
            let mut inner = self.shared.lock();
            inner.totals.requests += 1;
            let faults = &mut inner.faults;
            (
                faults.aws_outcome(part),
                faults.way_to_aws(),
                faults.way_to_aws(),
            )
        };
        if aws_outcome != AwsOutcome::Good {
            let mut inner = self.shared.lock();
            inner.totals.count(aws_outcome.name());
            inner.trace(self.shared.now(), || {
                format!(
                    "  aws: {} ({operation}, {:?})",
                    aws_outcome.name(),
                    caller()
                )
            });
        }
        let lost = || ConnectorError::io("the connection was lost (an injected fault)".into());
        sleep(there).await;
        match aws_outcome {
            AwsOutcome::RequestLost => return Err(lost()),
            AwsOutcome::SlowBefore => sleep(TOO_LONG).await,
            AwsOutcome::Throttled => *self.fault.lock().unwrap() = Some(Fault::Throttle),
            AwsOutcome::InternalError => *self.fault.lock().unwrap() = Some(Fault::InternalError),
            AwsOutcome::Good | AwsOutcome::ResponseLost | AwsOutcome::SlowAfter => {}
        }
        let response = self.reaches(operation, request).await?;
        sleep(back).await;
        match aws_outcome {
            AwsOutcome::ResponseLost => return Err(lost()),
            AwsOutcome::SlowAfter => sleep(TOO_LONG).await,
            _ => {}
        }
        Ok(response)
    }

    /// Lets the request have its effect, and tells the oracle.
    async fn reaches(
        &self,
        operation: &str,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        self.shared.catch_up();
        let body = match operation {
            "PutItem" | "PutEvents" => body_of(request.body()),
            _ => Value::Null,
        };
        let (request, body) = self.mutated(operation, request, body);
        let feigned = match operation {
            "PutItem" => {
                self.shared.errs(Mutation::AcknowledgedOnly)
                    && self.shared.lock().faults.rng.u8(..10) == 0
            }
            "PutEvents" => self.shared.errs(Mutation::LostNotices),
            _ => false,
        };
        let response = if feigned {
            self.fault.lock().unwrap().take();
            feigned_answer(operation, &body)
        } else {
            self.perform(request).await?
        };
        if !response.status().is_success() {
            return Ok(response);
        }
        match operation {
            "PutItem" if !feigned => {
                let item = plain(&body["Item"]);
                let key = item[store::KEY].as_str().unwrap_or_default();
                let checked = match key.starts_with(store::NOTE_PREFIX) {
                    true => Ok(()),
                    false => self.shared.lock().oracle.stored(caller(), &item),
                };
                let mut inner = self.shared.lock();
                if let Caller::Park(run) = caller() {
                    let now = self.shared.now();
                    inner.oracle.parks_manually(run, now);
                }
                inner.totals.records += 1;
                inner.trace(self.shared.now(), || {
                    format!("  {:?} stores {item}", caller())
                });
                drop(inner);
                self.shared.check(checked);
            }
            "GetItem" => self.read(&body_of(response.body())),
            "PutEvents" if !feigned => self.published(&body, &body_of(response.body())),
            _ => {}
        }
        Ok(self.answered(operation, response))
    }

    fn read(&self, answer: &Value) {
        let Some(run) = caller().run() else { return };
        let item = plain(&answer["Item"]);
        let Ok(record) = serde_json::from_value::<domain::Channel>(item) else {
            return;
        };
        let mut inner = self.shared.lock();
        let told = inner.oracle.agent_was_told(record.sid().as_str());
        let waiting = inner.oracle.customer_was_told_last(record.sid().as_str());
        if let Some(history) = inner.oracle.runs.get_mut(&run) {
            let channel = record.sid().to_string();
            history.told.insert(channel.clone(), told);
            history.waiting.insert(channel.clone(), waiting);
            history.records.insert(channel, record);
        }
    }

    /// Notices were put on the bus.
    fn published(&self, body: &Value, answer: &Value) {
        let entries = body["Entries"].as_array().into_iter().flatten();
        let results = answer["Entries"].as_array().into_iter().flatten();
        for (entry, result) in entries.zip(results) {
            if !result["ErrorCode"].is_null() {
                continue;
            }
            let text = entry["Detail"].as_str().unwrap_or_default();
            let detail: Value = serde_json::from_str(text).unwrap_or_default();
            let mut inner = self.shared.lock();
            let checked = inner.oracle.personal.search("a notice", text);
            if let Some(id) = detail["id"].as_str() {
                inner.oracle.told.insert(id.to_owned());
            }
            inner.totals.notices += 1;
            let kind = entry["DetailType"].as_str().unwrap_or_default().to_owned();
            if kind == "CloseRaced" {
                inner.totals.count("races told");
            }
            inner.trace(self.shared.now(), || format!("  bus: {kind} {text}"));
            if kind == runtime::NoticeKind::ReplyReceived.name() {
                inner.replies.push(entry.clone());
                self.shared.replied.notify_one();
            }
            drop(inner);
            self.shared.check(checked);
        }
    }

    async fn perform(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let connector = self.inner.lock().unwrap().clone();
        let Some(connector) = connector else {
            return Err(ConnectorError::other("no connector".into(), None));
        };
        connector.call(request).await
    }

    /// Returns the request as the mutation changes it.
    fn mutated(
        &self,
        operation: &str,
        mut request: HttpRequest,
        mut body: Value,
    ) -> (HttpRequest, Value) {
        let errs = |mutation| self.shared.errs(mutation);
        let address = "+15550190000";
        if operation == "PutItem" && errs(Mutation::NoCondition) {
            for name in [
                "ConditionExpression",
                "ExpressionAttributeValues",
                "ReturnValuesOnConditionCheckFailure",
            ] {
                body.as_object_mut().unwrap().remove(name);
            }
        } else if operation == "PutItem" && errs(Mutation::Unannounced) {
            let tasks = body.pointer_mut("/Item/parking/M");
            for (_, task) in tasks.and_then(Value::as_object_mut).into_iter().flatten() {
                if let Some(fields) = task.pointer_mut("/M").and_then(Value::as_object_mut) {
                    fields.remove("announced");
                }
            }
        } else if operation == "PutItem" && errs(Mutation::NotesByTime) {
            let is_park = matches!(caller(), Caller::Park(_));
            let tasks = body.pointer_mut("/Item/parking/M").filter(|_| is_park);
            let moment = self.shared.now().as_millis() / 1_000;
            for (_, task) in tasks.and_then(Value::as_object_mut).into_iter().flatten() {
                if let Some(version) = task.pointer_mut("/M/placement/M/version/N") {
                    *version = moment.to_string().into();
                }
            }
        } else if operation == "PutItem" && errs(Mutation::RescuesUnannounced) {
            if body.pointer("/Item/rescue/M/state/S") == Some(&"announced".into()) {
                body["Item"].as_object_mut().unwrap().remove("rescue");
            }
        } else if operation == "PutItem" && errs(Mutation::TalkativeRecords) {
            body["Item"]["from"] = serde_json::json!({ "S": address });
        } else if operation == "PutEvents" && errs(Mutation::TalkativeNotices) {
            for entry in body["Entries"].as_array_mut().into_iter().flatten() {
                let text = entry["Detail"].as_str().unwrap_or_default();
                let mut detail: Value = serde_json::from_str(text).unwrap_or_default();
                detail["from"] = address.into();
                entry["Detail"] = detail.to_string().into();
            }
        } else {
            return (request, body);
        }
        *request.body_mut() = SdkBody::from(body.to_string());
        (request, body)
    }

    /// Returns the answer as the mutation changes it.
    fn answered(&self, operation: &str, mut response: HttpResponse) -> HttpResponse {
        let body = match operation {
            "Query" if self.shared.errs(Mutation::EmptyIndex) => {
                serde_json::json!({ "Items": [], "Count": 0, "ScannedCount": 0 })
            }
            "GetItem" if self.shared.errs(Mutation::EndsForgotten) => {
                let mut body = body_of(response.body());
                let tasks = body.pointer_mut("/Item/tasks/M");
                for (_, task) in tasks.and_then(Value::as_object_mut).into_iter().flatten() {
                    if let Some(fields) = task.pointer_mut("/M").and_then(Value::as_object_mut) {
                        fields.remove("ended");
                    }
                }
                body
            }
            _ => return response,
        };
        *response.body_mut() = SdkBody::from(body.to_string());
        response
    }
}

fn feigned_answer(operation: &str, body: &Value) -> HttpResponse {
    let entries = body["Entries"].as_array().map_or(0, Vec::len);
    let answer = match operation {
        "PutEvents" => serde_json::json!({
            "FailedEntryCount": 0,
            "Entries": vec![serde_json::json!({ "EventId": "feigned" }); entries],
        }),
        _ => serde_json::json!({}),
    };
    HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer.to_string()))
}

fn body_of(body: &SdkBody) -> Value {
    serde_json::from_slice(body.bytes().unwrap_or_default()).unwrap_or_default()
}

impl HttpClient for AwsConnector {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.aws.http_client().http_connector(settings, components);
        *self.inner.lock().unwrap() = Some(connector);
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for AwsConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().carry(request))
    }
}
