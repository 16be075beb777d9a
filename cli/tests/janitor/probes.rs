//! `janitor audit`: the probes alone, and the page.

use std::fs;

use crate::world::World;

#[test]
fn the_probes_are_asked_alone_and_their_json_names_no_customer() {
    let world = World::new();
    let chat = world.tab_closed("+15550100001");
    world.simulator.reset_calls();
    let said = world.janitor(["audit", "--probes", "--json"]);
    let json = said.json();
    assert_eq!(json["version"], 1);
    let probes = json["probes"].as_array().unwrap();
    let count = |field: &str| usize::try_from(json[field].as_u64().unwrap()).unwrap();
    let counted = count("as_expected") + count("differ") + count("not_asked");
    assert_eq!(probes.len(), counted);
    assert!(probes.iter().any(|one| one["answer"] == "not-asked"));
    // The agent of this world has no e-mail address.
    let agents = probes
        .iter()
        .find(|one| one["probe"] == "participants/agents-by-e-mail");
    assert_eq!(agents.unwrap()["answer"], "differs", "{said}");
    for personal in ["5550100001", chat.as_str(), "Hello?"] {
        assert!(!said.stdout.contains(personal), "{personal} in {said}");
    }
    assert_eq!(world.simulator.calls().writes(), 0);
    said.ends(3).says(" otherwise, ");

    let said = world.janitor(["audit", "--probes"]).ends(3);
    assert!(
        said.stdout
            .contains("Does EvaluateTaskAttributes understand IN?")
    );
    said.says("can be attached to an issue");
}

#[test]
fn the_page_holds_what_the_audit_and_the_probes_say() {
    let world = World::new();
    let chat = world.tab_closed("+15550100001");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.html");
    let path = file.to_str().unwrap();
    let said = world.janitor(["audit", "--html", path]).ends(3);
    let page = fs::read_to_string(&file).unwrap();
    for text in [
        "<!DOCTYPE html>",
        "<strong>1</strong>",
        chat.as_str(),
        "Does EvaluateTaskAttributes understand IN?",
        "Findings about the set-up",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(!page.contains("5550100001") && !page.contains("Hello?"));
    said.says("The page is in ");
    assert_eq!(world.simulator.calls().writes(), 0);
}

#[test]
fn a_page_that_cannot_be_written_is_found_before_anything_is_asked() {
    let world = World::new();
    let said = world.janitor(["audit", "--html", "/nonexistent/audit.html"]);
    said.ends(1).says("cannot write /nonexistent/audit.html");
    assert_eq!(world.simulator.calls().total(), 0);
}
