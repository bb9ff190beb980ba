//! What a test wrote, in the output of a test binary that ran nothing but this test (nextest).

/// Leaves out what libtest itself prints about the run of a single test.
pub(super) fn without_transcript(output: &str) -> String {
    // The names of failed tests, and below them only the summary.
    let list = output.rfind("\nfailures:\n").filter(|&at| output[at..].contains("\ntest result: "));
    let kept = output[..list.unwrap_or(output.len())].lines().filter(|line| !is_libtest(line));
    kept.collect::<Vec<_>>().join("\n")
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
                      calm\n\ntest result: FAILED. 0 passed; 1 failed\n";
        let left = without_transcript(output);
        let lines: Vec<&str> = left.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["bale", "note: test did not panic as expected"]);
    }

    #[test]
    fn a_text_without_a_transcript_stays() {
        assert_eq!(without_transcript("a\nfailures:\nb"), "a\nb");
        assert_eq!(without_transcript(""), "");
    }
}
