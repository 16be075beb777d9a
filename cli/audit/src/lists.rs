//! The lists that an audit reads: TaskRouter's log, open Proxy sessions, Conversations that are not
//! closed, and the users of the chat service.

use std::collections::BTreeMap;

use domain::{
    AccountSid, Channel, ChannelSid, ChatServiceSid, ConversationState, HeldOpenBy, Pairs,
    ProxyServiceSid, TaskSid, Timestamp, WorkspaceSid,
};
use store::ChannelEvents;
use twilio::events::{Acceptance, Scope};
use twilio::rest::{
    Client, ConversationFilter, Cursor, ListFailure, LogQuery, StateFilter, TwilioError,
};

use crate::judge::Held;
use crate::report::{CrowdedUser, NEAR_CONVERSATIONS};

/// The number of times that a list is begun again because Twilio forgot the place.
const MAX_RESTARTS: usize = 3;

/// The most pages of users that are read: 5,000 users. On a web chat each visitor is one.
const MAX_USER_PAGES: usize = 50;

/// The content of TaskRouter's log.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) events: usize,
    pub(crate) unreadable: usize,
    /// The record of each channel that the log names.
    pub(crate) records: BTreeMap<ChannelSid, Channel>,
    /// The time at which each task was accepted first, and its channel.
    pub(crate) accepted: BTreeMap<TaskSid, (Timestamp, ChannelSid)>,
}

/// The channels that lists show as open.
#[derive(Default)]
pub(crate) struct HeldChannels {
    pub(crate) listed: usize,
    pub(crate) unreadable: usize,
    pub(crate) channels: BTreeMap<ChannelSid, Held>,
}

/// The users of the chat service, as far as they were read.
#[derive(Default)]
pub(crate) struct Users {
    pub(crate) crowded: Vec<CrowdedUser>,
    /// There are more than were read.
    pub(crate) more: bool,
}

/// Reads the log from a time to another and folds it, as the sweep does with what is streamed.
pub(crate) async fn log(
    twilio: &Client,
    account: AccountSid,
    workspace: WorkspaceSid,
    from: Timestamp,
    to: Timestamp,
) -> Result<Log, TwilioError> {
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
    let mut log = Log::default();
    let mut place = Place::default();
    loop {
        let page = twilio.event_log(workspace, query, &scope, place.cursor());
        let Some(page) = place.follow(page.await, |page| page.next.clone())? else {
            log = Log::default();
            continue;
        };
        log.fold(page.batch);
        if place.is_at_end() {
            return Ok(log);
        }
    }
}

impl Log {
    fn fold(&mut self, batch: twilio::events::Batch) {
        self.events += batch.received;
        self.unreadable += batch.rejected.len();
        for Acceptance { task, channel, at } in batch.acceptances {
            let first = self.accepted.entry(task).or_insert((at, channel));
            first.0 = first.0.min(at);
        }
        for events in ChannelEvents::by_channel(batch.facts) {
            let unknown = || Channel::new(events.channel(), events.platform());
            let record = self.records.entry(events.channel());
            events.apply(record.or_insert_with(unknown));
        }
    }
}

/// Lists the open Proxy sessions of the service that a chat service is connected with.
pub(crate) async fn sessions(
    twilio: &Client,
    service: ChatServiceSid,
    proxy: Option<ProxyServiceSid>,
) -> Result<HeldChannels, TwilioError> {
    let proxy = match proxy {
        Some(proxy) => Some(proxy),
        None => twilio.proxy_service_of(service).await?,
    };
    // A project without Proxy is one that has Conversations only.
    let Some(proxy) = proxy else {
        return Ok(HeldChannels::default());
    };
    let mut held = HeldChannels::default();
    let mut place = Place::default();
    loop {
        let page = twilio.open_proxy_sessions(proxy, place.cursor()).await;
        let Some(page) = place.follow(page, |page| page.next.clone())? else {
            held = HeldChannels::default();
            continue;
        };
        held.listed += page.items.len();
        held.unreadable += page.unreadable;
        for session in page.items {
            let entry = Held {
                by: HeldOpenBy::Session,
                since: session.last_interaction_at.max(session.created_at),
                session: Some(session.sid),
            };
            // A session with another name is not one of Flex's.
            if let Some(channel) = session.channel {
                held.channels.insert(channel, entry);
            }
        }
        if place.is_at_end() {
            return Ok(held);
        }
    }
}

/// Lists the Conversations of a service that are in this state.
pub(crate) async fn conversations(
    twilio: &Client,
    service: ChatServiceSid,
    state: StateFilter,
) -> Result<HeldChannels, TwilioError> {
    let filter = ConversationFilter {
        state: Some(state),
        ..ConversationFilter::default()
    };
    let mut held = HeldChannels::default();
    let mut place = Place::default();
    loop {
        let page = twilio.conversations(service, filter, place.cursor()).await;
        let Some(page) = place.follow(page, |page| page.next.clone())? else {
            held = HeldChannels::default();
            continue;
        };
        held.unreadable += page.unreadable;
        let open = page.items.iter().filter(|seen| match seen.state {
            ConversationState::Active | ConversationState::Inactive => true,
            ConversationState::Closed
            | ConversationState::Initializing
            | ConversationState::Gone
            | ConversationState::Undocumented => false,
        });
        for seen in open {
            held.listed += 1;
            let entry = Held {
                by: HeldOpenBy::Conversation,
                since: seen.created_at,
                session: None,
            };
            held.channels.insert(seen.sid, entry);
        }
        if place.is_at_end() {
            return Ok(held);
        }
    }
}

/// Finds the users that are in nearly as many Conversations as Twilio allows.
pub(crate) async fn users(twilio: &Client, service: ChatServiceSid) -> Result<Users, TwilioError> {
    let mut users = Users::default();
    let mut place = Place::default();
    for _ in 0..MAX_USER_PAGES {
        let page = twilio.chat_users(service, place.cursor()).await;
        let Some(page) = place.follow(page, |page| page.next.clone())? else {
            users = Users::default();
            continue;
        };
        let crowded = page.items.into_iter();
        let crowded = crowded.filter(|user| user.joined_channels >= NEAR_CONVERSATIONS);
        users.crowded.extend(crowded.map(|user| CrowdedUser {
            user_sid: user.sid,
            conversations: user.joined_channels,
        }));
        if place.is_at_end() {
            return Ok(users);
        }
    }
    users.more = true;
    Ok(users)
}

/// A place in a list.
#[derive(Default)]
struct Place {
    next: Option<Cursor>,
    restarts: usize,
}

impl Place {
    const fn cursor(&self) -> Option<&Cursor> {
        self.next.as_ref()
    }

    const fn is_at_end(&self) -> bool {
        self.next.is_none()
    }

    /// Takes a page and goes on to the next. Returns nothing where Twilio forgot the place: the
    /// list is then begun again.
    fn follow<T>(
        &mut self,
        page: Result<T, ListFailure>,
        next: impl Fn(&T) -> Option<Cursor>,
    ) -> Result<Option<T>, TwilioError> {
        match page {
            Ok(page) => {
                self.next = next(&page);
                Ok(Some(page))
            }
            Err(ListFailure::Expired | ListFailure::OtherList)
                if self.next.is_some() && self.restarts < MAX_RESTARTS =>
            {
                self.next = None;
                self.restarts += 1;
                Ok(None)
            }
            Err(failure) => Err(failure.into()),
        }
    }
}
