//! What a test that failed wrote: its [`Complaint`], found in captured output.

/// The gist of a panic.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::input) struct Complaint {
    pub(in crate::input) message: Option<String>,
    pub(in crate::input) file: Option<String>,
    pub(in crate::input) line: Option<i64>,
}

/// Notes with which libtest explains a `should_panic` that did not hold.
const SHOULD_PANIC_NOTES: [&str; 2] =
    ["note: test did not panic as expected", "note: panic did not contain expected string"];

impl Complaint {
    /// Reads the last panic in the output of one test, the note of a broken `should_panic`, the
    /// `Error:` of a test that returned one, or the first error of a compiler.
    pub(in crate::input) fn find(output: &str) -> Self {
        let mut found = Self::default();
        let mut error = None;
        let mut lines = output.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(place) = line.strip_prefix("thread '").and_then(split_panic) {
                found = place;
                if found.message.is_none() {
                    found.message = lines.next_if(|line| !line.is_empty()).map(str::to_owned);
                    if let Some(message) = &mut found.message {
                        while let Some(operand) = lines.next_if(|line| is_operand(line)) {
                            message.push_str(&format!(" {}", operand.trim()));
                        }
                    }
                }
            } else if SHOULD_PANIC_NOTES.iter().any(|note| line.starts_with(note)) {
                let note = line.strip_prefix("note: ").unwrap_or(line);
                let (message, place) = note.split_once(" at ").unwrap_or((note, ""));
                found = Self::at(place).unwrap_or(found);
                found.message = Some(message.to_owned());
            } else if error.is_none() && (line.starts_with("Error: ") || line.starts_with("error"))
            {
                error = Some(line);
            }
        }
        let last = || output.lines().rev().find(|line| !line.trim().is_empty());
        found.message = found.message.or_else(|| error.or_else(last).map(str::to_owned));
        found
    }

    /// Reads `src/lib.rs:1:2`.
    fn at(place: &str) -> Option<Self> {
        let mut parts = place.trim_end_matches(':').rsplitn(3, ':');
        let (_column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { message: None, file: Some(file.to_owned()), line: line.parse().ok() })
    }
}

/// Reads `name' (7) panicked at src/lib.rs:1:2:`, or before 1.73
/// `name' panicked at 'message', src/lib.rs:1:2`.
fn split_panic(line: &str) -> Option<Complaint> {
    let (thread, place) = line.split_once(" panicked at ")?;
    if !thread.ends_with(['\'', ')']) {
        return None;
    }
    match place.strip_prefix('\'').and_then(|place| place.rsplit_once("', ")) {
        Some((message, place)) => {
            let message = Some(message.lines().next().unwrap_or_default().to_owned());
            Some(Complaint { message, ..Complaint::at(place).unwrap_or_default() })
        }
        None => Some(Complaint::at(place).unwrap_or_default()),
    }
}

/// The two sides that `assert_eq!` prints below its message.
fn is_operand(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("left: ") || line.starts_with("right: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(output: &str) -> (String, String) {
        let found = Complaint::find(output);
        let place = found.file.zip(found.line).map(|(file, line)| format!("{file}:{line}"));
        (found.message.unwrap_or_default(), place.unwrap_or_default())
    }

    #[test]
    fn a_panic_is_its_message_and_place() {
        let output = "out\n\nthread 'a' (7) panicked at src/lib.rs:4:9:\n\
                      assertion `left == right` failed\n  left: 1\n right: 2\nnote: run with\n";
        assert_eq!(
            find(output),
            ("assertion `left == right` failed left: 1 right: 2".into(), "src/lib.rs:4".into())
        );
    }

    #[test]
    fn older_panics_have_the_message_first() {
        let output = "thread 'a' panicked at 'no hay', src/lib.rs:4:9\nnote: run with\n";
        assert_eq!(find(output), ("no hay".into(), "src/lib.rs:4".into()));
    }

    #[test]
    fn a_should_panic_that_did_not_hold_says_so() {
        let output = "note: test did not panic as expected at src/lib.rs:8:3\n";
        assert_eq!(find(output), ("test did not panic as expected".into(), "src/lib.rs:8".into()));
        let output = "thread 'a' (7) panicked at src/lib.rs:4:9:\nhay\n\
                      note: panic did not contain expected string\n      panic message: \"hay\"\n";
        assert_eq!(
            find(output),
            ("panic did not contain expected string".into(), "src/lib.rs:4".into())
        );
    }

    #[test]
    fn without_a_panic_the_error_speaks() {
        assert_eq!(find("x\nError: \"no hay\"\n").0, "Error: \"no hay\"");
        assert_eq!(
            find("error[E0308]: types\n  --> a\n\nCouldn't compile the test.\n").0,
            "error[E0308]: types"
        );
        assert_eq!(find("exit 3\n\n").0, "exit 3");
    }
}
