//! Counts what was asked, by product, method and kind of resource.

use std::collections::{BTreeMap, VecDeque};

/// The number of the last requests that are remembered word for word.
const REMEMBERED: usize = 1_000;

/// Counts the requests that reached the API, refused and failed ones too.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    counts: BTreeMap<(String, String, String), u64>,
    total: u64,
    last: VecDeque<String>,
    refused: Vec<Refused>,
}

/// Is a request that Twilio refused: an error entry in the customer's Debugger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// Twilio's error code.
    pub code: u32,
    /// The request as "METHOD /path?query".
    pub line: String,
}

impl Calls {
    /// Returns how many requests there were.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns how many requests there were of one sort, e.g. `("chat", "POST", "Channels/{Sid}")`.
    pub fn count(&self, product: &str, method: &str, kind: &str) -> u64 {
        let key = (product.to_owned(), method.to_owned(), kind.to_owned());
        self.counts.get(&key).copied().unwrap_or(0)
    }

    /// Returns how many requests of a product there were.
    pub fn of_product(&self, product: &str) -> u64 {
        self.counts
            .iter()
            .filter(|((of, _, _), _)| of == product)
            .map(|(_, count)| count)
            .sum()
    }

    /// Returns how many requests could change something: all but GET.
    pub fn writes(&self) -> u64 {
        self.counts
            .iter()
            .filter(|((_, method, _), _)| method != "GET")
            .map(|(_, count)| count)
            .sum()
    }

    /// Iterates over the counts as (product, method, kind of resource, count).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str, u64)> {
        self.counts.iter().map(|((product, method, kind), count)| {
            (product.as_str(), method.as_str(), kind.as_str(), *count)
        })
    }

    /// Iterates over the last requests as "METHOD /path?query", oldest first, at most 1,000.
    pub fn log(&self) -> impl Iterator<Item = &str> {
        self.last.iter().map(String::as_str)
    }

    /// Returns the requests that ended in an error entry of the Debugger, oldest first; faults that a test
    /// [ordered](crate::Simulator::fail) are not among them.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    pub(crate) fn refuse(&mut self, status: u16, code: u32, line: String) {
        self.refused.push(Refused { status, code, line });
    }

    pub(crate) fn add(&mut self, product: &str, method: &str, kind: String, line: String) {
        self.total += 1;
        *self
            .counts
            .entry((product.to_owned(), method.to_owned(), kind))
            .or_default() += 1;
        if self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }
}
