//! Whether the index is what a new one would be.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek as _, Write};

use super::Findings;
use crate::error::one_line;
use crate::objects::Objects;
use crate::{Action, Index, Snapshot, Store, StoreError};

pub(super) fn check(
    store: &Store,
    snapshot: &Snapshot,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let path = store.index_path();
    let subject = format!("index `{}`", path.display());
    let opened = Index::inspect(&path).and_then(|index| match index {
        Some(index) => Ok(index.commit_id()?.map(|commit| (index, commit))),
        None => Ok(None),
    });
    let (index, commit) = match opened {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(()),
        Err(StoreError::IndexInUse { .. }) => {
            findings.note(format!("{subject} was not looked at: another process has it open"));
            return Ok(());
        }
        Err(error) => return findings.found(error),
    };
    // It may be of an earlier commit, and is brought up to date when it is used.
    let repo = snapshot.repository();
    let tree = commit.to_object_id().map(|id| (id, Objects::new(&repo).commit(id)));
    let Some((id, Ok(found))) = tree else {
        findings.note(format!(
            "{subject} was not looked at: it is of commit {commit}, which is not here"
        ));
        return Ok(());
    };
    match compare(&index, &store.snapshot_of(id, found.tree)) {
        Ok(difference) => {
            findings.checked.index = true;
            if let Some(line) = difference {
                findings.damaged(subject, format!("{line}: remove it, it is built again"));
            }
        }
        // There may be no room for temporary files; all else was looked at.
        Err(error @ StoreError::Io { .. }) => {
            findings.note(format!("{subject} was not looked at: {}", one_line(&error)));
        }
        Err(error) => return findings.found(error),
    }
    Ok(())
}

/// How an index differs from a new one.
fn compare(index: &Index, snapshot: &Snapshot) -> Result<Option<String>, StoreError> {
    let should_be = dumped(&Index::temporary(snapshot)?)?;
    let mut comparison = Comparison { should_be, line: Vec::new(), found: None };
    index.dump(&mut comparison)?;
    comparison.end().map_err(StoreError::io(Action::Read, &std::env::temp_dir()))
}

/// All lines of an index, in a file: those of a million results are more than memory should hold.
fn dumped(index: &Index) -> Result<BufReader<File>, StoreError> {
    let failed = |error| StoreError::io(Action::Write, &std::env::temp_dir())(error);
    let mut out = BufWriter::new(tempfile::tempfile().map_err(failed)?);
    index.dump(&mut out)?;
    let mut file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.rewind().map_err(failed)?;
    Ok(BufReader::new(file))
}

/// Takes lines, and looks for the first that is not the next of those that should be there.
struct Comparison<R> {
    should_be: R,
    /// What was written since the last line ended.
    line: Vec<u8>,
    /// How they differ.
    found: Option<String>,
}

impl<R: BufRead> Comparison<R> {
    fn compare(&mut self, is: &[u8]) -> io::Result<()> {
        let mut should_be = Vec::new();
        self.should_be.read_until(b'\n', &mut should_be)?;
        if is != should_be {
            let difference = format!("it has {} in the place of {}", show(is), show(&should_be));
            self.found.get_or_insert(difference);
        }
        Ok(())
    }

    /// Whether there should have been more.
    fn end(mut self) -> io::Result<Option<String>> {
        let rest = std::mem::take(&mut self.line);
        if self.found.is_none() {
            self.compare(&rest)?;
        }
        Ok(self.found)
    }
}

impl<R: BufRead> Write for Comparison<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.found.is_some() {
                break;
            }
            self.line.extend(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.compare(&line)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn show(line: &[u8]) -> String {
    match line {
        [] => "nothing".to_owned(),
        line => format!("`{}`", String::from_utf8_lossy(line).trim_end_matches('\n')),
    }
}
