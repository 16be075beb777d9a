//! Sync's documents, as another program may have left them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::state::State;
use crate::state::sid::Sid;

/// A document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) sid: Sid,
    pub(crate) service: Sid,
    pub(crate) unique_name: String,
    pub(crate) data: Value,
    pub(crate) made_at: Timestamp,
}

impl State {
    /// Leaves a document in a Sync service.
    pub fn leave_document(&mut self, service: Sid, unique_name: &str, data: Value) -> Sid {
        let sid = Sid::draw(b"ET", &mut self.rng);
        self.documents.push(Document {
            sid,
            service,
            unique_name: unique_name.to_owned(),
            data,
            made_at: self.now,
        });
        sid
    }
}
