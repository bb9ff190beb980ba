//! [`Messages`]: what is said to the person, one line at a time, on standard error.
//!
//! Names from outside turn up in messages, so characters that could move a terminal's cursor or
//! turn the direction of writing are written as escapes. A closed pipe is no reason to fail.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Says things to the person.
#[derive(Debug)]
pub(crate) struct Messages {
    quiet: bool,
}

impl Messages {
    /// With `quiet`, only warnings and errors are said.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Something did not work; all of its causes go on the same line.
    pub(crate) fn error(&self, error: &dyn std::error::Error) {
        write_line(io::stderr(), &format!("pony-report: error: {}", chain(error)));
    }

    /// Something did not work, but what was asked for is done.
    pub(crate) fn warn(&self, error: &dyn std::error::Error) {
        write_line(io::stderr(), &format!("pony-report: warning: {}", chain(error)));
    }

    /// A result of the verb, on standard output.
    pub(crate) fn print(&self, line: &str) {
        if !self.quiet {
            write_line(io::stdout(), line);
        }
    }

    /// A remark beside the output of a command, on standard error.
    pub(crate) fn remark(&self, line: &str) {
        if !self.quiet {
            write_line(io::stderr(), &format!("pony-report: {line}"));
        }
    }

    /// Commands for the system that shows our standard error, one a line.
    pub(crate) fn commands(&self, commands: &[String]) {
        if !self.quiet {
            commands.iter().for_each(|command| write_line(io::stderr(), command));
        }
    }

    /// Shows that something takes its time, until the return value is dropped. Only to a person at
    /// a terminal, and not in CI. On a terminal that is `shared` with a program that may ask for something, such as
    /// a password, nothing moves, or it would be drawn over.
    pub(crate) fn wait_for(&self, what: String, shared: bool) -> Spinner {
        let watched = io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        if self.quiet || !watched {
            return Spinner(ProgressBar::hidden());
        }
        if shared {
            self.remark(&what);
            return Spinner(ProgressBar::hidden());
        }
        let spinner = ProgressBar::new_spinner().with_message(printable(&what));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(120));
        Spinner(spinner)
    }
}

/// A spinner that goes away when it is dropped.
#[derive(Debug)]
pub(crate) struct Spinner(ProgressBar);

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Writes what was asked for to standard output. A reader that goes away has seen enough.
pub(crate) fn write_out(text: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// The message and its causes, without repeating one that the message before it already holds.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

fn write_line(mut to: impl io::Write, line: &str) {
    // Nobody is left to be told when this fails.
    let _ = writeln!(to, "{}", printable(line));
}

/// The text with control and direction characters as escapes.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                // Writing to a string cannot fail.
                let _ = write!(safe, "{}", character.escape_unicode());
            }
            character if character.is_control() => safe.extend(character.escape_default()),
            character => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_never_steered_from_outside() {
        assert_eq!(printable("a\u{1b}]0;pwn\u{7}\u{202e}b\n"), "a\\u{1b}]0;pwn\\u{7}\\u{202e}b\\n");
        assert_eq!(printable("naïve 测试"), "naïve 测试");
    }
}
