//! Lists that are read page by page, and may be put aside in between.
//!
//! Twilio numbers no pages: each says where the next one is, by a token that it made up
//! (Twilio, API responses, "paging"). A [`Cursor`] is that place. A reader that runs out of time
//! writes it down and goes on from there later; at no time is more than a page held.
//!
//! What these lists leave out is not acted upon, so an entry that cannot be read is counted
//! and left out. A list that must be whole to be of use, as that of the open tasks, is read
//! in another way.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Client;
use super::base::Product;
use super::call::Call;
use super::error::{TwilioError, Why};
use crate::json;

/// More pages than this are not asked for: ten million of TaskRouter's events. The count goes
/// along with the cursor, so that putting a list aside does not start it anew.
const MAX_PAGES: u32 = 10_000;

/// Longer places are not believed: Twilio's take some hundred characters.
const MAX_PLACE: usize = 4096;

/// Where a list goes on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Path and query of the next page. Never a host: it is always put behind our own.
    place: String,
    /// The number of pages before it.
    pages: u32,
}

impl fmt::Debug for Cursor {
    /// Shows which list it belongs to. What its token is made of is Twilio's affair.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.place.split('?').next().unwrap_or_default();
        write!(f, "Cursor({path}?…, after {} pages)", self.pages)
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries, as far as they are asked for and can be read.
    pub items: Vec<T>,
    /// The number of entries that could not be read.
    pub unreadable: usize,
    /// Where the list goes on, or nothing at its end.
    pub next: Option<Cursor>,
}

/// Why a page did not come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListFailure {
    /// Twilio does not take the cursor any more. No code says so for every product, but its
    /// address is Twilio's own, so a refusal of it (status 400 or 404) is one of its token.
    #[error("twilio does not know this page any more: the list has to be started again")]
    Expired,
    /// The cursor was made by another list, or by hand.
    #[error("the cursor belongs to another list")]
    OtherList,
    /// The call failed.
    #[error(transparent)]
    Twilio(#[from] TwilioError),
}

/// A list, and how to begin with it.
#[derive(Clone)]
pub(in crate::rest) struct List {
    pub(in crate::rest) product: Product,
    pub(in crate::rest) path: String,
    pub(in crate::rest) query: String,
}

