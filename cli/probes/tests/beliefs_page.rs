//! The page on the beliefs lists the probes as they are.

#[test]
fn the_page_lists_every_probe_with_its_beliefs() {
    let page = include_str!("../../../docs/beliefs.md");
    let lines: Vec<String> = probes::all()
        .map(|probe| format!("- `{}`: {}\n", probe.id, probe.beliefs.join(", ")))
        .collect();
    let list = lines.concat();
    assert!(
        page.contains(&list),
        "put this list into docs/beliefs.md:\n\n{list}"
    );
    for belief in probes::all().flat_map(|probe| probe.beliefs) {
        assert!(page.contains(&format!("\n| {belief} |")), "{belief}");
    }
}
