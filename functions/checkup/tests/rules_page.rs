//! What the README says of the rules.

#[test]
fn the_readme_lists_every_rule_as_it_is() {
    let readme = include_str!("../../../README.md");
    let table = checkup::table();
    assert!(
        readme.contains(&table),
        "put this table into the README, under Checkup:\n\n{table}"
    );
}
