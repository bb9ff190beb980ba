//! [`Redaction`]: what must not be stored, taken out of what was printed.
//!
//! CI systems hide secrets in the log that they show, but not in what a program prints, which is what is captured
//! here. So the values of variables whose names say that they are secret are always taken out, and what the person
//! describes as well. The person still sees everything.

mod stream;

use std::cmp::Reverse;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, Write as _};
use std::ops::Range;
use std::sync::Arc;

use pony_formats::excerpt::STREAMS;
use pony_formats::{Bag, Evidence, Step, Submission, TestCase, Value};
use regex::bytes::Regex;

use crate::exit::Failure;
use crate::origin::Surroundings;
use crate::target::Target;
use stream::Redactor;
pub(crate) use stream::{CleanExcerpt, SECRET_BYTES_MAX};

/// What stands in its place.
const MARK: &str = "[redacted]";

/// How the names of variables with secrets end, as far as that tells.
const SECRET_ENDINGS: [&str; 8] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIALS",
    "API_KEY",
    "PRIVATE_KEY",
];

/// A token that a collector gave, wherever it comes from.
const COLLECTOR_TOKEN: &str = "pony_[0-9a-f]{64}";

/// The keys whose values are words of the format, and not of a program: without them a test would be none.
const OUR_WORDS: [&str; 2] = ["outcome", "type"];

/// Characters up to which a secret is only taken out as a whole word: `password` is part of many names.
const WORD_CHARS_MAX: usize = 15;

/// Characters from which on a value is taken for a secret: shorter ones are words of the output.
const SECRET_CHARS_MIN: usize = 8;

/// How much of a file is read at once, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// Patterns of secrets.
#[derive(Debug, Clone, Default)]
struct Patterns(Arc<Vec<Regex>>);

impl Patterns {
    /// Where secrets are in a text, from `from` on, in order. Those that lie over one another are one.
    fn find(&self, text: &[u8], from: usize) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for pattern in &*self.0 {
            let mut at = from;
            while let Some(range) = pattern.find_at(text, at).map(|secret| secret.range()) {
                at = range.end.max(at + usize::from(range.is_empty()));
                found.extend((!range.is_empty()).then_some(range));
                if at > text.len() {
                    break;
                }
            }
        }
        found.sort_unstable_by_key(|range| (range.start, Reverse(range.end)));
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for range in found {
            match apart.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }

    #[cfg(test)]
    fn of(patterns: &[&str]) -> Self {
        Self(Arc::new(patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect()))
    }
}

/// What must not be stored.
#[derive(Debug, Default)]
pub(crate) struct Redaction {
    patterns: Patterns,
}

impl Redaction {
    /// What was asked for, with `--redact` or `PONY_REDACT`, the secrets of the environment, and those of the
    /// address that results go to.
    pub(crate) fn of(
        patterns: &[String],
        surroundings: &Surroundings,
        target: &Target,
    ) -> Result<Self, Failure> {
        let mut all = vec![pattern(COLLECTOR_TOKEN, "a token")?];
        let secrets = surroundings.variables().filter(|(name, _)| is_secret(name));
        // A key may have many lines, and be printed in parts.
        let lines = secrets.flat_map(|(_, value)| value.lines().map(str::trim));
        let lines = lines.chain(surroundings.variables().filter_map(|(_, value)| password(value)));
        let of_target = target.secrets();
        let lines = lines.chain(of_target.iter().map(String::as_str));
        let mut lines: Vec<&str> =
            lines.filter(|line| line.chars().count() >= SECRET_CHARS_MIN).collect();
        lines.sort_unstable();
        lines.dedup();
        for line in lines {
            all.push(pattern(&literally(line), "a secret of the environment")?);
        }
        for text in patterns {
            all.push(pattern(text, "--redact")?);
        }
        if let Some(text) = surroundings.var("PONY_REDACT").filter(|_| patterns.is_empty()) {
            all.push(pattern(text, "PONY_REDACT")?);
        }
        Ok(Self { patterns: Patterns(Arc::new(all)) })
    }

