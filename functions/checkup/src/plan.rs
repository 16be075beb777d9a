//! What to do about what was found: a plan, worked out from the snapshot alone.
//!
//! What nobody could mean otherwise is mended by default. What changes the customers' way at
//! once, or may be meant, is only mended when its rule is named. What a person must do first
//! comes first, with what we do after it; a repair that hangs on it is put off and says so.

use std::collections::BTreeMap;

use domain::{FlexFlowSid, PhoneNumberSid, StudioFlowSid};
use twilio::rest::setup::{
    Address, COUNTED_EVENTS, FlexFlow, NewFlexFlow, NumberChange, PhoneNumber, Ref, StudioFlow,
};

use crate::repair::Repair;
use crate::report::{Finding, Report, Subject};
use crate::rules::{Entry, Fix, Role, Rule, Way, role_of, takes};
use crate::snapshot::Snapshot;
use crate::wanted::Wanted;

/// What an operator chose.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The rules that are named; none stands for those that are mended by default.
    pub rules: Vec<&'static Rule>,
    /// The SIDs of what is to be mended; none stands for everything.
    pub subjects: Vec<String>,
    /// The Studio flow that messages are to take.
    pub studio_flow: Option<StudioFlowSid>,
    /// The Studio flow that calls are to take.
    pub voice_flow: Option<StudioFlowSid>,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What a person does.
    pub errands: Vec<Errand>,
    /// What we do.
    pub repairs: Vec<Repair>,
    /// What we would do, if something else were not in the way.
    pub blocked: Vec<Blocked>,
    /// What we would do if it were named: how many findings of which rule.
    pub offers: Vec<(&'static Rule, usize)>,
}

/// What a person does.
#[derive(Clone, Debug)]
pub struct Errand {
    /// The rule whose remedy it is.
    pub rule: &'static Rule,
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// What we do after it.
    pub then: Option<String>,
}

/// A repair that is put off.
#[derive(Clone, Debug)]
pub struct Blocked {
    /// The rule whose remedy it is.
    pub rule: &'static Rule,
    /// What it is about.
    pub subject: Subject,
    /// What is in the way.
    pub why: &'static str,
}

/// Works out what to do about a report on this snapshot.
pub fn plan(snapshot: &Snapshot, wanted: &Wanted, report: &Report, choice: &Choice) -> Plan {
    let mut planner = Planner {
        snapshot,
        wanted,
        choice,
        plan: Plan::default(),
        flows: BTreeMap::new(),
        numbers: BTreeMap::new(),
    };
    for finding in &report.findings {
        planner.take(finding);
    }
    planner.finish()
}

struct Planner<'a> {
    snapshot: &'a Snapshot,
    wanted: &'a Wanted,
    choice: &'a Choice,
    plan: Plan,
    /// One update for each Flex Flow, however much is wrong with it.
    flows: BTreeMap<FlexFlowSid, Relink>,
    /// One series of changes for each number.
    numbers: BTreeMap<PhoneNumberSid, (PhoneNumber, Vec<NumberChange>)>,
}

struct Relink {
    before: FlexFlow,
    after: FlexFlow,
    does: Vec<String>,
}

