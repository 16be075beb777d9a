//! The borders of the functions: every request to AWS and to Twilio passes here, may fail
//! before or after its effect, and is shown to the oracle.

pub(crate) mod aws_connector;
pub(crate) mod faults;
pub(crate) mod twilio_transport;
