//! Bar charts as inline SVG: black on white in print, and readable on a phone.

use maud::{Markup, html};

/// The width of a chart in its own units, about the pixels of a phone.
const WIDTH: usize = 340;

/// The height of a label with its bar.
const ROW: usize = 38;

/// The room to the right of the longest bar, for its number.
const NUMBER: usize = 60;

/// Returns a chart with one bar for each label.
pub(super) fn bars(title: &str, id: &str, values: &[(String, usize)]) -> Markup {
    let most = values.iter().map(|(_, value)| *value).max().unwrap_or(0);
    let spoken: Vec<String> = values
        .iter()
        .map(|(label, value)| format!("{label}: {value}"))
        .collect();
    html! {
        figure {
            figcaption #(id) { (title) }
            svg role="img" aria-label=(format!("{title}: {}", spoken.join(", ")))
                viewBox=(format!("0 0 {WIDTH} {}", values.len() * ROW)) {
                @for (at, (label, value)) in values.iter().enumerate() {
                    text x="0" y=(at * ROW + 13) { (label) }
                    rect x="0" y=(at * ROW + 18) height="14" width=(width(*value, most)) {}
                    text x=(width(*value, most) + 6) y=(at * ROW + 30) { (value) }
                }
            }
        }
    }
}

/// Returns the width of a bar. What is there is seen, however small.
fn width(value: usize, most: usize) -> usize {
    let longest = WIDTH - NUMBER;
    match (value, most) {
        (0, _) | (_, 0) => 0,
        (value, most) => (value.saturating_mul(longest) / most).max(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_bar_fits_and_the_smallest_is_seen() {
        assert_eq!(width(0, 10), 0);
        assert_eq!(width(10, 10), WIDTH - NUMBER);
        assert_eq!(width(1, 100_000), 2);
    }
}
