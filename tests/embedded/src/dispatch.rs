//! Finds the service and operation of a request, counts it, and injects the fault that a test planned.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use crate::answer::{Answer, lock};
use crate::bus::PretendBus;
use crate::dynamo::Engine;
use crate::secrets::PretendSecrets;

/// The AWS services that are pretended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// EventBridge.
    EventBridge,
    /// Secrets Manager.
    SecretsManager,
}

/// One request, as a fault plan sees it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The service.
    pub service: Service,
    /// The operation's name, such as `PutItem`.
    pub operation: &'a str,
    /// Number of requests of this operation before this one; retries count.
    pub nth: u64,
    /// The request's JSON.
    pub body: &'a str,
}

/// A fault that a test injects into a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused for too many requests, without an effect: for DynamoDB
    /// `ProvisionedThroughputExceededException`, else `ThrottlingException`.
    Throttle,
    /// HTTP 500 without an effect.
    InternalError,
    /// The connection fails before the service has seen the request.
    LoseRequest,
    /// The effect happens, then the connection fails.
    LoseResponse,
    /// The service answers, but only after this time on tokio's clock. In-process requests
    /// otherwise never yield, so a delay of zero is the way to let others run in between.
    Delay(Duration),
}

/// Counts of the requests of one operation and of what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Requests, retries and faults included.
    pub requests: u64,
    /// Requests that were answered with an error, be it injected or the service's own.
    pub refused: u64,
    /// Requests whose connection was made to fail.
    pub lost: u64,
    /// DynamoDB capacity used: read units for reads, write units for writes, the indexes
    /// included. Batches, transactions and refused writes are not counted.
    pub units: f64,
}

/// The connection failed: the caller gets no answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was lost (an injected fault)")]
pub(crate) struct Lost;

type Plan = Box<dyn FnMut(&Call<'_>) -> Option<Fault> + Send>;

pub(crate) struct Dispatch {
    dynamo: Engine,
    bus: PretendBus,
    secrets: PretendSecrets,
    plan: Mutex<Option<Plan>>,
    calls: Mutex<BTreeMap<String, Tally>>,
}

impl fmt::Debug for Dispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatch").finish_non_exhaustive()
    }
}

impl Dispatch {
    pub(crate) fn new(dynamo: Engine, bus: PretendBus, secrets: PretendSecrets) -> Self {
        Self {
            dynamo,
            bus,
            secrets,
            plan: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    pub(crate) fn plan_faults(&self, plan: Option<Plan>) {
        *lock(&self.plan) = plan;
    }

    pub(crate) fn calls(&self) -> BTreeMap<String, Tally> {
        lock(&self.calls).clone()
    }

    pub(crate) fn forget_calls(&self) {
        lock(&self.calls).clear();
    }

    /// Answers one request; `target` is its `X-Amz-Target`.
    pub(crate) async fn answer(&self, target: &str, body: &str) -> Result<Answer, Lost> {
        let Some((service, operation)) = route(target) else {
            return Ok(Answer::error(
                400,
                "UnknownOperationException",
                "no pretend service offers this operation",
            ));
        };
        let counted = counted(operation, body);
        let nth = {
            let mut calls = lock(&self.calls);
            let tally = calls.entry(counted.clone()).or_default();
            tally.requests += 1;
            tally.requests - 1
        };
        let call = Call {
            service,
            operation,
            nth,
            body,
        };
        let fault = lock(&self.plan).as_mut().and_then(|plan| plan(&call));
        let outcome = match fault {
            None => Ok(self.perform(&call)),
            Some(Fault::Delay(time)) => {
                // A zero sleep does not yield, and yielding is what it is asked for.
                if time.is_zero() {
                    tokio::task::yield_now().await;
                } else {
                    tokio::time::sleep(time).await;
                }
                Ok(self.perform(&call))
            }
            Some(Fault::Throttle) => Ok(throttle(service)),
            Some(Fault::InternalError) => Ok(internal_error(service)),
            Some(Fault::LoseRequest) => Err(Lost),
            Some(Fault::LoseResponse) => {
                self.perform(&call);
                Err(Lost)
            }
        };
        let mut calls = lock(&self.calls);
        let tally = calls.entry(counted).or_default();
        match &outcome {
            Ok(answer) => {
                tally.units += answer.units;
                tally.refused += u64::from(answer.status >= 400);
            }
            Err(Lost) => tally.lost += 1,
        }
        outcome
    }

    fn perform(&self, call: &Call<'_>) -> Answer {
        match call.service {
            Service::DynamoDb => self.dynamo.answer(call.operation, call.body),
            Service::EventBridge => self.bus.answer(call.operation, call.body),
            Service::SecretsManager => self.secrets.answer(call.operation, call.body),
        }
    }
}

/// Returns the name that a request is counted by. Notes are counted by themselves, so that the
/// counts of records are exact, whenever a function leaves a note.
fn counted(operation: &str, body: &str) -> String {
    match body.contains(r#""S":"note:"#) {
        true => format!("{operation} of notes"),
        false => operation.to_owned(),
    }
}

fn route(target: &str) -> Option<(Service, &str)> {
    let (prefix, operation) = target.split_once('.')?;
    let service = match prefix {
        "DynamoDB_20120810" => Service::DynamoDb,
        "AWSEvents" => Service::EventBridge,
        "secretsmanager" => Service::SecretsManager,
        _ => return None,
    };
    Some((service, operation))
}

fn throttle(service: Service) -> Answer {
    let kind = match service {
        Service::DynamoDb => {
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
        }
        Service::EventBridge | Service::SecretsManager => "ThrottlingException",
    };
    Answer::error(400, kind, "rate exceeded (an injected fault)")
}

fn internal_error(service: Service) -> Answer {
    let kind = match service {
        Service::DynamoDb => "com.amazonaws.dynamodb.v20120810#InternalServerError",
        Service::EventBridge => "InternalException",
        Service::SecretsManager => "InternalServiceError",
    };
    Answer::error(500, kind, "internal error (an injected fault)")
}
