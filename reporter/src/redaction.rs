//! [`Redaction`]: what must not be stored, taken out of what was printed.
//!
//! CI systems hide secrets in the log that they show, but not in what a program prints, which is what is captured
//! here. So the values of variables whose names say that they are secret are always taken out, and what the person
//! describes as well. The person still sees everything.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, Write as _};

use pony_formats::{Submission, Value};
use regex::{Regex, bytes};

use crate::attachment::Attachment;
use crate::exit::Failure;
use crate::origin::Surroundings;
use crate::target::Target;

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

/// The longest piece of a file that is looked at together.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// Patterns of what must not be stored.
#[derive(Debug, Default)]
pub(crate) struct Redaction {
    texts: Vec<Regex>,
    files: Vec<bytes::Regex>,
}

impl Redaction {
    /// What was asked for, with `--redact` or `PONY_REDACT`, the secrets of the environment, and those of the
    /// address that results go to.
    pub(crate) fn of(
        patterns: &[String],
        surroundings: &Surroundings,
        target: &Target,
    ) -> Result<Self, Failure> {
        let mut redaction = Self::default();
        redaction.add(COLLECTOR_TOKEN, "a token")?;
        let secrets = surroundings.variables().filter(|(name, _)| is_secret(name));
        // A key may have many lines, and files are read line by line.
        let lines = secrets.flat_map(|(_, value)| value.lines().map(str::trim));
        let lines = lines.chain(surroundings.variables().filter_map(|(_, value)| password(value)));
        let of_target = target.secrets();
        let lines = lines.chain(of_target.iter().map(String::as_str));
        let mut lines: Vec<&str> =
            lines.filter(|line| line.chars().count() >= SECRET_CHARS_MIN).collect();
        // The longest first, as one may be the beginning of another.
        lines.sort_unstable_by_key(|line| (std::cmp::Reverse(line.len()), *line));
        lines.dedup();
        for line in lines {
            redaction.add(&literally(line), "a secret of the environment")?;
        }
        for pattern in patterns {
            redaction.add(pattern, "--redact")?;
        }
        let pattern = surroundings.var("PONY_REDACT").filter(|_| patterns.is_empty());
        pattern.map_or(Ok(()), |pattern| redaction.add(pattern, "PONY_REDACT"))?;
        Ok(redaction)
    }

    fn add(&mut self, pattern: &str, given_by: &str) -> Result<(), Failure> {
        let wrong = |error: regex::Error| {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim();
            let reason = reason.trim_start_matches("error: ");
            Failure::Usage(format!("{given_by}: no regular expression: {reason}"))
        };
        let text = Regex::new(pattern).map_err(wrong)?;
        if text.is_match("") {
            let problem = format!("{given_by}: the pattern fits nothing at all, so everywhere");
            return Err(Failure::Usage(problem));
        }
        self.texts.push(text);
        self.files.push(bytes::Regex::new(pattern).map_err(wrong)?);
        Ok(())
    }

    /// The same submission and files without it. What a submission says of who and where stays as it is.
    pub(crate) fn apply(
        &self,
        submission: Submission,
        attachments: Vec<Attachment>,
    ) -> Result<(Submission, Vec<Attachment>), Failure> {
        if self.texts.is_empty() {
            return Ok((submission, attachments));
        }
        let (client_info, mut results_list) = submission.into_values();
        self.clean(&mut results_list);
        let submission = Submission::from_values(client_info, results_list);
        let submission = submission.map_err(|error| Failure::Usage(error.to_string()))?;
        let attachments = attachments.into_iter().map(|file| self.clean_file(file));
        let attachments = attachments.collect::<io::Result<Vec<_>>>().map_err(Failure::Capture)?;
        Ok((submission, attachments))
    }

    /// Recursion is bounded: these are the values of our own steps.
    fn clean(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                for pattern in &self.texts {
                    if let std::borrow::Cow::Owned(clean) = pattern.replace_all(text, MARK) {
                        *text = clean;
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean(item)),
            Value::Struct(bag) => bag
                .iter_mut()
                .filter(|(key, _)| !OUR_WORDS.contains(&key.as_str()))
                .for_each(|(_, item)| self.clean(item)),
            _ => {}
        }
    }

    fn clean_file(&self, mut attachment: Attachment) -> io::Result<Attachment> {
        let mut clean = BufWriter::new(tempfile::tempfile()?);
        let mut content = BufReader::new(attachment.content()?);
        let mut line = Vec::new();
        while content.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? > 0 {
            for pattern in &self.files {
                if let std::borrow::Cow::Owned(clean) = pattern.replace_all(&line, MARK.as_bytes())
                {
                    line = clean;
                }
            }
            clean.write_all(&line)?;
            line.clear();
        }
        drop(content);
        let mut file: File = clean.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Attachment::new(attachment.name, file)
    }
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
        let mut value = Value::from(text);
        redaction.clean(&mut value);
        value.as_str().unwrap().to_owned()
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
    fn a_pattern_that_is_none_is_named() {
        for (pattern, reason) in [("(", "unclosed group"), ("x*", "fits nothing at all")] {
            let refused =
                Redaction::of(&[pattern.to_owned()], &Surroundings::default(), &nowhere());
            let message = refused.unwrap_err().to_string();
            assert!(message.starts_with("--redact: ") && message.contains(reason), "{message}");
        }
    }
}