    /// An excerpt of a stream, of which secrets are taken out before it is cut.
    pub(crate) fn excerpt(&self, bytes_max: usize) -> CleanExcerpt {
        CleanExcerpt::new(self.patterns.clone(), bytes_max)
    }

    /// A temporary file with what another holds, without secrets and without so many bytes at its end, up to
    /// [`SECRET_BYTES_MAX`]: they only show which secrets begin before them.
    pub(crate) fn clean_file(&self, mut file: File, beyond: usize) -> io::Result<File> {
        let mut redactor = Redactor::new(self.patterns.clone());
        let mut clean = BufWriter::new(tempfile::tempfile()?);
        let mut written = Ok(());
        let mut write = |bytes: &[u8]| {
            if written.is_ok() {
                written = clean.write_all(bytes);
            }
        };
        file.rewind()?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => redactor.push(&piece[..length], &mut write),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        redactor.finish_before(beyond, &mut write);
        written?;
        clean.into_inner().map_err(io::IntoInnerError::into_error)
    }

    /// The text without secrets.
    pub(crate) fn clean_text(&self, text: &mut String) {
        let secrets = self.patterns.find(text.as_bytes(), 0);
        for secret in secrets.into_iter().rev() {
            // Patterns of text match whole characters.
            if text.is_char_boundary(secret.start) && text.is_char_boundary(secret.end) {
                text.replace_range(secret, MARK);
            }
        }
    }

    /// The same submission without secrets. What it says of who and where stays as it is, and so do the streams of its
    /// steps, which were clean before they were cut.
    pub(crate) fn apply(&self, submission: Submission) -> Submission {
        let steps = submission.results_list.into_iter();
        let clean = |step: Step| {
            step.edited(|bag| self.clean_bag(bag, &STREAMS), |test| self.clean_test(test))
        };
        Submission { results_list: steps.map(clean).collect(), ..submission }
    }

    fn clean_test(&self, test: &mut TestCase) {
        let TestCase { id, outcome: _, duration: _, evidence, file, line: _, attempts, extra } =
            test;
        self.clean_text(id);
        self.clean_evidence(evidence);
        file.iter_mut().for_each(|text| self.clean_text(text));
        attempts.iter_mut().for_each(|attempt| self.clean_evidence(&mut attempt.evidence));
        self.clean_bag(extra, &[]);
    }

    fn clean_evidence(&self, evidence: &mut Evidence) {
        // The kind is a word of the runner.
        let Evidence { message, kind: _, details, output, errout } = evidence;
        for text in [message, details, output, errout].into_iter().flatten() {
            self.clean_text(text);
        }
    }

    fn clean_bag(&self, bag: &mut Bag, but: &[&str]) {
        for (key, value) in bag {
            if !but.contains(&key.as_str()) && !OUR_WORDS.contains(&key.as_str()) {
                self.clean(value);
            }
        }
    }

    /// Recursion is bounded: these are the values of our own steps.
    fn clean(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.clean_text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean(item)),
            Value::Struct(bag) => self.clean_bag(bag, &[]),
            _ => {}
        }
    }
}

/// Reads a pattern.
fn pattern(text: &str, given_by: &str) -> Result<Regex, Failure> {
    let wrong = |error: regex::Error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim();
        let reason = reason.trim_start_matches("error: ");
        Failure::Usage(format!("{given_by}: no regular expression: {reason}"))
    };
    // One of text, not of bytes: what is left must be text.
    if regex::Regex::new(text).map_err(wrong)?.is_match("") {
        let problem = format!("{given_by}: the pattern fits nothing at all, so everywhere");
        return Err(Failure::Usage(problem));
    }
    Regex::new(text).map_err(wrong)
}

/// The pattern of a secret.
fn literally(secret: &str) -> String {
    let text = regex::escape(secret);
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let is_short = secret.chars().count() <= WORD_CHARS_MAX;
    match is_short && secret.starts_with(is_word) && secret.ends_with(is_word) {
        true => format!(r"\b{text}\b"),
        false => text,
    }
}

