//! The lists that an audit reads: TaskRouter's log, open Proxy sessions, Conversations that are not
//! closed, and the users of the chat service.

use std::collections::BTreeMap;

use domain::{
    AccountSid, Channel, ChannelSid, ChatServiceSid, HeldOpenBy, Pairs, ProxyServiceSid, TaskSid,
    Timestamp, WorkspaceSid,
};
use store::ChannelEvents;
use twilio::events::{Acceptance, Batch, Scope};
use twilio::rest::{
    ChatUser, Client, ConversationFilter, ConversationSeen, Cursor, LogPage, LogQuery, OpenSession,
    Page, StateFilter, TwilioError,
};

use crate::gather::{Gathered, gather};
use crate::judge::Held;
use crate::report::{CrowdedUser, NEAR_CONVERSATIONS};
use crate::state::{Entries, List, State};

/// The content of TaskRouter's log.
#[derive(Default)]
pub(crate) struct Log {
    /// The record of each channel that the log names.
    pub(crate) records: BTreeMap<ChannelSid, Channel>,
    /// The time at which each task was accepted first, and its channel.
    pub(crate) accepted: BTreeMap<TaskSid, (Timestamp, ChannelSid)>,
}

/// The channels that a list shows as open.
pub(crate) type HeldChannels = BTreeMap<ChannelSid, Held>;

/// The lists of one project, and where it is noted how much of them was read.
#[derive(Clone, Copy)]
pub(crate) struct Lists<'a> {
    pub(crate) twilio: &'a Client,
    pub(crate) state: &'a State,
}

impl Lists<'_> {
    /// Reads the log from a time to another and folds it, as the sweep does with what is
    /// streamed. Tells after each page what it has by then.
    pub(crate) async fn log(
        self,
        account: AccountSid,
        workspace: WorkspaceSid,
        (from, to): (Timestamp, Timestamp),
        tell: impl Fn(&Log),
    ) -> Log {
        let query = LogQuery {
            from,
            to,
            event_type: None,
        };
        let scope = Scope {
            account: Some(account),
            workspace: Some(workspace),
            pairs: Pairs::default(),
        };
        let ask = async |after: Option<Cursor>| {
            let page = self
                .twilio
                .event_log(workspace, query, &scope, after.as_ref());
            page.await
        };
        let add = |log: &mut Log, page: LogPage| {
            let entries = log.fold(page.batch);
            tell(log);
            entries
        };
        gather(self.state, List::Log, ask, add).await.found
    }

    /// Lists the open Proxy sessions of the service that a chat service is connected with.
    pub(crate) async fn sessions(
        self,
        service: ChatServiceSid,
        proxy: Option<ProxyServiceSid>,
    ) -> HeldChannels {
        let proxy = match proxy {
            Some(proxy) => Some(proxy),
            None => {
                let found = self.twilio.proxy_service_of(service).await;
                let found = found.map_err(TwilioError::from);
                self.state.heard(List::Sessions.name(), found).flatten()
            }
        };
        // A project without Proxy is one that has Conversations only.
        let Some(proxy) = proxy else {
            return HeldChannels::default();
        };
        let ask = async |after: Option<Cursor>| {
            let page = self.twilio.open_proxy_sessions(proxy, after.as_ref());
            page.await
        };
        gather(self.state, List::Sessions, ask, add_sessions)
            .await
            .found
    }

    /// Lists the Conversations of a service that are in this state.
    pub(crate) async fn conversations(
        self,
        service: ChatServiceSid,
        list: List,
        state: StateFilter,
    ) -> Gathered<HeldChannels> {
        let filter = ConversationFilter {
            state: Some(state),
            ..ConversationFilter::default()
        };
        let ask = async |after: Option<Cursor>| {
            let page = self.twilio.conversations(service, filter, after.as_ref());
            page.await
        };
        gather(self.state, list, ask, add_conversations).await
    }

    /// Finds the users that are in nearly as many Conversations as Twilio allows, fullest first.
    pub(crate) async fn crowded_users(self, service: ChatServiceSid) -> Vec<CrowdedUser> {
        let ask = async |after: Option<Cursor>| {
            let page = self.twilio.chat_users(service, after.as_ref());
            page.await
        };
        let add = |crowded: &mut Vec<CrowdedUser>, page: Page<ChatUser>| {
            let entries = entries_of(&page);
            let near = page.items.into_iter();
            let near = near.filter(|user| user.joined_channels >= NEAR_CONVERSATIONS);
            crowded.extend(near.map(|user| CrowdedUser {
                user_sid: user.sid,
                conversations: user.joined_channels,
            }));
            crowded.sort_by_key(|user| std::cmp::Reverse(user.conversations));
            entries
        };
        gather(self.state, List::Users, ask, add).await.found
    }
}

impl Log {
    fn fold(&mut self, batch: Batch) -> Entries {
        for Acceptance { task, channel, at } in batch.acceptances {
            let first = self.accepted.entry(task).or_insert((at, channel));
            first.0 = first.0.min(at);
        }
        for events in ChannelEvents::by_channel(batch.facts) {
            let unknown = || Channel::new(events.channel(), events.platform());
            let record = self.records.entry(events.channel());
            events.apply(record.or_insert_with(unknown));
        }
        Entries {
            read: batch.received,
            unreadable: batch.rejected.len(),
        }
    }
}

fn add_sessions(held: &mut HeldChannels, page: Page<OpenSession>) -> Entries {
    let entries = entries_of(&page);
    for session in page.items {
        let entry = Held {
            by: HeldOpenBy::Session,
            since: session.last_interaction_at.max(session.created_at),
            session: Some(session.sid),
        };
        // A session with another name is not one of Flex's.
        if let Some(channel) = session.channel {
            held.insert(channel, entry);
        }
    }
    entries
}

fn add_conversations(held: &mut HeldChannels, page: Page<ConversationSeen>) -> Entries {
    let mut entries = Entries {
        read: 0,
        unreadable: page.unreadable,
    };
    let open = page.items.iter().filter(|seen| seen.state.is_held_open());
    for seen in open {
        entries.read += 1;
        let entry = Held {
            by: HeldOpenBy::Conversation,
            since: seen.created_at,
            session: None,
        };
        held.insert(seen.sid, entry);
    }
    entries
}

const fn entries_of<T>(page: &Page<T>) -> Entries {
    Entries {
        read: page.items.len(),
        unreadable: page.unreadable,
    }
}
