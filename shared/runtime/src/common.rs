//! The settings that several functions share; the names are fixed by the design.

use std::time::Duration;

use domain::{AccountSid, Pairs, Policy};
use jiff::SignedDuration;

use crate::aws::Aws;
use crate::bus::Bus;
use crate::secrets::{Need, Secrets};
use crate::settings::Environment;

/// The settings that every function has.
#[derive(Debug)]
pub struct CommonSettings {
    /// The clients of AWS.
    pub aws: Aws,
    /// The name of the channel table.
    pub table: String,
    /// The event bus for notices.
    pub bus: Bus,
    /// The account at Twilio.
    pub account: TwilioAccount,
    /// The credentials for Twilio.
    pub secrets: Secrets,
}

impl CommonSettings {
    /// Reads what every function needs, and adds each fault to the environment's. The environment
    /// says how AWS is reached, unless that is known already.
    pub fn read(environment: &mut Environment, need: Need, aws: Option<Aws>) -> Option<Self> {
        let aws = aws.or_else(|| Aws::from_environment(environment));
        let table = channels_table(environment);
        let bus = notice_bus(environment, aws.as_ref());
        let account = twilio_account(environment);
        let secrets = Secrets::from_environment(environment, aws.as_ref(), need);
        Some(Self {
            aws: aws?,
            table: table?,
            bus: bus?,
            account: account?,
            secrets: secrets?,
        })
    }
}

/// Reads `CHANNELS_TABLE`, the name of the channel table, which must be set.
pub fn channels_table(environment: &mut Environment) -> Option<String> {
    environment.required("CHANNELS_TABLE")
}

/// Reads `NOTICE_BUS`, the event bus for notices; without it, notices are dropped.
pub fn notice_bus(environment: &mut Environment, aws: Option<&Aws>) -> Option<Bus> {
    Some(match environment.optional::<String>("NOTICE_BUS") {
        Some(name) => Bus::new(aws?.eventbridge(), name),
        None => Bus::none(),
    })
}

/// The account that we act for at Twilio, and the place of Twilio's APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwilioAccount {
    /// The account.
    pub sid: AccountSid,
    /// Another place for all of Twilio's APIs: `{api_url}/{product}/…`. Without a slash at
    /// its end.
    pub api_url: Option<String>,
    /// The edge location, such as `dublin`.
    pub edge: Option<String>,
    /// The region that processes the data, such as `ie1`.
    pub region: Option<String>,
}

/// Reads `TWILIO_ACCOUNT_SID`, which must be set, and `TWILIO_API_URL`, `TWILIO_EDGE` and
/// `TWILIO_REGION`.
pub fn twilio_account(environment: &mut Environment) -> Option<TwilioAccount> {
    let sid = environment.required("TWILIO_ACCOUNT_SID");
    let api_url = environment.url("TWILIO_API_URL");
    let edge = host_label(environment, "TWILIO_EDGE");
    let region = host_label(environment, "TWILIO_REGION");
    Some(TwilioAccount {
        sid: sid?,
        api_url,
        edge,
        region,
    })
}

/// A part of a host name: anything more would let a setting point our credentials at
/// another host by accident.
fn host_label(environment: &mut Environment, name: &'static str) -> Option<String> {
    let label = environment.optional::<String>(name)?;
    let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !label.bytes().all(valid) {
        environment.malformed(name, "not lower-case letters, digits and hyphens");
        return None;
    }
    Some(label)
}