/// The password of an address with credentials, as it is written: `https://name:password@host/`.
fn password(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let (credentials, _) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
    credentials.split_once(':').map(|(_, password)| password)
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending)) || name.contains("SECRET")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::surroundings_with;
    use crate::target::GitUrl;

    fn nowhere() -> Target {
        Target::Repository("r.git".into())
    }

    #[test]
    fn what_the_address_of_the_target_says_is_taken_out() {
        for text in
            ["https://t0ps3cret%2bvalue@host/r.git", "https://ox:t0ps3cret%2bvalue@host/r.git"]
        {
            let target = Target::GitHost(GitUrl::parse(text, None).unwrap());
            let redaction = Redaction::of(&[], &Surroundings::default(), &target).unwrap();
            let expected = text.replace("t0ps3cret%2bvalue", "[redacted]") + " [redacted]";
            assert_eq!(cleaned(&redaction, &format!("{text} t0ps3cret+value")), expected);
        }
    }

    fn cleaned(redaction: &Redaction, text: &str) -> String {
        let mut text = text.to_owned();
        redaction.clean_text(&mut text);
        text
    }

    #[test]
    fn values_of_secret_variables_are_taken_out_and_others_stay() {
        let surroundings = surroundings_with(&[
            ("DEPLOY_TOKEN", "t0ps3cret.value"),
            ("AWS_SECRET_ACCESS_KEY", "another+secret"),
            ("PONY_REPO", "https://ox:p4ssw0rd-of-ox@forge.example/r.git"),
            ("DB_PASSWORD", "password"),
            ("EMPTY_PASSWORD", ""),
            ("SHORT_TOKEN", "debug"),
            ("SIGNING_PRIVATE_KEY", "-----BEGIN\nMIIEvQIBADANBg\n-----END"),
            ("HOME", "/nest/somebody"),
        ]);
        let redaction = Redaction::of(&[], &surroundings, &nowhere()).unwrap();
        let token = format!("pony_{}", "0f".repeat(32));
        let in_addresses = format!("https://ox:p4ssw0rd-of-ox@forge.example/r.git {token}");
        let expected = "https://ox:[redacted]@forge.example/r.git [redacted]";
        assert_eq!(cleaned(&redaction, &in_addresses), expected);
        assert_eq!(cleaned(&redaction, "a_password_reset password"), "a_password_reset [redacted]");
        let text = "debug t0ps3cret.value, another+secret in /nest/somebody\nMIIEvQIBADANBg\nt0ps3cretXvalue";
        let expected =
            "debug [redacted], [redacted] in /nest/somebody\n[redacted]\nt0ps3cretXvalue";
        assert_eq!(cleaned(&redaction, text), expected);
    }

    #[test]
    fn patterns_are_of_the_person() {
        let patterns = ["card [0-9]{4}".to_owned(), "(?i)bearer \\S+".to_owned()];
        let redaction = Redaction::of(&patterns, &Surroundings::default(), &nowhere()).unwrap();
        assert_eq!(cleaned(&redaction, "card 12345, BEARER abc."), "[redacted]5, [redacted]");
    }

    #[test]
    fn secrets_that_lie_over_one_another_go_as_one() {
        let redaction = Redaction { patterns: Patterns::of(&["key=\\w{4}", "abcdefgh", "ab"]) };
        assert_eq!(cleaned(&redaction, "key=abcdefgh abab é"), "[redacted] [redacted][redacted] é");
    }

    #[test]
    fn a_pattern_that_is_none_is_named() {
        for (pattern, reason) in [("(", "unclosed group"), ("x*", "fits nothing at all")] {
            let refused =
                Redaction::of(&[pattern.to_owned()], &Surroundings::default(), &nowhere());
            let message = refused.unwrap_err().to_string();
            assert!(message.starts_with("--redact: ") && message.contains(reason), "{message}");
        }
    }
}
