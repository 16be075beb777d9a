//! A client that speaks Twilio's form dialect without a socket.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::Value;
use simulator::{Project, Reply, Simulator};

/// Where the client believes Twilio to be.
pub(crate) const BASE: &str = "http://twilio.test:4010";

pub(crate) struct Client {
    pub(crate) simulator: Simulator,
    pub(crate) project: Project,
    pub(crate) authorization: String,
}

#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn sid(&self) -> String {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body["sid"].as_str().unwrap().to_owned()
    }

    pub(crate) fn etag(&self) -> String {
        self.headers["etag"].to_str().unwrap().to_owned()
    }

    pub(crate) fn refusal(&self) -> (u16, u64) {
        assert_eq!(self.body["status"], self.status, "{self:?}");
        (self.status, self.body["code"].as_u64().unwrap())
    }
}

impl Client {
    pub(crate) fn new() -> Self {
        let (simulator, project) = Simulator::with_flex(7).unwrap();
        let account = simulator.account();
        let authorization = basic(account.sid.as_str(), &account.auth_token);
        Self {
            simulator,
            project,
            authorization,
        }
    }

    pub(crate) fn chat(&self, rest: &str) -> String {
        format!("/chat/v2/Services/{}{rest}", self.project.chat_service)
    }

    pub(crate) fn proxy(&self, rest: &str) -> String {
        format!("/proxy/v1/Services/{}{rest}", self.project.proxy_service)
    }

    pub(crate) fn router(&self, rest: &str) -> String {
        format!("/taskrouter/v1/Workspaces/{}{rest}", self.project.workspace)
    }

    pub(crate) fn get(&self, path: &str) -> Seen {
        self.seen("GET", path, &[], String::new())
    }

    pub(crate) fn delete(&self, path: &str) -> Seen {
        self.seen("DELETE", path, &[], String::new())
    }

    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Seen {
        self.post_with(path, form, &[])
    }

    pub(crate) fn post_with(
        &self,
        path: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Seen {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let headers = [
            headers,
            &[("content-type", "application/x-www-form-urlencoded")],
        ]
        .concat();
        self.seen("POST", path, &headers, body)
    }

    /// Follows `next_page_url` to the end and returns what the pages held.
    pub(crate) fn all(&self, path: &str, key: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let page = self.get(&path);
            assert_eq!(page.status, 200, "{page:?}");
            assert_eq!(page.body["meta"]["key"], key);
            found.extend(page.body[key].as_array().unwrap().iter().cloned());
            next = page.body["meta"]["next_page_url"]
                .as_str()
                .map(|url| url.strip_prefix(BASE).unwrap().to_owned());
        }
        found
    }

    pub(crate) fn seen(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Seen {
        let response = self.send(method, path, headers, body).answer().unwrap();
        let body = if response.body().is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(response.body()).unwrap()
        };
        Seen {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body,
        }
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{BASE}{path}"))
            .header("authorization", &self.authorization);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.simulator
            .handle(request.body(Bytes::from(body)).unwrap())
    }
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
