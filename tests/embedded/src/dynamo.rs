//! DynamoDB: an embedded engine, spoken to in DynamoDB's own JSON.
//!
//! # Stale indexes
//!
//! DynamoDB updates an index after the table, so a query on an index may show the past. The
//! engine's own indexes never do. [`crate::Embedded::with_stale_indexes`] keeps a second
//! database, to which every successful write is applied again, in the same order but later,
//! and lets it answer the queries that name an index: each answer is one that was true at an
//! earlier moment, never a mixture. Writes are repeated as requests, not as results; since
//! the second database passes through the same states, their conditions come out the same.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::answer::{Answer, lock};

/// Error of the embedded database.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database in memory could not be created.
    #[error("cannot create a database in memory: {0}")]
    Memory(#[source] DynoxideError),
    /// The items that have expired could not be deleted.
    #[error("cannot delete expired items: {0}")]
    Sweep(#[source] DynoxideError),
    /// The database file could not be opened or created.
    #[error("cannot open the database file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// The answer of the database.
        source: DynoxideError,
    },
}

/// Distance of the indexes behind the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    /// By the last so many writes; zero is up to date.
    Writes(usize),
    /// By the writes of the last so much time on tokio's clock.
    Time(Duration),
}

/// The embedded DynamoDB; a clone is the same one.
#[derive(Clone)]
pub struct Engine {
    database: Database,
    replica: Option<Arc<Mutex<Replica>>>,
}

/// Stands for the deletion of expired items among the writes: it is no operation of
/// DynamoDB's.
const SWEEP: &str = "(expiry)";

struct Replica {
    database: Database,
    lag: Lag,
    behind: VecDeque<(Instant, String, String)>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    pub(crate) fn memory() -> Result<Self, EngineError> {
        Ok(Self {
            database: Database::memory().map_err(EngineError::Memory)?,
            replica: None,
        })
    }

    pub(crate) fn open(path: &Path) -> Result<Self, EngineError> {
        let path = path.to_string_lossy().into_owned();
        match Database::new(&path) {
            Ok(database) => Ok(Self {
                database,
                replica: None,
            }),
            Err(source) => Err(EngineError::File { path, source }),
        }
    }

    pub(crate) fn with_stale_indexes(lag: Lag) -> Result<Self, EngineError> {
        let replica = Replica {
            database: Database::memory().map_err(EngineError::Memory)?,
            lag,
            behind: VecDeque::new(),
        };
        Ok(Self {
            replica: Some(Arc::new(Mutex::new(replica))),
            ..Self::memory()?
        })
    }

    /// Changes how far the indexes are behind. Only an engine that was made with stale
    /// indexes has any that can be; what they have shown already they keep showing.
    pub fn set_index_lag(&self, lag: Lag) {
        if let Some(replica) = &self.replica {
            lock(replica).lag = lag;
        }
    }

    /// Deletes the items whose time to live, in the tables' TTL attributes, is over by the
    /// machine's clock, and returns how many there were.
    ///
    /// # Errors
    ///
    /// Fails when the database does.
    pub fn sweep_ttl(&self) -> Result<usize, EngineError> {
        // Held throughout, here and below, so that both databases see the writes in one order.
        let mut replica = self.replica.as_deref().map(lock);
        let swept = self.database.sweep_ttl().map_err(EngineError::Sweep)?;
        if let Some(replica) = &mut replica {
            replica.repeat(SWEEP, "");
        }
        Ok(swept)
    }

    pub(crate) fn answer(&self, operation: &str, body: &str) -> Answer {
        let mut replica = self.replica.as_deref().map(lock);
        if let Some(replica) = &mut replica
            && matches!(operation, "Query" | "Scan")
            && reads_an_index(body)
        {
            replica.catch_up();
            return answer(run(&replica.database, operation, body));
        }
        let result = run(&self.database, operation, body);
        if let Some(replica) = &mut replica
            && result.is_ok()
            && is_write(operation)
        {
            replica.repeat(operation, body);
        }
        answer(result)
    }
}

impl Replica {
    fn repeat(&mut self, operation: &str, body: &str) {
        let write = (Instant::now(), operation.to_owned(), body.to_owned());
        self.behind.push_back(write);
        // A table is there, or gone, at once.
        if operation.ends_with("Table") {
            while self.apply_next() {}
        }
    }

