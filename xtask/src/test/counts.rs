//! How many tests passed, read off the test runners' own summaries.

use std::ops::AddAssign;

/// What became of a suite's tests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Counts {
    /// Adds what a line of libtest's output counts, if it does:
    /// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s`.
    pub(crate) fn read_libtest(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.split("; ") {
            match number_and_word(part) {
                Some((number, "passed")) => self.passed += number,
                Some((number, "failed")) => self.failed += number,
                Some((number, "ignored")) => self.skipped += number,
                _ => {}
            }
        }
    }

    /// Adds what a line of Node's test runner counts, if it does: `# pass 5` (TAP) or `ℹ pass 5` (spec). A test marked
    /// as "todo" proves nothing, so it counts as skipped; a cancelled one failed.
    pub(crate) fn read_node(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) else { return };
        let Some((word, number)) = rest.split_once(' ') else { return };
        let Ok(number) = number.trim().parse::<usize>() else { return };
        match word {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            "skipped" | "todo" => self.skipped += number,
            _ => {}
        }
    }

    pub(crate) fn total(self) -> usize {
        self.passed + self.failed + self.skipped
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

fn number_and_word(part: &str) -> Option<(usize, &str)> {
    let (number, word) = part.trim().split_once(' ')?;
    Some((number.parse().ok()?, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_summaries_add_up() {
        let mut counts = Counts::default();
        for line in [
            "running 7 tests",
            "test jose::tests::none_is_refused ... ok",
            "test result: FAILED. 5 passed; 1 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s",
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
        ] {
            counts.read_libtest(line);
        }
        assert_eq!(counts, Counts { passed: 7, failed: 1, skipped: 1 });
    }

    #[test]
    fn node_summaries_are_read_in_both_of_its_formats() {
        for mark in ["#", "ℹ"] {
            let mut counts = Counts::default();
            for line in [
                "tests 9",
                "suites 1",
                "pass 4",
                "fail 1",
                "cancelled 1",
                "skipped 2",
                "todo 1",
                "duration_ms 86.5",
            ] {
                counts.read_node(&format!("{mark} {line}"));
            }
            assert_eq!(counts, Counts { passed: 4, failed: 2, skipped: 3 }, "{mark}");
        }
    }

    #[test]
    fn what_a_test_prints_is_not_counted() {
        let mut counts = Counts::default();
        counts.read_libtest("  test result: ok. 5 passed; 0 failed");
        counts.read_libtest("5 passed; 0 failed");
        counts.read_node("pass 3");
        counts.read_node("# pass many");
        assert_eq!(counts, Counts::default());
    }
}
