//! Flows of Studio, as far as they lead to Flex.

use domain::StudioFlowSid;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::fields::{text, word};
use super::{Listed, record};
use crate::rest::client::Client;
use crate::rest::client::base::Product;
use crate::rest::client::call::Call;
use crate::rest::client::error::TwilioError;

/// The path of the flows.
const PATH: &str = "/v2/Flows";

/// The most that a page may hold (Twilio, OpenAPI of Studio).
const PAGE_SIZE: u16 = 1000;

/// The kind of widget that hands a contact over to Flex.
const SEND_TO_FLEX: &str = "send-to-flex";

/// A flow of Studio: its newest revision.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StudioFlow {
    /// The flow.
    pub sid: StudioFlowSid,
    /// `published` or `draft`.
    #[serde(default, deserialize_with = "word")]
    pub status: String,
    /// True if Studio finds it valid; `None` if it does not say.
    #[serde(default)]
    pub valid: Option<bool>,
    /// Its widgets, the trigger among them.
    #[serde(default, rename = "definition", deserialize_with = "widgets")]
    pub widgets: Vec<Widget>,
}

/// A widget of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widget {
    /// Its name, which the flow's author gave it.
    pub name: String,
    /// Its type: `trigger`, `send-to-flex`, `run-subflow` and so on.
    pub kind: String,
    /// The ways to the next widgets.
    pub transitions: Vec<Transition>,
    /// The task that it makes, if it hands over to Flex.
    pub send_to_flex: Option<SendToFlex>,
}

/// A way from a widget to another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Transition {
    /// The event that takes this way.
    #[serde(default, deserialize_with = "word")]
    pub event: String,
    /// The widget that is next; none where the way ends.
    #[serde(default, deserialize_with = "text")]
    pub next: Option<String>,
}

/// The task that a Send to Flex widget makes. Each field may be a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SendToFlex {
    /// The workflow's SID.
    #[serde(default, deserialize_with = "text")]
    pub workflow: Option<String>,
    /// The TaskChannel's SID.
    #[serde(default, deserialize_with = "text")]
    pub channel: Option<String>,
    /// The task's attributes: a template of a JSON text, which need not be one before Studio
    /// has filled it in.
    #[serde(default, deserialize_with = "written")]
    pub attributes: Option<String>,
}

#[derive(Deserialize)]
struct Listing {
    sid: StudioFlowSid,
}

#[derive(Deserialize)]
struct Definition {
    #[serde(default)]
    states: Vec<Value>,
}

#[derive(Deserialize)]
struct State {
    #[serde(default, deserialize_with = "word")]
    name: String,
    #[serde(default, rename = "type", deserialize_with = "word")]
    kind: String,
    #[serde(default)]
    transitions: Vec<Transition>,
    #[serde(default)]
    properties: Value,
}

impl StudioFlow {
    /// Returns true if its newest revision takes contacts.
    pub fn is_published(&self) -> bool {
        self.status == "published"
    }
}

impl Client {
    /// Lists all flows, without their widgets.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses a request, gives no usable answer, or the list has too many pages.
    pub async fn studio_flows(&self) -> Result<Listed<StudioFlowSid>, TwilioError> {
        let listed: Listed<Listing> = self
            .whole(Product::Studio, PATH.to_owned(), "flows", PAGE_SIZE)
            .await?;
        Ok(Listed {
            items: listed.items.into_iter().map(|flow| flow.sid).collect(),
            unreadable: listed.unreadable,
        })
    }

    /// Reads a flow with its widgets.
    ///
    /// # Errors
    ///
    /// Fails with [`TwilioError::Gone`] if it does not exist, and if Twilio refuses the request or
    /// gives no usable answer.
    pub async fn studio_flow(&self, flow: StudioFlowSid) -> Result<StudioFlow, TwilioError> {
        let call = Call::get(Product::Studio, format!("{PATH}/{flow}"));
        let read = |text: &str| record(text).filter(|seen: &StudioFlow| seen.sid == flow);
        self.ask(call, read).await
    }
}

/// The widgets of a definition; a state that is none is left out.
fn widgets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Widget>, D::Error> {
    let mut definition = Value::deserialize(deserializer)?;
    if let Value::String(text) = &definition {
        definition = serde_json::from_str(text).unwrap_or_default();
    }
    let definition = serde_json::from_value(definition).unwrap_or(Definition { states: vec![] });
    let states = definition.states.into_iter();
    Ok(states
        .filter_map(|state| serde_json::from_value(state).ok())
        .map(|state: State| Widget {
            send_to_flex: (state.kind == SEND_TO_FLEX)
                .then(|| serde_json::from_value(state.properties).unwrap_or_default()),
            name: state.name,
            kind: state.kind,
            transitions: state.transitions,
        })
        .collect())
}

/// A text, or the text of whatever else it is.
fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let text = value.as_str().map(str::to_owned);
    Ok(text.or_else(|| (!value.is_null()).then(|| value.to_string())))
}
