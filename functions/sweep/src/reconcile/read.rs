//! Reads one list, page by page, and decides what follows when Twilio does not give it.

use domain::ProxyServiceSid;
use twilio::rest::{ConversationFilter, Cursor, ListFailure, StateFilter, TwilioError};

use super::lister::{Lister, ReadError};
use super::report::{Reconciled, Unavailable};
use super::{List, Position};
use crate::SweepError;
use crate::run::TIME_FOR_ONE;
use crate::summary::Stop;

/// The most times that a list is begun again in one run because Twilio forgot the place.
const MAX_RESTARTS: usize = 3;

/// The end of reading a list.
pub(super) enum Ended {
    /// At its end.
    Whole,
    /// Before, at this place.
    At(Option<Cursor>),
}

impl Lister<'_> {
    /// Reads a list from a place to its end, or as far as the time allows.
    pub(super) async fn read(
        &mut self,
        place: &Position,
        report: &mut Reconciled,
    ) -> Result<Ended, SweepError> {
        if place.list != List::Log && self.open_tasks.is_none() {
            let now = self.watch.now();
            let listed = self
                .sweep
                .open_tasks(self.twilio, self.workspace, now)
                .await;
            let listed = listed.map_err(SweepError::LookupFailed)?;
            report.open_tasks = listed.count();
            let policy = &self.sweep.settings.plan.policy;
            report.stuck_wrap_ups = Some(listed.report_stuck_wrap_ups(policy, now));
            self.open_tasks = Some(listed);
        }
        let proxy = match place.list {
            List::Sessions => match self.proxy_service().await {
                Ok(Some(service)) => Some(service),
                // A project without Proxy is one that has Conversations only.
                Ok(None) => return Ok(Ended::Whole),
                Err(failure) => return self.go_on_without(failure, place.list, None, report),
            },
            List::Log | List::Active | List::Inactive => None,
        };
        let mut cursor = place.cursor.clone();
        let mut beginnings = 0;
        loop {
            if self.watch.runs_low(TIME_FOR_ONE) {
                report.stopped = Some(Stop::OutOfTime);
                return Ok(Ended::At(cursor));
            }
            let page = self.page(place, proxy, cursor.as_ref(), report).await;
            match page {
                Ok(next @ Some(_)) => cursor = next,
                Ok(None) => return Ok(Ended::Whole),
                Err(ReadError::Table(error)) => return Err(error.into()),
                Err(ReadError::List(ListFailure::Expired | ListFailure::OtherList))
                    if cursor.is_some() && beginnings < MAX_RESTARTS =>
                {
                    tracing::warn!(
                        list = place.list.name(),
                        "Twilio forgot the place: the list is started again"
                    );
                    report.restarted += 1;
                    beginnings += 1;
                    cursor = None;
                }
                Err(ReadError::List(failure)) => {
                    return self.go_on_without(failure, place.list, cursor, report);
                }
            }
        }
    }

    async fn page(
        &mut self,
        place: &Position,
        proxy: Option<ProxyServiceSid>,
        cursor: Option<&Cursor>,
        report: &mut Reconciled,
    ) -> Result<Option<Cursor>, ReadError> {
        // The young ones, too: one that we closed and that Twilio holds open is found by the next run.
        let filter = |state| ConversationFilter {
            state: Some(state),
            created_from: None,
            created_to: None,
        };
        match (place.list, proxy) {
            (List::Log, _) => self.page_of_log(place, cursor, report).await,
            (List::Active, _) => {
                let filter = filter(StateFilter::Active);
                self.page_of_conversations(filter, cursor, report).await
            }
            (List::Inactive, _) => {
                let filter = filter(StateFilter::Inactive);
                self.page_of_conversations(filter, cursor, report).await
            }
            (List::Sessions, Some(proxy)) => self.page_of_sessions(proxy, cursor, report).await,
            (List::Sessions, None) => Ok(None),
        }
    }

    async fn proxy_service(&self) -> Result<Option<ProxyServiceSid>, ListFailure> {
        match self.sweep.settings.proxy_service {
            Some(service) => Ok(Some(service)),
            None => self.twilio.proxy_service_of(self.service).await,
        }
    }

    /// Decides if the run can go on without a list. Without TaskRouter nothing can be
    /// known; without one of the others, the rest can.
    fn go_on_without(
        &self,
        failure: ListFailure,
        list: List,
        cursor: Option<Cursor>,
        report: &mut Reconciled,
    ) -> Result<Ended, SweepError> {
        let passes = match &failure {
            ListFailure::Twilio(
                TwilioError::Throttled { .. } | TwilioError::Unreachable { .. },
            ) => true,
            ListFailure::Twilio(
                TwilioError::Gone
                | TwilioError::Unauthorized { .. }
                | TwilioError::Conflict
                | TwilioError::Refused { .. },
            )
            | ListFailure::Expired
            | ListFailure::OtherList => false,
        };
        if passes {
            tracing::warn!(list = list.name(), %failure, "no answer: the next run goes on from here");
            report.stopped = Some(Stop::TwilioIsDown);
            return Ok(Ended::At(cursor));
        }
        // Wrong credentials are wrong everywhere; a product that is switched off says 403.
        if let ListFailure::Twilio(error @ TwilioError::Unauthorized { status, .. }) = &failure
            && (*status == 401 || list == List::Log)
        {
            return Err(SweepError::LookupFailed(error.clone()));
        }
        tracing::error!(list = list.name(), %failure, "cannot be listed: nothing of it is taken up");
        report.unavailable.push(Unavailable {
            what: list.name(),
            why: failure.to_string(),
        });
        Ok(Ended::Whole)
    }
}
