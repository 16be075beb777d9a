//! Lists, a page at a time: tokens say after which entry a page begins, so that deletions in between lose nothing.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::{Call, Params};
use http::StatusCode;
use serde_json::{Value, json};

/// The number of entries on a page where the request names none: the REST API's default.
const DEFAULT_SIZE: usize = 50;

const PAGING: [&str; 3] = ["PageSize", "Page", "PageToken"];

/// Stands for the place of an entry in the order of its list.
pub(crate) type Place = Vec<i64>;

/// Says which page is wanted.
#[derive(Debug)]
pub(crate) struct Paging {
    size: usize,
    number: u64,
    after: Option<Place>,
    before: Option<Place>,
}

impl Paging {
    /// Returns the place after which a list in order of creation goes on.
    pub(crate) fn after(&self) -> u64 {
        self.after
            .as_ref()
            .and_then(|place| place.first())
            .map_or(0, |place| place.unsigned_abs())
    }

    /// Returns the place after which a sorted list goes on.
    pub(crate) fn after_place(&self) -> Option<&Place> {
        self.after.as_ref()
    }
}

impl Call<'_> {
    /// Takes the query of a list with its filters.
    ///
    /// # Errors
    ///
    /// Error 20007 for a page of more than `max` entries: <https://www.twilio.com/docs/api/errors/20007>.
    pub(crate) fn list(&self, filters: &[&str], max: usize) -> Result<(Params, Paging), Failure> {
        let params = self.query(&[filters, &PAGING].concat())?;
        let size = params.parsed("PageSize", "a positive integer", |value| {
            value.parse().ok().filter(|size| *size > 0)
        })?;
        let refuses = self.state.knobs.refuses_long_pages;
        if let Some(size) = size.filter(|size| *size > max && refuses) {
            return Err(Failure::new(
                StatusCode::BAD_REQUEST,
                20007,
                format!("Page size must be at most {max}, not {size}"),
            ));
        }
        let number = params
            .parsed("Page", "a number", |value| value.parse().ok())?
            .unwrap_or(0);
        let token = params.parsed("PageToken", "a token from next_page_url", parse_token)?;
        if number > 0 && token.is_none() {
            return Err(Failure::invalid(
                "Page is not supported without PageToken: follow next_page_url",
            ));
        }
        let (after, before) = token.map_or((None, None), |(after, before)| (Some(after), before));
        Ok((
            params,
            Paging {
                size: size.unwrap_or(DEFAULT_SIZE).min(max),
                number,
                after,
                before,
            },
        ))
    }

    /// Renders one page of entries that come in the order of their places.
    pub(crate) fn page(
        &self,
        key: &str,
        paging: &Paging,
        entries: impl Iterator<Item = (Place, Value)>,
    ) -> Outcome {
        let mut entries: Vec<(Place, Value)> = entries.take(paging.size + 1).collect();
        let more = entries.len() > paging.size;
        entries.truncate(paging.size);
        let next = entries
            .last()
            .filter(|_| more)
            .map(|(place, _)| token(place, paging.after.as_ref()));
        let previous = match (paging.number, &paging.before) {
            (0, _) | (2.., None) => None,
            (1, None) => Some(String::new()),
            (_, Some(before)) => Some(token(before, None)),
        };
        let url = |number: u64, token: &str| self.page_url(paging.size, number, token);
        let here = paging
            .after
            .as_ref()
            .map(|after| token(after, paging.before.as_ref()))
            .unwrap_or_default();
        let meta = json!({
            "page": paging.number,
            "page_size": paging.size,
            "first_page_url": url(0, ""),
            "previous_page_url": previous.map(|token| url(paging.number - 1, &token)),
            "url": url(paging.number, &here),
            "next_page_url": next.map(|token| url(paging.number + 1, &token)),
            "key": key,
        });
        let list: Vec<Value> = entries.into_iter().map(|(_, value)| value).collect();
        Ok(Answer::ok(json!({ key: list, "meta": meta })))
    }

    /// Renders one page as the API of 2010 does: no meta, and URIs instead of URLs.
    pub(crate) fn old_page(
        &self,
        key: &str,
        paging: &Paging,
        entries: impl Iterator<Item = (Place, Value)>,
    ) -> Outcome {
        let mut entries: Vec<(Place, Value)> = entries.take(paging.size + 1).collect();
        let more = entries.len() > paging.size;
        entries.truncate(paging.size);
        let next = entries
            .last()
            .filter(|_| more)
            .map(|(place, _)| token(place, None));
        let product = format!("{}/api", self.base);
        let uri = |number: u64, token: &str| {
            let url = self.page_url(paging.size, number, token);
            url.strip_prefix(&product).unwrap_or(&url).to_owned()
        };
        let here = paging
            .after
            .as_ref()
            .map(|after| token(after, None))
            .unwrap_or_default();
        let list: Vec<Value> = entries.into_iter().map(|(_, value)| value).collect();
        let start = paging.number * u64::try_from(paging.size).unwrap_or(u64::MAX);
        Ok(Answer::ok(json!({
            "page": paging.number,
            "page_size": paging.size,
            "start": start,
            "end": start + u64::try_from(list.len()).unwrap_or(0).saturating_sub(1),
            "first_page_uri": uri(0, ""),
            "previous_page_uri": (paging.number == 1).then(|| uri(0, "")),
            "uri": uri(paging.number, &here),
            "next_page_uri": next.map(|token| uri(paging.number + 1, &token)),
            key: list,
        })))
    }

    fn page_url(&self, size: usize, number: u64, token: &str) -> String {
        let filters = self
            .query_pairs()
            .iter()
            .filter(|(name, _)| !PAGING.contains(&name.as_str()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(filters);
        query
            .append_pair("PageSize", &size.to_string())
            .append_pair("Page", &number.to_string());
        if !token.is_empty() {
            query.append_pair("PageToken", token);
        }
        format!("{}{}?{}", self.base, self.path, query.finish())
    }
}

fn token(place: &Place, before: Option<&Place>) -> String {
    let write = |place: &Place| {
        place
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(".")
    };
    match before {
        Some(before) => format!("PT{}_{}", write(place), write(before)),
        None => format!("PT{}", write(place)),
    }
}

fn parse_token(text: &str) -> Option<(Place, Option<Place>)> {
    let read = |text: &str| {
        text.split('.')
            .map(|part| part.parse().ok())
            .collect::<Option<Place>>()
    };
    let text = text.strip_prefix("PT")?;
    match text.split_once('_') {
        Some((place, before)) => Some((read(place)?, Some(read(before)?))),
        None => Some((read(text)?, None)),
    }
}

/// Turns the place on a shelf into the place in a list.
pub(crate) fn place(place: u64) -> Place {
    vec![i64::try_from(place).unwrap_or(i64::MAX)]
}

/// Writes a moment as resources do, to the second.
pub(crate) fn seconds(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Writes a moment that may be absent.
pub(crate) fn maybe(at: Option<jiff::Timestamp>) -> Value {
    at.map(seconds).into()
}