impl Client {
    /// Asks for a page and says where the next one is.
    pub(in crate::rest) async fn page_of<T>(
        &self,
        list: List,
        after: Option<&Cursor>,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<(T, Option<Cursor>), ListFailure> {
        let List {
            product,
            path,
            query,
        } = list;
        let (here, pages) = match after {
            None => (format!("{path}?{query}"), 0),
            Some(cursor) if is_place_in(&path, &cursor.place) => {
                (cursor.place.clone(), cursor.pages)
            }
            Some(_) => return Err(ListFailure::OtherList),
        };
        let call = Call::get(product, here.clone());
        let read_next = match product {
            Product::Api => next_path,
            Product::Chat
            | Product::Conversations
            | Product::Events
            | Product::Flex
            | Product::Iam
            | Product::Messaging
            | Product::Proxy
            | Product::Studio
            | Product::Sync
            | Product::TaskRouter => next_url,
        };
        let read = |text: &str| Some((read(text)?, read_next(text)?));
        let (content, next) = match self.ask(call, read).await {
            Ok(page) => page,
            Err(TwilioError::Gone | TwilioError::Refused { status: 400, .. })
                if after.is_some() =>
            {
                return Err(ListFailure::Expired);
            }
            Err(error) => return Err(error.into()),
        };
        let Some(next) = next else {
            return Ok((content, None));
        };
        let place = self
            .hosts()
            .path_of(product, &next)
            .filter(|place| is_place_in(&path, place))
            .ok_or_else(TwilioError::garbage)?;
        let pages = pages + 1;
        if place == here || pages >= MAX_PAGES {
            return Err(TwilioError::Unreachable { why: Why::Endless }.into());
        }
        Ok((content, Some(Cursor { place, pages })))
    }

    /// Asks for a page of entries, of which `read` keeps what is asked for.
    pub(in crate::rest) async fn entries<T>(
        &self,
        list: List,
        key: &str,
        after: Option<&Cursor>,
        read: impl Fn(&str) -> Entry<T>,
    ) -> Result<Page<T>, ListFailure> {
        let read = |text: &str| {
            let [entries] = json::members(text, [key]).ok()?;
            let entries: Vec<&RawValue> = serde_json::from_str(entries?.get()).ok()?;
            let (mut items, mut unreadable) = (Vec::new(), 0);
            for entry in entries {
                match read(entry.get()) {
                    Entry::Wanted(item) => items.push(item),
                    Entry::Unwanted => {}
                    Entry::Unreadable => unreadable += 1,
                }
            }
            Some((items, unreadable))
        };
        let ((items, unreadable), next) = self.page_of(list, after, read).await?;
        Ok(Page {
            items,
            unreadable,
            next,
        })
    }
}

/// The result of reading an entry of a list.
pub(in crate::rest) enum Entry<T> {
    Wanted(T),
    Unwanted,
    Unreadable,
}

impl<T> From<Option<T>> for Entry<T> {
    fn from(read: Option<T>) -> Self {
        read.map_or(Self::Unreadable, Self::Wanted)
    }
}

/// The address of the next page as a list gives it, if there is a next page; nothing if this
/// is no page of a list.
pub(in crate::rest) fn next_url(page: &str) -> Option<Option<String>> {
    let [meta] = json::members(page, ["meta"]).ok()?;
    let [next] = json::members(meta?.get(), ["next_page_url"]).ok()?;
    address(next)
}

/// The same of the API of 2010, which has no `meta` and gives a path.
fn next_path(page: &str) -> Option<Option<String>> {
    let [size, next] = json::members(page, ["page_size", "next_page_uri"]).ok()?;
    size?;
    address(next)
}

fn address(next: Option<&RawValue>) -> Option<Option<String>> {
    Some(match next {
        Some(next) => Some(json::text(next)?.into_owned()),
        None => None,
    })
}

/// Returns true if a path and query is one of this very list: its path, to the letter, and a query.
fn is_place_in(path: &str, place: &str) -> bool {
    let query = place.strip_prefix(path);
    let query = query.and_then(|query| query.strip_prefix('?'));
    place.len() <= MAX_PLACE && query.is_some_and(|query| !query.is_empty())
}

impl From<ListFailure> for TwilioError {
    /// For lists that are read at one go: a page that Twilio does not know any more a moment
    /// after it named it is an answer that cannot be understood.
    fn from(failure: ListFailure) -> Self {
        use ListFailure::{Expired, OtherList, Twilio};
        match failure {
            Twilio(error) => error,
            Expired | OtherList => Self::garbage(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_in_a_list_by_its_path_to_the_letter() {
        let path = "/v1/Services/IS1/Conversations";
        assert!(is_place_in(
            path,
            &format!("{path}?PageToken=PTa_2024-01-18T03:17:17.005Z_CH1")
        ));
        for place in [
            "",
            "?PageToken=x",
            "/v1/Services/IS1/Conversations",
            "/v1/Services/IS1/Conversations?",
            "/v1/Services/IS2/Conversations?PageToken=x",
            "/v1/Services/IS1/Conversations/CH1?PageToken=x",
            "/v1/Services/IS1/Conversations/../Users?PageToken=x",
            "https://conversations.twilio.com/v1/Services/IS1/Conversations?PageToken=x",
            &format!("{path}?{}", "x".repeat(MAX_PLACE)),
        ] {
            assert!(!is_place_in(path, place), "{place}");
        }
    }

    #[test]
    fn a_cursor_shows_its_list_and_not_its_token() {
        let cursor = Cursor {
            place: "/v1/Services?PageToken=secret".to_owned(),
            pages: 3,
        };
        assert_eq!(
            format!("{cursor:?}"),
            "Cursor(/v1/Services?…, after 3 pages)"
        );
    }
}
