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
    progress: Arc<Progress>,
}

impl Counted {
    /// Returns the way to Twilio, with this label beside the count.
    pub(crate) fn to_twilio(label: &'static str) -> anyhow::Result<Arc<dyn Transport>> {
        Self::shown_by(Arc::new(Progress::counting(label)))
    }

    /// Returns the way to Twilio, whose requests this progress counts.
    pub(crate) fn shown_by(progress: Arc<Progress>) -> anyhow::Result<Arc<dyn Transport>> {
        Ok(Arc::new(Self {
            inner: context::transport()?,
            progress,
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
