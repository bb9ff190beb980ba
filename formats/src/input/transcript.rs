//! What a test wrote, in the output of a test binary that ran nothing but this test (nextest).

/// Leaves out what libtest itself prints about the run of a single test.
pub(super) fn without_transcript(output: &str) -> String {
    let (before, after) = around_names(output).unwrap_or((output, ""));
    let lines = before.lines().chain(after.lines());
    lines.filter(|line| !is_libtest(line)).collect::<Vec<_>>().join("\n")
}

/// What stands before the list of failed tests, and after the summary below it.
fn around_names(output: &str) -> Option<(&str, &str)> {
    let (before, list) = output.rsplit_once("\nfailures:\n")?;
    let (_, summary) = list.split_once("\ntest result: ")?;
    Some((before, summary.split_once('\n').map_or("", |(_, after)| after)))
}

fn is_libtest(line: &str) -> bool {
    line == "running 1 test"
        || line == "failures:"
        || line.starts_with("test result: ")
        || (line.starts_with("test ") && line.contains(" ... "))
        || (line.starts_with("---- ") && line.ends_with(" stdout ----"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_test_wrote_is_left() {
        let output = "running 1 test\nbale\ntest calm - should panic ... FAILED\n\nfailures:\n\n\
                      ---- calm stdout ----\nnote: test did not panic as expected\n\nfailures:\n    \
                      calm\n\ntest result: FAILED. 0 passed; 1 failed\nbye\n";
        let left = without_transcript(output);
        let lines: Vec<&str> = left.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["bale", "note: test did not panic as expected", "bye"]);
    }

    #[test]
    fn a_text_without_a_transcript_stays() {
        assert_eq!(without_transcript("a\nfailures:\nb"), "a\nb");
        assert_eq!(without_transcript(""), "");
    }
}
