//! A collection in order of arrival that finds by SID at once and pages by place.

use crate::state::sid::Sid;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

/// Holds resources in order of creation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Shelf<T> {
    items: BTreeMap<u64, T>,
    places: HashMap<Sid, u64>,
    next: u64,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            places: HashMap::new(),
            next: 0,
        }
    }
}

impl<T> Shelf<T> {
    pub(crate) fn insert(&mut self, sid: Sid, item: T) {
        self.next += 1;
        self.places.insert(sid, self.next);
        self.items.insert(self.next, item);
    }

    pub(crate) fn get(&self, sid: Sid) -> Option<&T> {
        self.items.get(self.places.get(&sid)?)
    }

    pub(crate) fn get_mut(&mut self, sid: Sid) -> Option<&mut T> {
        self.items.get_mut(self.places.get(&sid)?)
    }

    pub(crate) fn remove(&mut self, sid: Sid) -> Option<T> {
        self.items.remove(&self.places.remove(&sid)?)
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.items.values()
    }

    /// Iterates over what stands after a place; places never change and are never reused.
    pub(crate) fn after(&self, place: u64) -> impl Iterator<Item = (u64, &T)> {
        self.items
            .range((Bound::Excluded(place), Bound::Unbounded))
            .map(|(place, item)| (*place, item))
    }
}
