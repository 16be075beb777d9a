//! Lines of a label and a text, such as those of `status`.

use std::fmt;

/// Column at which the texts begin.
const INDENT: usize = 11;

/// Lines of a label and a text. On a terminal a long text goes on below itself; elsewhere each
/// is one line, however long.
#[derive(Clone, Debug)]
pub struct Labelled {
    lines: Vec<(&'static str, String)>,
    width: Option<usize>,
}

impl Default for Labelled {
    fn default() -> Self {
        let (_, columns) = console::Term::stdout().size_checked().unzip();
        Self {
            lines: Vec::new(),
            width: columns.map(usize::from),
        }
    }
}

impl Labelled {
    /// Adds a line. A label has ten letters at most.
    pub fn add(&mut self, label: &'static str, text: impl Into<String>) {
        self.lines.push((label, text.into()));
    }
}

impl fmt::Display for Labelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (label, text)) in self.lines.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{label:<INDENT$}")?;
            let mut column = INDENT;
            for (number, word) in text.split(' ').enumerate() {
                let length = word.chars().count();
                let is_full = |width| column + 1 + length > width;
                if number > 0 && self.width.is_some_and(is_full) {
                    write!(f, "\n{:INDENT$}", "")?;
                    column = INDENT;
                } else if number > 0 {
                    f.write_str(" ")?;
                    column += 1;
                }
                f.write_str(word)?;
                column += length;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_goes_on_below_itself() {
        let mut lines = Labelled {
            lines: Vec::new(),
            width: Some(30),
        };
        lines.add("Mode", "acts");
        lines.add("Waiting", "four hundred channels of all kinds");
        let expected = "Mode       acts\nWaiting    four hundred\n           channels of all\n           kinds";
        assert_eq!(lines.to_string(), expected);
        lines.width = None;
        assert_eq!(lines.to_string().lines().count(), 2);
    }
}
