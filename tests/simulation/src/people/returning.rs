//! Customers who come back after their last task has ended, to a channel that is not closed yet:
//! no agent sees what they write.

use simulator::Sid;

use crate::functions::Deployment;

use super::People;

impl People {
    /// One of them comes back.
    pub(super) fn one_returns(&mut self, deployment: &Deployment) {
        match self.rng.choice(self.without_task(deployment)) {
            Some(customer) => self.write_as(deployment, customer),
            None => self.agent_acts(deployment),
        }
    }

    /// Most of them come back.
    pub(crate) fn all_return(&mut self, deployment: &Deployment) {
        deployment.shared.catch_up();
        for customer in self.without_task(deployment) {
            if self.rng.u8(..4) > 0 {
                self.write_as(deployment, customer);
            }
        }
        deployment.shared.catch_up();
    }

    /// Returns the customers who have written and none of whose channels has an open task.
    fn without_task(&self, deployment: &Deployment) -> Vec<usize> {
        let state = deployment.shared.twilio.state();
        let is_open = |channel: Sid| state.open_tasks_on(channel).next().is_some();
        let idle = |customer: &usize| {
            let mut theirs = self
                .customers
                .iter()
                .filter(|(_, whose)| *whose == customer);
            !theirs.any(|(channel, _)| is_open(*channel))
        };
        let mut customers: Vec<usize> = self.customers.values().copied().filter(idle).collect();
        customers.sort_unstable();
        customers.dedup();
        customers
    }
}
