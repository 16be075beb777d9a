//! Lists that are read page by page. After each page the state knows how much was read, so that an
//! audit that is ended can say so.

use twilio::rest::{Cursor, ListFailure, LogPage, Page, TwilioError};

use crate::error::why;
use crate::state::{Entries, List, State};

/// The number of times that a list is begun again because Twilio forgot the place.
const MAX_RESTARTS: usize = 3;

/// The most pages of users that are read: 5,000 users. On a web chat each visitor is one.
const MAX_USER_PAGES: usize = 50;

/// The content of a list, as far as it was read.
#[derive(Default)]
pub(crate) struct Gathered<T> {
    pub(crate) found: T,
    /// It was read to its end.
    pub(crate) is_whole: bool,
}

/// A page of a list.
pub(crate) trait Paged {
    fn next(&self) -> Option<Cursor>;
}

impl<T> Paged for Page<T> {
    fn next(&self) -> Option<Cursor> {
        self.next.clone()
    }
}

impl Paged for LogPage {
    fn next(&self) -> Option<Cursor> {
        self.next.clone()
    }
}

/// Reads a list to its end. Where Twilio forgot the place, the list is begun again. Where a page
/// does not come, what was read before it is returned, and the state says that there is more.
pub(crate) async fn gather<P: Paged, T: Default>(
    state: &State,
    list: List,
    ask: impl AsyncFn(Option<Cursor>) -> Result<P, ListFailure>,
    add: impl Fn(&mut T, P) -> Entries,
) -> Gathered<T> {
    let mut found = T::default();
    let mut entries = Entries::default();
    let mut place: Option<Cursor> = None;
    let (mut pages, mut restarts) = (0, 0);
    let (why, is_whole) = loop {
        match ask(place.clone()).await {
            Ok(page) => {
                place = page.next();
                entries += add(&mut found, page);
                state.note_read(list, entries);
                pages += 1;
                if place.is_none() {
                    break (None, true);
                }
                if pages >= most_pages(list) {
                    break (Some("there are more".to_owned()), false);
                }
            }
            Err(ListFailure::Expired | ListFailure::OtherList)
                if place.is_some() && restarts < MAX_RESTARTS =>
            {
                (found, entries) = (T::default(), Entries::default());
                (place, pages) = (None, 0);
                restarts += 1;
            }
            Err(failure) => break (Some(why(&TwilioError::from(failure))), false),
        }
    };
    if let Some(why) = why {
        let why = match entries.read {
            0 => why,
            read => format!("only the first {read} were read: {why}"),
        };
        state.silence(list.name(), &why);
    }
    Gathered { found, is_whole }
}

const fn most_pages(list: List) -> usize {
    match list {
        List::Log | List::Sessions | List::Active | List::Inactive => usize::MAX,
        List::Users => MAX_USER_PAGES,
    }
}
