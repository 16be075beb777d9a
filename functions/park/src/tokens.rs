//! The bearers of Flex tokens, asked about at Twilio as little as possible.
//!
//! Anyone may send made-up tokens to the function's URL, and only Twilio knows the good ones. So a
//! text without the form of a token is refused at once, an answer is remembered for a while, and
//! questions about tokens that prove nothing come out of a quota that all processes share. Once
//! it is used up the URL answers 429 until the next span. A token that was proven lately goes on,
//! whichever process proved it: that is noted in the table. Remembered and noted are digests of
//! tokens, never the tokens.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use domain::{Timestamp, WorkerSid};
use runtime::lock;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::Quota;
use twilio::rest::{FlexUser, Role, TokenBearer, TwilioError, is_token_like};

use crate::Park;
use crate::error::ParkError;
use crate::manual::MoveError;

/// The questions that may go to Twilio about tokens that prove nothing. Any minute touches seven
/// spans, so that there are at most 56 questions in it.
pub(crate) const QUESTIONS: Quota = Quota {
    name: "token-questions",
    span: Duration::from_secs(10),
    limit: 8,
};

/// The time for which a proven token needs no question. A worker who loses their rights in Flex
/// may move their tasks for as long.
const PROVEN_FOR: Duration = Duration::from_secs(5 * 60);

/// The time for which a token that proves nothing needs no question.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// The most tries of one question: a sandbox that was frozen may hold two dead connections.
const MAX_TRIES: usize = 3;

/// The most tokens that are remembered.
const MAX_REMEMBERED: usize = 10_000;

/// Why it is not known who bears a token.
pub(crate) enum Unknown {
    /// Too many tokens were asked about that prove nothing.
    TooMany,
    /// It cannot be found out.
    Failed(MoveError),
}

impl<E: Into<MoveError>> From<E> for Unknown {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

type Digest = [u8; 32];

/// The note of a token that was proven.
#[derive(Serialize, Deserialize)]
struct Proven {
    worker: WorkerSid,
    supervises: bool,
    until: Timestamp,
}

impl Proven {
    fn user(&self) -> FlexUser {
        let role = if self.supervises {
            Role::Supervisor
        } else {
            Role::Agent
        };
        FlexUser {
            worker: self.worker,
            role,
        }
    }
}

fn note_of(token: &Digest) -> String {
    let digits: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("token:{digits}")
}

/// The bearers that one process remembers.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    bearers: HashMap<Digest, (TokenBearer, Timestamp)>,
    /// The end of the span whose quota is used up.
    used_up_until: Option<Timestamp>,
}

impl Tokens {
    fn remembered(&self, token: &Digest, now: Timestamp) -> Option<TokenBearer> {
        let state = lock(&self.0);
        let (bearer, until) = state.bearers.get(token)?;
        (now < *until).then_some(*bearer)
    }

    fn remember(&self, token: Digest, bearer: TokenBearer, until: Timestamp, now: Timestamp) {
        let mut state = lock(&self.0);
        state.bearers.retain(|_, (_, until)| now < *until);
        if state.bearers.len() < MAX_REMEMBERED {
            state.bearers.insert(token, (bearer, until));
        }
    }

    fn is_used_up(&self, now: Timestamp) -> bool {
        lock(&self.0).used_up_until.is_some_and(|until| now < until)
    }
}

impl Park {
    /// Returns who bears a Flex token.
    pub(crate) async fn bearer(&self, token: &str, now: Timestamp) -> Result<TokenBearer, Unknown> {
        if !is_token_like(token) {
            return Ok(TokenBearer::Invalid);
        }
        let digest = Sha256::digest(token).into();
        if let Some(bearer) = self.tokens().remembered(&digest, now) {
            return Ok(bearer);
        }
        let (bearer, until) = match self.proven(&digest, now).await? {
            Some(proven) => (TokenBearer::User(proven.user()), proven.until),
            None => self.ask(token, &digest, now).await?,
        };
        self.tokens().remember(digest, bearer, until, now);
        Ok(bearer)
    }

    /// Returns what a process noted of a token that it proved.
    async fn proven(&self, token: &Digest, now: Timestamp) -> Result<Option<Proven>, Unknown> {
        let noted: Option<Proven> = self.settings().table.note(&note_of(token)).await?;
        Ok(noted.filter(|proven| now < proven.until))
    }

    /// Asks Twilio, and notes a token that is proven.
    async fn ask(
        &self,
        token: &str,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<(TokenBearer, Timestamp), Unknown> {
        let bearer = self.ask_for_bearer(token, now).await?;
        let TokenBearer::User(FlexUser { worker, role }) = bearer else {
            return Ok((bearer, now.plus(REFUSED_FOR)));
        };
        let until = now.plus(PROVEN_FOR);
        let proven = Proven {
            worker,
            supervises: role == Role::Supervisor,
            until,
        };
        let table = &self.settings().table;
        let noted = table.set_note_until(&note_of(digest), &proven, until).await;
        if let Err(error) = noted {
            tracing::warn!(%error, "other processes will ask about a proven token too");
        }
        Ok((bearer, until))
    }

    async fn ask_for_bearer(&self, token: &str, now: Timestamp) -> Result<TokenBearer, Unknown> {
        let table = &self.settings().table;
        let account = self.settings().account.sid;
        let mut tries = 0;
        loop {
            if self.tokens().is_used_up(now) {
                return Err(Unknown::TooMany);
            }
            if !table.take(&QUESTIONS, now).await? {
                let until = QUESTIONS.span_end(now);
                lock(&self.tokens().0).used_up_until = Some(until);
                tracing::warn!(%until, "too many tokens prove nothing: no more is asked about");
                return Err(Unknown::TooMany);
            }
            let twilio = self.client(now).await.map_err(ParkError::from)?;
            tries += 1;
            match twilio.flex_token(account, token).await {
                Err(TwilioError::Unreachable { .. }) if tries < MAX_TRIES => {}
                Ok(bearer @ TokenBearer::User(_)) => {
                    if let Err(error) = table.give_back(&QUESTIONS, now).await {
                        tracing::warn!(%error, "a good token counts as one that proves nothing");
                    }
                    return Ok(bearer);
                }
                other => return Ok(other?),
            }
        }
    }
}
