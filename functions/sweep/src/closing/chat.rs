//! A Chat channel: its attributes `long_lived` and `status`.

use domain::{ChannelSid, Outcome, Step};
use twilio::attributes::Attributes;
use twilio::rest::{ChatChannel, TwilioError};

use super::{CloseError, Closer};
use crate::look::Reader;
use crate::settings::Action;

impl Closer {
    pub(super) async fn write_chat(
        &self,
        channel: ChannelSid,
        attributes: &Attributes,
        step: Step,
    ) -> Result<Outcome, CloseError> {
        if step == Step::Close && self.plan.action == Action::Delete {
            return self.delete_chat(channel).await;
        }
        let text = match (step, attributes.is_long_lived()) {
            (Step::Close, true) => attributes.with_reset(),
            (Step::Close | Step::Release, _) => attributes.with_status_inactive(),
        };
        let Reader {
            twilio, service, ..
        } = &self.reader;
        let answer = twilio.set_chat_attributes(*service, channel, &text).await;
        match answer {
            Ok(answer) if keeps(&answer, step) => Ok(Outcome::Written),
            Ok(_) => Err(CloseError::NotKept),
            Err(TwilioError::Gone) => Ok(Outcome::Gone),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn delete_chat(&self, channel: ChannelSid) -> Result<Outcome, CloseError> {
        let Reader {
            twilio, service, ..
        } = &self.reader;
        match twilio.delete_chat_channel(*service, channel).await {
            Ok(()) => Ok(Outcome::Deleted),
            Err(TwilioError::Gone) => Ok(Outcome::Gone),
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns whether Twilio's answer shows the channel as the step wants it. The text that was
/// sent does not count: Twilio may write it in another way.
fn keeps(answer: &ChatChannel, step: Step) -> bool {
    answer.attributes.as_ref().is_ok_and(|attributes| {
        let reset = step == Step::Release || !attributes.is_long_lived();
        attributes.is_inactive() && reset
    })
}
