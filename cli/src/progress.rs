//! Requests to Twilio, counted on the terminal while they are made.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use output::Progress;
use twilio::rest::{Transport, TransportError};

use crate::context;

/// A transport that shows how many requests were made while it lives.
pub(crate) struct Counted {
    inner: Arc<dyn Transport>,
    progress: Progress,
}

impl Counted {
    /// Returns the way to Twilio, with this label beside the count.
    pub(crate) fn to_twilio(label: &'static str) -> anyhow::Result<Arc<dyn Transport>> {
        Ok(Arc::new(Self {
            inner: context::transport()?,
            progress: Progress::counting(label),
        }))
    }
}

impl Transport for Counted {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.progress.one_more();
        self.inner.send(request)
    }
}
