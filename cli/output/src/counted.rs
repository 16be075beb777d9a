//! Numbers with what they count.

/// Returns a count with its noun: `1 channel`, `2 channels`, `0 channels`.
#[must_use]
pub fn counted(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn only_one_is_singular() {
        assert_eq!(counted(0, "channel"), "0 channels");
        assert_eq!(counted(1, "unheard customer"), "1 unheard customer");
        assert_eq!(counted(21, "channel"), "21 channels");
    }
}
