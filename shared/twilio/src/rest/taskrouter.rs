//! TaskRouter: which tasks are open.
//!
//! What these lists leave out may be closed, so they are whole or they are an error: an entry
//! that cannot be read, a next page that is elsewhere or pages without end fail the call.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::{ChannelSid, TaskSid, WorkspaceSid};
use form_urlencoded::Serializer;
use serde_json::value::RawValue;

use super::client::Client;
use super::client::base::Product;
use super::client::call::Call;
use super::client::error::{TwilioError, Why};
use super::client::page::next_url;
use super::moves::TaskVersion;
use crate::events::{TaskSeen, TaskStatus, read_task};
use crate::json;

/// The tasks that count as open, as the list's filter takes them (Twilio's own samples and
/// OpenAPI examples separate them by commas).
const OPEN: &str = "pending,reserved,assigned,wrapping";

/// The most that a page may hold (Twilio, OpenAPI of TaskRouter).
const PAGE_SIZE: &str = "1000";

/// More pages than this are not asked for: 200,000 open tasks.
const MAX_PAGES: usize = 200;

/// The most channels that one question names. Each takes 86 characters of a URL, so that this
/// keeps it under 4 KB.
pub const CHANNELS_PER_QUESTION: usize = 40;

/// The same where each channel takes 145 characters.
const CHANNELS_PER_LONG_QUESTION: usize = 20;

/// The memory that TaskRouter refused the operator `IN` and took `==`. A process keeps one for
/// all its clients: each refused question is an error in the customer's Debugger.
#[derive(Debug, Default)]
pub struct RefusedOperators(AtomicBool);

/// A way to ask for the tasks of some channels. Twilio documents both operators
/// (<https://www.twilio.com/docs/taskrouter/expression-syntax>), and its samples of this
/// parameter show `==` alone.
#[derive(Clone, Copy)]
enum Operator {
    In,
    Equals,
}

impl Client {
    /// Lists the open tasks of a workspace. Twilio may leave their attributes out.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used. A
    /// workspace that does not exist is [`TwilioError::Gone`].
    pub async fn open_tasks(&self, workspace: WorkspaceSid) -> Result<Vec<TaskSeen>, TwilioError> {
        self.list_tasks(workspace, None).await
    }

    /// Lists the open tasks whose attributes name one of these channels, as a Chat channel or
    /// as a Conversation. The questions are asked one after the other, at Twilio's pace, without
    /// an operator that was refused before.
    ///
    /// # Errors
    ///
    /// Fails if one of the lists cannot be read as a whole.
    pub async fn open_tasks_on(
        &self,
        workspace: WorkspaceSid,
        channels: &[ChannelSid],
        refused: &RefusedOperators,
    ) -> Result<Vec<TaskSeen>, TwilioError> {
        if !refused.0.load(Ordering::Relaxed) {
            match self.list_tasks_of(workspace, channels, Operator::In).await {
                Err(TwilioError::Refused { status: 400, .. }) => {}
                answer => return answer,
            }
        }
        let tasks = self
            .list_tasks_of(workspace, channels, Operator::Equals)
            .await?;
        refused.0.store(true, Ordering::Relaxed);
        Ok(tasks)
    }

    async fn list_tasks_of(
        &self,
        workspace: WorkspaceSid,
        channels: &[ChannelSid],
        operator: Operator,
    ) -> Result<Vec<TaskSeen>, TwilioError> {
        let mut tasks = Vec::new();
        for channels in channels.chunks(operator.channels_per_question()) {
            let question = operator.question_about(channels);
            tasks.extend(self.list_tasks(workspace, Some(&question)).await?);
        }
        Ok(tasks)
    }

