//! The page on the rules says what the rules say.

#[test]
fn the_page_lists_every_rule_as_it_is() {
    let page = include_str!("../../../docs/checkup-rules.md");
    let table = checkup::table();
    assert!(
        page.contains(&table),
        "put this table into docs/checkup-rules.md:\n\n{table}"
    );
}
