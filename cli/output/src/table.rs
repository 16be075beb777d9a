//! Tables that fit the terminal.

use std::fmt;

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, presets};

use crate::State;

/// Length of a SID, which is never broken over two lines: it must be copied whole.
const SID: u16 = 34;

/// Longest content that is not broken over two lines either, such as a number or a state.
const MAX_SHORT: u16 = 10;

/// Characters that a column takes besides its content, and that the whole table takes once more.
const PADDING: u16 = 3;
const BORDER: u16 = 1;

/// A table in the one style of the command. On a terminal it is no wider than that, and a state
/// in a column `State` has its colour; elsewhere its lines are as long as they need to be.
pub struct Table {
    table: comfy_table::Table,
    width: Option<u16>,
    optional: Vec<usize>,
    has_states: bool,
}

impl Table {
    /// Returns an empty table with this heading.
    #[must_use]
    pub fn new<const N: usize>(heading: [&str; N]) -> Self {
        let (_, columns) = console::Term::stdout().size_checked().unzip();
        Self::with_width(heading, columns)
    }

    fn with_width<const N: usize>(heading: [&str; N], width: Option<u16>) -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_preset(presets::UTF8_BORDERS_ONLY)
            .set_header(heading);
        Self {
            table,
            width,
            optional: Vec::new(),
            has_states: heading.contains(&"State"),
        }
    }

    /// Adds a row.
    pub fn add_row<T: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.table.add_row(cells);
    }

    /// Aligns these columns to the right, as numbers are.
    pub fn align_right(&mut self, columns: &[usize]) {
        for column in columns {
            if let Some(column) = self.table.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }

    /// Names columns that are left out, in this order, where the terminal is too narrow.
    pub fn leave_out_first(&mut self, columns: &[usize]) {
        self.optional = columns.to_vec();
    }

    fn fitted(&self) -> comfy_table::Table {
        let mut table = self.table.clone();
        let Some(width) = self.width else {
            return table;
        };
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        let widths = table.column_max_content_widths();
        let mut needed = BORDER + widths.iter().map(|widest| widest + PADDING).sum::<u16>();
        for (index, widest) in widths.iter().enumerate() {
            if *widest <= MAX_SHORT || *widest == SID {
                constrain(&mut table, index, ColumnConstraint::ContentWidth);
            }
        }
        for index in &self.optional {
            if needed > width {
                needed -= widths.get(*index).map_or(0, |widest| widest + PADDING);
                constrain(&mut table, *index, ColumnConstraint::Hidden);
            }
        }
        table
    }
}

fn constrain(table: &mut comfy_table::Table, column: usize, constraint: ColumnConstraint) {
    if let Some(column) = table.column_mut(column) {
        column.set_constraint(constraint);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.fitted().to_string();
        for (number, line) in text.lines().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            if self.has_states {
                f.write_str(&painted(line))?;
            } else {
                f.write_str(line)?;
            }
        }
        Ok(())
    }
}

/// Colours the state in a line. The stream takes the colours out again where none are wanted.
fn painted(line: &str) -> String {
    // Two spaces at least are between two columns, so a word inside a text is left alone.
    let found = State::ALL.into_iter().find_map(|state| {
        let style = style(state)?;
        let ends = ["  ", " │"].map(|end| (format!("  {}{end}", state.name()), end));
        let (cell, end) = ends.into_iter().find(|(cell, _)| line.contains(cell))?;
        Some((cell, format!("  {style}{}{style:#}{end}", state.name())))
    });
    match found {
        Some((cell, coloured)) => line.replacen(&cell, &coloured, 1),
        None => line.to_owned(),
    }
}

const fn style(state: State) -> Option<Style> {
    let color = match state {
        State::Open | State::Waiting | State::Left | State::Unknown => return None,
        State::Due | State::Released => AnsiColor::Yellow,
        State::Held => AnsiColor::Cyan,
        State::Closed => AnsiColor::Green,
        State::Failed => AnsiColor::Red,
    };
    Some(color.on_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: &str = "CH0123456789abcdef0123456789abcdef";

    fn table(width: Option<u16>) -> Table {
        let mut table = Table::with_width(["Channel", "Kind", "State", "Tasks", "Due"], width);
        table.add_row([CHANNEL, "chat", "released", "0", "in 23h 59m 59s"]);
        table.leave_out_first(&[3, 1]);
        table
    }

    #[test]
    fn a_table_fits_the_terminal_and_keeps_sids_whole() {
        for width in [60, 80, 120] {
            let text = table(Some(width)).fitted().to_string();
            assert!(text.contains(CHANNEL), "{text}");
            assert!(text.contains("released") && text.contains("23h"), "{text}");
            assert_eq!(text.contains("chat"), width >= 80, "{text}");
            // A column that may be left out goes before another one is broken over two lines.
            assert_eq!(text.contains("in 23h 59m 59s"), width >= 80, "{text}");
            for line in text.lines() {
                let long = line.chars().count();
                assert!(long <= usize::from(width), "{long} of {width}:\n{text}");
            }
        }
    }

    #[test]
    fn a_state_has_its_colour_and_other_words_have_none() {
        let painted = table(None).to_string();
        assert!(
            painted.contains("\u{1b}[33mreleased\u{1b}[0m"),
            "{painted:?}"
        );
        assert!(!painted.contains("mState"), "the heading has none");

        let mut promises = Table::with_width(["What happened", "What is promised"], None);
        promises.add_row(["its agent is gone", "closed"]);
        assert!(!promises.to_string().contains('\u{1b}'), "{promises}");
        let mut last = Table::with_width(["Channel", "State"], None);
        last.add_row([CHANNEL, "closed"]);
        assert!(last.to_string().contains("\u{1b}[32mclosed\u{1b}[0m │"));
    }
}
