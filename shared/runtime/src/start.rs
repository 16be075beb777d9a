//! The looks of a function when it starts, so that a wrong name in its settings is logged then
//! and not when a request is waiting.

use domain::Timestamp;

use crate::bus::Bus;
use crate::secrets::Secrets;

/// Reads the credentials and looks for the bus, side by side, and logs by name what is not
/// there. A failure is no reason not to start: it may pass, and each request or run says for
/// itself what it lacks.
pub async fn look(secrets: &Secrets, bus: &Bus, now: Timestamp) {
    let (secrets, bus) = tokio::join!(secrets.get(now), bus.look());
    if let Err(error) = secrets {
        tracing::error!(%error, "started without credentials: see TWILIO_SECRET and AWS_REGION");
    }
    if let Err(error) = bus {
        tracing::error!(%error, "started without a bus: see NOTICE_BUS and AWS_REGION");
    }
}
