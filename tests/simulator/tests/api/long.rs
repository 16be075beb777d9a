//! A day of 20,000 customers, which takes seconds. The fast tier leaves it out.

use crate::client::Client;

#[test]
fn a_busy_day_is_no_problem() {
    let client = Client::new();
    {
        let mut state = client.simulator.state();
        let worker = state.hire_agent(client.project.workspace, "alice").unwrap();
        for customer in 0..20_000 {
            let contact = state.customer_writes(&format!("+1{customer:010}"), "Hi");
            state
                .agent_accepts(contact.task().unwrap(), worker)
                .unwrap();
        }
    }
    let tasks = client.all(
        &client.router("/Tasks?PageSize=1000&AssignmentStatus=assigned"),
        "tasks",
    );
    assert_eq!(tasks.len(), 20_000);
    assert_eq!(client.simulator.take_events().len(), 40_000);
}