impl Planner<'_> {
    fn take(&mut self, finding: &Finding) {
        let chosen = &self.choice.subjects;
        if !chosen.is_empty() && !chosen.iter().any(|sid| finding.subject.is_at(sid)) {
            return;
        }
        let rule = finding.rule;
        let named = self.choice.rules.iter().any(|one| one.id == rule.id);
        match rule.fix {
            Fix::Person => self.errand(finding),
            Fix::Named if !named => self.offer(rule),
            Fix::Default if !named && !self.choice.rules.is_empty() => {}
            Fix::Default | Fix::Named => {
                if let Err(why) = self.repair(finding) {
                    self.plan.blocked.push(Blocked {
                        rule,
                        subject: finding.subject.clone(),
                        why,
                    });
                }
            }
        }
    }

    fn errand(&mut self, finding: &Finding) {
        let rule = finding.rule;
        let subject = finding.subject.clone();
        if let Some(known) = self
            .plan
            .errands
            .iter_mut()
            .find(|one| one.rule.id == rule.id)
        {
            known.subjects.push(subject);
            return;
        }
        let then = self.follow_up(rule);
        self.plan.errands.push(Errand {
            rule,
            subjects: vec![subject],
            then,
        });
    }

    fn offer(&mut self, rule: &'static Rule) {
        match self
            .plan
            .offers
            .iter_mut()
            .find(|(one, _)| one.id == rule.id)
        {
            Some((_, count)) => *count += 1,
            None => self.plan.offers.push((rule, 1)),
        }
    }

    /// What we do after a person has made anew what was deleted: only then do the SIDs that
    /// others refer to exist.
    fn follow_up(&self, rule: &Rule) -> Option<String> {
        let flows = self.snapshot.flex_flows.as_ref().map_or(0, Vec::len);
        let numbers = self.snapshot.numbers.as_ref().map_or(0, |numbers| {
            let chat = |number: &&PhoneNumber| role_of(self.snapshot, number) == Ok(Role::Chat);
            numbers.iter().filter(chat).count()
        });
        Some(match rule.id {
            "project/chat-service" | "project/configuration" => format!(
                "`janitor checkup --fix` then links the Flex Flows ({flows}) to the new chat service"
            ),
            "project/workspace" => {
                "`janitor checkup` then says which Flex Flows and Studio widgets still name the old workflow".to_owned()
            }
            "proxy/service" | "proxy/chat-service" => format!(
                "after the numbers are in its pool, `janitor checkup --fix` lets the messages of the numbers of Chat ({numbers}) go to it"
            ),
            "events/subscription" => {
                "`janitor checkup --fix` then adds whatever type is still missing".to_owned()
            }
            _ => return None,
        })
    }

    fn repair(&mut self, finding: &Finding) -> Result<(), &'static str> {
        match (finding.rule.id, &finding.subject) {
            ("flex-flow/chat-service", Subject::FlexFlow(sid)) => {
                let service = self.snapshot.living_chat_service().ok().flatten();
                let service = service.ok_or("Flex has no chat service that exists")?;
                self.relink(
                    *sid,
                    format!("link it to the chat service {service}"),
                    |flow| {
                        flow.chat_service = Ref::To(service);
                    },
                )
            }
            ("flex-flow/studio-flow", Subject::FlexFlow(sid)) => {
                let studio = self.studio_flow(Entry::Message, self.choice.studio_flow)?;
                self.relink(
                    *sid,
                    format!("lead it to the Studio flow {studio}"),
                    |flow| {
                        flow.integration.flow = Ref::To(studio);
                    },
                )
            }
            ("flex-flow/janitor", Subject::FlexFlow(sid)) => {
                let on = self
                    .wanted
                    .janitor
                    .wanted()
                    .ok_or("FLEX_JANITOR does not say")?;
                self.relink(*sid, format!("set JanitorEnabled to {on}"), |flow| {
                    flow.janitor_enabled = on;
                })
            }
            ("flex-flow/long-lived", Subject::FlexFlow(sid)) => {
                let wanted = self.wanted.long_lived.clone();
                let wanted = wanted.ok_or("FLEX_LONG_LIVED does not say")?;
                self.relink(*sid, "set LongLived as wanted".to_owned(), |flow| {
                    flow.long_lived = wanted.includes(&flow.channel_type);
                })
            }
            ("flex-flow/missing", Subject::Number(sid)) => self.new_flow(*sid),
            ("number/messages", Subject::Number(sid)) => {
                let proxy = self.snapshot.linked_proxy().ok().flatten();
                let proxy =
                    proxy.ok_or("no Proxy service is linked to the chat service of Flex")?;
                let url = Way::proxy_url(self.snapshot.account, proxy);
                self.point(*sid, NumberChange::MessagesTo(url))
            }
            ("number/message-handler", Subject::Number(sid)) => {
                self.point(*sid, NumberChange::MessagesTo(String::new()))
            }
            ("number/message-application", Subject::Number(sid)) => {
                self.point(*sid, NumberChange::NoMessageApplication)
            }
            ("number/voice-application", Subject::Number(sid)) => {
                self.point(*sid, NumberChange::NoCallApplication)
            }
            ("number/voice-flow" | "number/voice", Subject::Number(sid)) => {
                let studio = self.studio_flow(Entry::Call, self.choice.voice_flow)?;
                let url = Way::studio_url(self.snapshot.account, studio);
                self.point(*sid, NumberChange::CallsTo(url))
            }
            ("address/studio-flow", Subject::Address(sid)) => {
                let flow = self.studio_flow(Entry::Conversation, self.choice.studio_flow)?;
                let mut addresses = self.snapshot.addresses.iter().flatten();
                let before: Option<&Address> = addresses.find(|one| one.sid == *sid);
                let before = before.ok_or(VANISHED)?.clone();
                let repair = Repair::Address { before, flow };
                self.plan.repairs.push(repair);
                Ok(())
            }
            ("events/types", Subject::Event(subscription, event)) => {
                let version = version(event)?;
                let repair = Repair::Subscribe {
                    subscription: *subscription,
                    event,
                    version,
                };
                self.plan.repairs.push(repair);
                Ok(())
            }
            ("events/schema-version", Subject::Event(subscription, event)) => {
                let version = version(event)?;
                let repair = Repair::Version {
                    subscription: *subscription,
                    event,
                    version,
                };
                self.plan.repairs.push(repair);
                Ok(())
            }
            _ => Err("this cannot be mended by us"),
        }
    }

    fn relink(
        &mut self,
        sid: FlexFlowSid,
        does: String,
        change: impl FnOnce(&mut FlexFlow),
    ) -> Result<(), &'static str> {
        if !self.flows.contains_key(&sid) {
            let mut flows = self.snapshot.flex_flows.iter().flatten();
            let before = flows.find(|flow| flow.sid == sid).ok_or(VANISHED)?;
            let relink = Relink {
                before: before.clone(),
                after: before.clone(),
                does: Vec::new(),
            };
            self.flows.insert(sid, relink);
        }
        let relink = self.flows.get_mut(&sid).ok_or(VANISHED)?;
        change(&mut relink.after);
        relink.does.push(does);
        Ok(())
    }

    fn point(&mut self, sid: PhoneNumberSid, change: NumberChange) -> Result<(), &'static str> {
        let mut numbers = self.snapshot.numbers.iter().flatten();
        let before = numbers.find(|one| one.sid == sid).ok_or(VANISHED)?;
        let (_, changes) = self
            .numbers
            .entry(sid)
            .or_insert_with(|| (before.clone(), Vec::new()));
        changes.push(change);
        Ok(())
    }

    /// A Flex Flow for a number of Chat, to a Studio flow: that is how Twilio sets up a new
    /// number.
    fn new_flow(&mut self, sid: PhoneNumberSid) -> Result<(), &'static str> {
        let service = self.snapshot.living_chat_service().ok().flatten();
        let service = service.ok_or("Flex has no chat service that exists")?;
        let mut numbers = self.snapshot.numbers.iter().flatten();
        let number = numbers.find(|one| one.sid == sid).ok_or(VANISHED)?;
        let studio = self.studio_flow(Entry::Message, self.choice.studio_flow)?;
        let long_lived = self.wanted.long_lived.as_ref();
        let flow = NewFlexFlow {
            contact: number.contact.clone(),
            chat_service: service,
            flow: studio,
            long_lived: long_lived.is_some_and(|wanted| wanted.includes("sms")),
            janitor_enabled: self.wanted.janitor.wanted().unwrap_or(true),
        };
        self.plan
            .repairs
            .push(Repair::NewFlexFlow { number: sid, flow });
        Ok(())
    }

    /// The Studio flow that contacts of this kind are to take: the chosen one, or the only one
    /// that takes them.
    fn studio_flow(
        &self,
        entry: Entry,
        chosen: Option<StudioFlowSid>,
    ) -> Result<StudioFlowSid, &'static str> {
        let fits = |flow: &&StudioFlow| {
            flow.is_published() && flow.valid != Some(false) && takes(flow, entry)
        };
        let flows = self.snapshot.studio_flows.as_ref();
        let flows = flows.map_err(|_| "the Studio flows could not be looked at")?;
        let mut fitting = flows.values().filter(fits).map(|flow| flow.sid);
        let (none, many) = match entry {
            Entry::Message | Entry::Conversation => (
                "no published Studio flow takes them to Flex",
                "several Studio flows take them to Flex: choose one with --studio-flow",
            ),
            Entry::Call => (
                "no published Studio flow takes calls to Flex",
                "several Studio flows take calls to Flex: choose one with --voice-flow",
            ),
        };
        match chosen {
            Some(chosen) if fitting.any(|sid| sid == chosen) => Ok(chosen),
            Some(_) => Err(
                "the chosen Studio flow does not exist, is not published, or does not take them to Flex",
            ),
            None => match (fitting.next(), fitting.next()) {
                (Some(only), None) => Ok(only),
                (Some(_), Some(_)) => Err(many),
                (None, _) => Err(none),
            },
        }
    }

    fn finish(mut self) -> Plan {
        let mut repairs: Vec<Repair> = self
            .flows
            .into_values()
            .map(|relink| Repair::FlexFlow {
                before: Box::new(relink.before),
                after: Box::new(relink.after),
                does: relink.does,
            })
            .collect();
        repairs.append(&mut self.plan.repairs);
        let numbers = self.numbers.into_values();
        repairs.extend(numbers.map(|(before, changes)| Repair::Number { before, changes }));
        self.plan.repairs = repairs;
        self.plan
    }
}

fn version(event: &str) -> Result<u8, &'static str> {
    let mut counted = COUNTED_EVENTS.into_iter();
    let found = counted.find(|(name, _)| *name == event);
    found.map(|(_, version)| version).ok_or(VANISHED)
}

/// A finding is about something in the snapshot that it was made from.
const VANISHED: &str = "it is not in the snapshot";