    /// Looks a task up. Nothing if TaskRouter does not know it, which it forgets about five
    /// minutes after its end. The same is said of every task of a workspace that does not
    /// exist: a list of it fails, so list first.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the call, asks to slow down, or gives no answer that can be used.
    pub async fn task(
        &self,
        workspace: WorkspaceSid,
        task: TaskSid,
    ) -> Result<Option<TaskSeen>, TwilioError> {
        let path = format!("{}/{task}", tasks_path(workspace));
        let read = |text: &str| read_task(text).ok().filter(|seen| seen.sid == task);
        match self.ask(Call::get(Product::TaskRouter, path), read).await {
            Ok(seen) => Ok(Some(seen)),
            Err(TwilioError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Completes a task that is in wrap-up, if it still is this version. A task of an
    /// interaction is ended through its participant instead. It is tried once. Returns the
    /// task as Twilio says it is now.
    ///
    /// # Errors
    ///
    /// Fails with [`TwilioError::Conflict`] where the task changed meanwhile, and if Twilio
    /// refuses or does not answer.
    pub async fn complete_task(
        &self,
        workspace: WorkspaceSid,
        version: &TaskVersion,
        reason: &str,
    ) -> Result<TaskSeen, TwilioError> {
        let task = version.seen.sid;
        let path = format!("{}/{task}", tasks_path(workspace));
        let form = [("AssignmentStatus", "completed"), ("Reason", reason)];
        let call = Call::post(Product::TaskRouter, path, &form)
            .if_match(&version.etag)
            .once();
        let read = |text: &str| read_task(text).ok().filter(|seen| seen.sid == task);
        self.ask(call, read).await
    }

    async fn list_tasks(
        &self,
        workspace: WorkspaceSid,
        question: Option<&str>,
    ) -> Result<Vec<TaskSeen>, TwilioError> {
        let path = tasks_path(workspace);
        let query = tasks_query(question);
        let mut tasks = Vec::new();
        let mut page_path = format!("{path}?{query}");
        for _ in 0..MAX_PAGES {
            let call = Call::get(Product::TaskRouter, page_path);
            let call = match question {
                Some(_) => call.evaluating(),
                None => call,
            };
            let page = self.ask(call, read_page).await?;
            // Whatever the filter does, a task that has ended is not open.
            let open = |task: &TaskSeen| matches!(task.status, TaskStatus::Open(_));
            tasks.extend(page.tasks.into_iter().filter(open));
            let Some(next) = page.next else {
                return Ok(tasks);
            };
            page_path = self
                .hosts()
                .path_of(Product::TaskRouter, &next)
                .filter(|next| next.split('?').next() == Some(&path))
                .ok_or_else(TwilioError::garbage)?;
        }
        Err(TwilioError::Unreachable { why: Why::Endless })
    }
}

impl Operator {
    const fn channels_per_question(self) -> usize {
        match self {
            Self::In => CHANNELS_PER_QUESTION,
            Self::Equals => CHANNELS_PER_LONG_QUESTION,
        }
    }

    fn question_about(self, channels: &[ChannelSid]) -> String {
        match self {
            Self::In => {
                let quoted: Vec<String> = channels.iter().map(|sid| format!("\"{sid}\"")).collect();
                let list = quoted.join(",");
                format!("channelSid IN [{list}] OR conversationSid IN [{list}]")
            }
            Self::Equals => {
                let either =
                    |sid| format!("channelSid == \"{sid}\" OR conversationSid == \"{sid}\"");
                let questions: Vec<String> = channels.iter().map(either).collect();
                questions.join(" OR ")
            }
        }
    }
}

fn tasks_query(question: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("AssignmentStatus", OPEN);
    query.append_pair("PageSize", PAGE_SIZE);
    if let Some(question) = question {
        query.append_pair("EvaluateTaskAttributes", question);
    }
    // Both ways of writing a space are right in a query; this one is right everywhere.
    query.finish().replace('+', "%20")
}

fn tasks_path(workspace: WorkspaceSid) -> String {
    format!("/v1/Workspaces/{workspace}/Tasks")
}

struct Page {
    tasks: Vec<TaskSeen>,
    next: Option<String>,
}

fn read_page(text: &str) -> Option<Page> {
    let [tasks] = json::members(text, ["tasks"]).ok()?;
    let tasks: Vec<&RawValue> = serde_json::from_str(tasks?.get()).ok()?;
    let tasks = tasks.into_iter().map(|task| read_task(task.get()).ok());
    Some(Page {
        tasks: tasks.collect::<Option<_>>()?,
        next: next_url(text)?,
    })
}