/// Reads the policy, each variable with the default of [`Policy::default`].
pub fn policy(environment: &mut Environment) -> Policy {
    let faults_before = environment.faults().len();
    let default = Policy::default();
    let policy = Policy {
        abandoned_cutoff: environment.duration_or("ABANDONED_CUTOFF", default.abandoned_cutoff),
        ended_cutoff: environment.duration_or("ENDED_CUTOFF", default.ended_cutoff),
        long_lived_cutoff: environment.duration_or("LONG_LIVED_CUTOFF", default.long_lived_cutoff),
        release_long_lived: environment.or("RELEASE_LONG_LIVED", default.release_long_lived),
        inspect_after: environment.duration_or("INSPECT_AFTER", default.inspect_after),
        orphan_grace: environment.duration_or("ORPHAN_GRACE", default.orphan_grace),
        orphan_cutoff: environment.duration_or_never("ORPHAN_CUTOFF", default.orphan_cutoff),
        quiet_cutoff: environment.duration_or("QUIET_CUTOFF", default.quiet_cutoff),
        put_aside_cutoff: environment
            .duration_or_never("PUT_ASIDE_CUTOFF", default.put_aside_cutoff),
        wrap_up_limit: environment.duration_or("WRAP_UP_LIMIT", default.wrap_up_limit),
        retention: environment.duration_or("RETENTION", default.retention),
        park_after: environment.duration_or("PARK_AFTER", default.park_after),
    };
    // With a default in place of a malformed value, the rest would be judged by a policy
    // that was not asked for.
    if environment.faults().len() == faults_before {
        environment.unsound(policy.faults());
    }
    policy
}

/// Returns the variables that give this policy: [`policy`] reads the same from them.
pub fn policy_variables(policy: &Policy) -> [(&'static str, String); 12] {
    // Every field by its name: a setting that is added must be noted here.
    let Policy {
        abandoned_cutoff,
        ended_cutoff,
        long_lived_cutoff,
        release_long_lived,
        inspect_after,
        orphan_grace,
        orphan_cutoff,
        quiet_cutoff,
        put_aside_cutoff,
        wrap_up_limit,
        retention,
        park_after,
    } = *policy;
    let or_never = |cutoff: Option<Duration>| cutoff.map_or("never".to_owned(), duration_text);
    [
        ("ABANDONED_CUTOFF", duration_text(abandoned_cutoff)),
        ("ENDED_CUTOFF", duration_text(ended_cutoff)),
        ("LONG_LIVED_CUTOFF", duration_text(long_lived_cutoff)),
        ("RELEASE_LONG_LIVED", release_long_lived.to_string()),
        ("INSPECT_AFTER", duration_text(inspect_after)),
        ("ORPHAN_GRACE", duration_text(orphan_grace)),
        ("ORPHAN_CUTOFF", or_never(orphan_cutoff)),
        ("QUIET_CUTOFF", duration_text(quiet_cutoff)),
        ("PUT_ASIDE_CUTOFF", or_never(put_aside_cutoff)),
        ("WRAP_UP_LIMIT", duration_text(wrap_up_limit)),
        ("RETENTION", duration_text(retention)),
        ("PARK_AFTER", duration_text(park_after)),
    ]
}

/// Returns a duration as its variable takes it, such as `15m`.
pub fn duration_text(duration: Duration) -> String {
    let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    format!("{duration:#}")
}

/// Reads `PARK_TASK_CHANNELS`, pairs of TaskChannels like `TCactive:TCinactive,…`. Without it,
/// nothing is parked.
pub fn park_pairs(environment: &mut Environment) -> Option<Pairs> {
    let pairs = environment.list("PARK_TASK_CHANNELS");
    match Pairs::new(pairs) {
        Ok(pairs) => Some(pairs),
        Err(faults) => {
            for fault in faults {
                environment.malformed("PARK_TASK_CHANNELS", fault);
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_back_from_its_variables() {
        let odd = Policy {
            ended_cutoff: Duration::from_millis(10 * 60 * 60 * 1_000 + 1_500),
            orphan_cutoff: None,
            put_aside_cutoff: Some(Duration::from_secs(100 * 24 * 60 * 60)),
            release_long_lived: false,
            ..Policy::default()
        };
        for expected in [Policy::default(), odd] {
            let mut environment: Environment = policy_variables(&expected).into_iter().collect();
            assert_eq!(policy(&mut environment), expected);
            assert_eq!(environment.faults(), []);
        }
        let defaults = policy_variables(&Policy::default());
        assert!(defaults.contains(&("ENDED_CUTOFF", "15m".to_owned())));
        assert!(defaults.contains(&("PUT_ASIDE_CUTOFF", "never".to_owned())));
    }
}
