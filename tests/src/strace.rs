//! Reading what strace writes with `-f -y -xx`: [`calls`].

use std::collections::BTreeMap;

use anyhow::Context as _;

/// A system call that has returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The thread that made it.
    pub thread: u32,
    /// Its name.
    pub name: String,
    /// Its arguments, as strace prints them.
    pub args: Vec<String>,
    /// What it returned; negative when it failed. `None` when it never returned.
    pub result: Option<i64>,
    /// The name of the error, such as `EIO`.
    pub error: Option<String>,
    /// The path of the descriptor that it returned.
    pub result_path: Option<String>,
    /// How many calls had returned when it began.
    pub begun: usize,
}

impl Call {
    /// Whether it did what it was asked to.
    pub fn is_done(&self) -> bool {
        self.result.is_some_and(|result| result >= 0)
    }

    /// The text of a quoted argument.
    pub fn text(&self, index: usize) -> Option<Vec<u8>> {
        unquote(self.args.get(index)?)
    }

    /// The path of an argument that is a descriptor: what is between `<` and `>`.
    pub fn path_of(&self, index: usize) -> Option<String> {
        described(self.args.get(index)?)
    }

    /// The number of an argument that is a descriptor.
    pub fn descriptor(&self, index: usize) -> Option<i64> {
        number(self.args.get(index)?)
    }

    /// A number as an argument.
    pub fn number(&self, index: usize) -> Option<i64> {
        number(self.args.get(index)?)
    }

    /// Whether it names something below a folder, by path or by descriptor.
    pub fn is_below(&self, folder: &str) -> bool {
        (0..self.args.len()).any(|index| {
            let text = self.text(index).and_then(|text| String::from_utf8(text).ok());
            [text, self.path_of(index)].into_iter().flatten().any(|path| path.starts_with(folder))
        })
    }
}

/// The calls of a trace, in the order in which they returned. A last line that is cut off counts for nothing:
/// strace was still writing it.
///
/// # Errors
/// Names a line that is not understood.
pub fn calls(trace: &str) -> anyhow::Result<Vec<Call>> {
    let mut done: Vec<Call> = Vec::new();
    let mut open: BTreeMap<u32, (String, usize)> = BTreeMap::new();
    let (whole, _cut_off) = trace.rsplit_once('\n').unwrap_or(("", trace));
    for line in whole.lines() {
        let Some((thread, rest)) = line.trim_start().split_once(' ') else { continue };
        let Ok(thread) = thread.parse() else { continue };
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        // Detached: strace was told to end while it ran.
        let begun = rest.strip_suffix(" <unfinished ...>");
        if let Some(start) = begun.or_else(|| rest.strip_suffix(" <detached ...>")) {
            open.insert(thread, (start.to_owned(), done.len()));
            continue;
        }
        let (text, begun) = match rest.strip_prefix("<... ") {
            Some(resumed) => {
                let (_, end) = resumed.split_once("resumed>").context("a resumed call")?;
                let (start, begun) = open.remove(&thread).unwrap_or_default();
                (start + end, begun)
            }
            None => (rest.to_owned(), done.len()),
        };
        let call = parse(thread, &text, begun);
        done.push(call.with_context(|| format!("cannot read {}", ends_of(line)))?);
    }
    // Killed in the middle: it may have done its work or not.
    for (thread, (text, begun)) in open {
        done.extend(parse(thread, &(text + ") = ?"), begun));
    }
    Ok(done)
}

/// The beginning and the end of a long line.
fn ends_of(line: &str) -> String {
    const ENDS: usize = 100;
    let last = line.char_indices().rev().nth(ENDS).map_or(0, |(at, _)| at);
    match line.char_indices().nth(ENDS) {
        Some((first, _)) if first < last => format!("{} … {}", &line[..first], &line[last..]),
        _ => line.to_owned(),
    }
}

fn parse(thread: u32, text: &str, begun: usize) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    // This cannot be in a string, as strings are in hexadecimal.
    let (args, result) = rest.rsplit_once(" = ")?;
    let args = args.trim_end().strip_suffix(')')?;
    Some(Call {
        thread,
        name: name.to_owned(),
        args: split(args),
        result: number(result),
        error: result
            .strip_prefix("-1 ")
            .and_then(|rest| rest.split(' ').next())
            .map(str::to_owned),
        result_path: described(result),
        begun,
    })
}

/// Splits arguments at commas that are in no brackets and no string.
fn split(args: &str) -> Vec<String> {
    let (mut depth, mut quoted) = (0_i32, false);
    let mut parts = vec![String::new()];
    for character in args.chars() {
        match character {
            '"' => quoted = !quoted,
            '[' | '{' | '(' if !quoted => depth += 1,
            ']' | '}' | ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

/// The leading number, decimal or hexadecimal.
fn number(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x") {
        let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
        return i64::from_str_radix(&digits[..end], 16).ok();
    }
    let end = text
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && *c == '-'))
        .map_or(text.len(), |(at, _)| at);
    text[..end].parse().ok()
}

fn described(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('<')?;
    let (path, _) = rest.rsplit_once('>')?;
    String::from_utf8(unescape(path)).ok()
}

fn unquote(text: &str) -> Option<Vec<u8>> {
    let start = text.find('"')? + 1;
    let end = start + text[start..].find('"')?;
    Some(unescape(&text[start..end]))
}

/// All quoted strings of an argument, one after the other: the pieces of a `writev`.
pub fn all_quoted(text: &str) -> Vec<u8> {
    text.split('"').skip(1).step_by(2).flat_map(unescape).collect()
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4);
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        bytes.extend(rest[..at].bytes());
        let digits = rest.get(at + 2..at + 4).and_then(|d| u8::from_str_radix(d, 16).ok());
        bytes.extend(digits);
        rest = rest.get(at + 4..).unwrap_or_default();
    }
    bytes.extend(rest.bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_with_its_paths_and_its_text() {
        let line =
            r#"17 openat(AT_FDCWD<\x2f\x77>, "\x61\x2c\x62", O_RDWR|O_CREAT, 0666) = 5</w/a,b>"#;
        let call = &calls(&format!("{line}\n18 fsync(5</w/a")).unwrap()[0];
        assert_eq!((call.thread, call.name.as_str(), call.result), (17, "openat", Some(5)));
        assert_eq!(call.path_of(0).as_deref(), Some("/w"));
        assert_eq!(call.text(1).unwrap(), b"a,b");
        assert_eq!(call.result_path.as_deref(), Some("/w/a,b"));
        assert!(call.is_below("/w") && !call.is_below("/v"));
    }

    #[test]
    fn what_two_threads_do_at_once_is_put_together() {
        let trace = "1 fsync(3</a> <unfinished ...>\n2 write(4</b>, \"\\x78\", 1) = 1\n\
                     1 <... fsync resumed>) = 0\n2 unlink(\"\\x79\")     = -1 EIO (Input/output error) (INJECTED)\n";
        let calls = calls(trace).unwrap();
        let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["write", "fsync", "unlink"]);
        assert_eq!((calls[1].begun, calls[1].is_done()), (0, true));
        assert!(!calls[2].is_done());
        assert_eq!(calls[2].error.as_deref(), Some("EIO"));
    }

    #[test]
    fn a_call_that_never_returned_is_kept() {
        for end in ["unfinished", "detached"] {
            let calls = calls(&format!("1 fsync(3</a> <{end} ...>\n")).unwrap();
            assert_eq!((calls[0].name.as_str(), calls[0].result), ("fsync", None));
        }
    }
}
