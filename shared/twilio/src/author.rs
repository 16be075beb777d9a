//! The party that an author of messages belongs to.
//!
//! Twilio does not say it. An address can only be a customer's; `system` and `Bot` are
//! programs, and so is an author that is no participant and no address. Flex writes an agent's
//! identity with all but letters and digits escaped, an e-mail address as `agent_40example_2Ecom`.
//! Everyone else is taken for a customer: to take a program for a customer raises a false alarm,
//! to take a customer for a program would leave one waiting.

#[cfg(feature = "rest")]
use domain::Party;

/// The authors that programs write as: Twilio's own default and Flex's.
const PROGRAMS: [&str; 2] = ["system", "bot"];

/// The relation of an author to the channel, as far as the message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Participation {
    /// The message names a participant.
    Participant,
    /// The message names no participant: it was written through the API.
    Stranger,
    /// The message does not say.
    #[cfg(feature = "rest")]
    Unknown,
}

/// Returns the party of an author.
#[cfg(feature = "rest")]
pub(crate) fn party(author: &str, participation: Participation) -> Party {
    let author = author.trim();
    if is_address(author) {
        return Party::Customer;
    }
    if is_program(author, participation) {
        return Party::Program;
    }
    match is_escaped_address(author) {
        true => Party::Agent,
        false => Party::Customer,
    }
}

/// Returns whether an author who is no address is a program.
pub(crate) fn is_program(author: &str, participation: Participation) -> bool {
    author.is_empty()
        || PROGRAMS
            .iter()
            .any(|name| author.eq_ignore_ascii_case(name))
        || participation == Participation::Stranger
}

/// Returns whether this is how a customer is reached: a phone number, an e-mail address, or
/// `whatsapp:…` and the like. An agent's identity may have `client:` before it.
pub(crate) fn is_address(author: &str) -> bool {
    is_of_network(author) || (author.contains('@') && !author.starts_with("client:"))
}

/// Returns whether this is an address of a network, a phone number or `whatsapp:…` and the
/// like, which no agent writes under.
pub(crate) fn is_of_network(author: &str) -> bool {
    let number = author.strip_prefix('+').unwrap_or(author);
    let is_number = number.len() >= 5 && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number || (author.contains(':') && !author.starts_with("client:"))
}

/// Returns whether messages under this identity count as an agent's.
#[cfg(feature = "rest")]
pub fn is_agent(identity: &str) -> bool {
    party(identity, Participation::Participant) == Party::Agent
}

/// Returns whether this is an e-mail address as Flex writes an agent's identity.
#[cfg(feature = "rest")]
fn is_escaped_address(author: &str) -> bool {
    let author = author.strip_prefix("client:").unwrap_or(author);
    author.contains("_40") && author.contains("_2E")
}

#[cfg(all(test, feature = "rest"))]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_customers_whoever_passes_it_on() {
        for author in [
            "+15550100123",
            "15550100123",
            "whatsapp:+15550100123",
            "messenger:1234",
            "customer@example.com",
        ] {
            for participation in [
                Participation::Participant,
                Participation::Stranger,
                Participation::Unknown,
            ] {
                assert_eq!(party(author, participation), Party::Customer, "{author}");
            }
        }
    }

    #[test]
    fn a_program_writes_under_its_name_or_without_taking_part() {
        for author in ["system", "Bot", "BOT", "", " "] {
            assert_eq!(party(author, Participation::Unknown), Party::Program);
        }
        assert_eq!(party("lex-bot", Participation::Stranger), Party::Program);
    }

    #[test]
    fn an_agent_has_an_escaped_address_and_a_web_chat_customer_any_identity() {
        let agent = "agent_2Eone_40example_2Ecom";
        assert_eq!(party(agent, Participation::Participant), Party::Agent);
        let guest = "9a8b7c6d-guest";
        assert_eq!(party(guest, Participation::Participant), Party::Customer);
        assert_eq!(party(guest, Participation::Unknown), Party::Customer);
    }
}
