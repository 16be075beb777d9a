//! Names for SIDs, so that a trace can be read.

use std::collections::BTreeMap;

const SID: usize = 34;

#[derive(Default)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    pub(crate) fn give(&mut self, sid: &str, name: String) {
        self.0.insert(sid.to_owned(), name);
    }

    /// The line, with a name in place of every SID that has one.
    pub(crate) fn put_into(&self, line: &str) -> String {
        let mut named = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(next) = rest.chars().next() {
            let name = rest.get(..SID).and_then(|sid| self.0.get(sid));
            let taken = match name {
                Some(name) => {
                    named.push_str(name);
                    SID
                }
                None => {
                    named.push(next);
                    next.len_utf8()
                }
            };
            rest = &rest[taken..];
        }
        named
    }
}