    fn catch_up(&mut self) {
        while let Some((at, _, _)) = self.behind.front() {
            let due = match self.lag {
                Lag::Writes(writes) => self.behind.len() > writes,
                Lag::Time(time) => at.elapsed() >= time,
            };
            if !due {
                return;
            }
            self.apply_next();
        }
    }

    fn apply_next(&mut self) -> bool {
        let Some((_, operation, body)) = self.behind.pop_front() else {
            return false;
        };
        // What succeeded on the table succeeds here.
        if operation == SWEEP {
            drop(self.database.sweep_ttl());
        } else {
            drop(run(&self.database, &operation, &body));
        }
        true
    }
}

fn is_write(operation: &str) -> bool {
    !matches!(
        operation,
        "GetItem" | "Query" | "Scan" | "BatchGetItem" | "TransactGetItems"
    ) && !operation.starts_with("Describe")
        && !operation.starts_with("List")
}

fn reads_an_index(body: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Reads<'a> {
        #[serde(borrow)]
        index_name: Option<std::borrow::Cow<'a, str>>,
    }
    serde_json::from_str::<Reads<'_>>(body).is_ok_and(|reads| reads.index_name.is_some())
}

fn answer(result: Result<(String, f64), DynoxideError>) -> Answer {
    match result {
        Ok((body, units)) => Answer {
            status: 200,
            body,
            units,
        },
        Err(error) => Answer {
            status: error.status_code(),
            body: error.to_json(),
            units: 0.0,
        },
    }
}

/// Runs one operation and returns its JSON and the capacity units that it used.
fn run(db: &Database, operation: &str, body: &str) -> Result<(String, f64), DynoxideError> {
    // The engine meters an item operation when asked to. It is always asked, for the tally,
    // and the caller is told only if the caller asked.
    macro_rules! metered {
        ($method:ident, $request:path) => {{
            let mut request: $request = read(body)?;
            let told = request.return_consumed_capacity.is_some();
            request
                .return_consumed_capacity
                .get_or_insert_with(|| "TOTAL".to_owned());
            let mut response = db.$method(request)?;
            let used = response.consumed_capacity.as_ref();
            let units = used.map_or(0.0, |used| used.capacity_units);
            if !told {
                response.consumed_capacity = None;
            }
            (write(&response)?, units)
        }};
    }
    macro_rules! plain {
        ($method:ident) => {
            (write(&db.$method(read(body)?)?)?, 0.0)
        };
    }
    use dynoxide::actions as a;
    Ok(match operation {
        "GetItem" => metered!(get_item, a::get_item::GetItemRequest),
        "PutItem" => metered!(put_item, a::put_item::PutItemRequest),
        "UpdateItem" => metered!(update_item, a::update_item::UpdateItemRequest),
        "DeleteItem" => metered!(delete_item, a::delete_item::DeleteItemRequest),
        "Query" => metered!(query, a::query::QueryRequest),
        "Scan" => metered!(scan, a::scan::ScanRequest),
        "BatchGetItem" => plain!(batch_get_item),
        "BatchWriteItem" => plain!(batch_write_item),
        "TransactGetItems" => plain!(transact_get_items),
        "TransactWriteItems" => plain!(transact_write_items),
        "CreateTable" => plain!(create_table),
        "DeleteTable" => plain!(delete_table),
        "DescribeTable" => plain!(describe_table),
        "DescribeTimeToLive" => plain!(describe_time_to_live),
        "ListTables" => plain!(list_tables),
        "UpdateTable" => plain!(update_table),
        "UpdateTimeToLive" => plain!(update_time_to_live),
        _ => {
            return Err(DynoxideError::ValidationException(format!(
                "the embedded DynamoDB does not offer {operation}"
            )));
        }
    })
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, DynoxideError> {
    serde_json::from_str(body).map_err(|error| {
        // The engine's requests mark what DynamoDB would call a validation error.
        let message = error.to_string();
        match message.split_once(':') {
            Some((mark, rest)) if mark.starts_with("VALIDATION") => {
                DynoxideError::ValidationException(rest.to_owned())
            }
            Some((mark, rest)) if mark.starts_with("SERIALIZATION") => {
                DynoxideError::SerializationException(rest.to_owned())
            }
            _ => DynoxideError::ValidationException(message),
        }
    })
}

fn write<T: serde::Serialize>(response: &T) -> Result<String, DynoxideError> {
    serde_json::to_string(response)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
