//! `sync.twilio.com/v1/Services/{IS}/Documents`: the list, which is all that is asked for.

use crate::api::answer::Outcome;
use crate::api::call::Call;
use crate::api::page::{place, seconds};
use serde_json::json;

/// The most that a page may hold.
const MAX_PAGE: usize = 100;

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["v1", "Services", service, "Documents"]) => {
            let service = call.sid(service)?;
            let (_, paging) = call.list(&[], MAX_PAGE)?;
            let documents = (1_u64..).zip(&call.state.documents);
            let entries = documents
                .filter(|(at, document)| *at > paging.after() && document.service == service);
            call.page(
                "documents",
                &paging,
                entries.map(|(at, document)| {
                    let shown = json!({
                        "account_sid": call.state.account.sid,
                        "created_by": "system",
                        "data": document.data,
                        "date_created": seconds(document.made_at),
                        "date_expires": null,
                        "date_updated": seconds(document.made_at),
                        "links": {},
                        "revision": "0",
                        "service_sid": service,
                        "sid": document.sid,
                        "unique_name": document.unique_name,
                        "url": call.url(format_args!(
                            "sync/v1/Services/{service}/Documents/{}",
                            document.sid
                        )),
                    });
                    (place(at), shown)
                }),
            )
        }
        _ => Err(call.no_route()),
    }
}
