//! The tables of an index, and the look-ups in them.
//!
//! Keys are laid out so that what is asked for lies together: the results of a package or tagset by time, and
//! the newest of each tagset by one step to the last of its entries.

use std::io::{self, Write};

use pony_formats::names::tree_component;
use pony_formats::{ResultKey, SubmissionId};
use redb::{Key, ReadTransaction, ReadableTable, ReadableTableMetadata as _};
use redb::{Table, TableDefinition, Value, WriteTransaction};

use super::database::Fault;
use super::grow::Found;
use super::{IndexEntry, Scope, line_name};
use crate::CommitId;

/// Raised with every change of what is in the tables or when: older indexes are built anew.
pub(super) const SCHEMA: u64 = 4;

const META: TableDefinition<'_, &str, &str> = TableDefinition::new("meta");
const RESULTS: TableDefinition<'_, (i64, &str), &[u8]> = TableDefinition::new("results");
const PACKAGES: TableDefinition<'_, (&str, i64), ()> = TableDefinition::new("packages");
/// By the canonical name of the tagset; with the package.
const LINES: TableDefinition<'_, (&str, i64), &str> = TableDefinition::new("lines");
/// By number, key and package: a result that was copied to another package keeps its number.
const NUMBERS: TableDefinition<'_, (u32, i64, &str), ()> = TableDefinition::new("numbers");
/// By submission id, key and package.
const SUBMISSIONS: TableDefinition<'_, (&str, i64, &str), ()> = TableDefinition::new("submissions");
const UNREADABLE: TableDefinition<'_, &str, &str> = TableDefinition::new("unreadable");

/// How many results are read at once.
const PORTION: usize = 256;

/// All tables, open for writing.
pub(super) struct Tables<'t> {
    meta: Table<'t, &'static str, &'static str>,
    results: Table<'t, (i64, &'static str), &'static [u8]>,
    packages: Table<'t, (&'static str, i64), ()>,
    lines: Table<'t, (&'static str, i64), &'static str>,
    numbers: Table<'t, (u32, i64, &'static str), ()>,
    submissions: Table<'t, (&'static str, i64, &'static str), ()>,
    unreadable: Table<'t, &'static str, &'static str>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            meta: transaction.open_table(META)?,
            results: transaction.open_table(RESULTS)?,
            packages: transaction.open_table(PACKAGES)?,
            lines: transaction.open_table(LINES)?,
            numbers: transaction.open_table(NUMBERS)?,
            submissions: transaction.open_table(SUBMISSIONS)?,
            unreadable: transaction.open_table(UNREADABLE)?,
        })
    }

    /// As [`commit`].
    pub(super) fn commit(&self) -> Result<Option<CommitId>, Fault> {
        commit_in(&self.meta)
    }

    /// Says what the tables are about, once they are.
    pub(super) fn set_commit(&mut self, commit: &CommitId) -> Result<(), Fault> {
        self.meta.insert("schema", &*SCHEMA.to_string())?;
        self.meta.insert("commit", &*commit.to_string())?;
        Ok(())
    }

    pub(super) fn take(&mut self, found: &Found) -> Result<(), Fault> {
        match found {
            Found::Entry(entry) => self.put(entry),
            Found::Unreadable { path, reason } => {
                self.unreadable.insert(&**path, &**reason)?;
                Ok(())
            }
        }
    }

    fn put(&mut self, entry: &IndexEntry) -> Result<(), Fault> {
        let (key, package) = (entry.key().as_i64(), entry.package());
        let bytes = entry.to_bytes().map_err(|_| Fault::Content("an entry cannot be written"))?;
        self.results.insert((key, package), &*bytes)?;
        self.packages.insert((package, key), ())?;
        self.lines.insert((&*line_name(&entry.tagset), key), package)?;
        if let Some(number) = entry.receipt.number {
            self.numbers.insert((number, key, package), ())?;
        }
        if let Some(id) = &entry.receipt.submission_id {
            self.submissions.insert((id.as_str(), key, package), ())?;
        }
        Ok(())
    }

    /// Forgets the result in this folder of a package.
    pub(super) fn remove(&mut self, folder: &str, key: ResultKey) -> Result<(), Fault> {
        let with_key = self.results.range((key.as_i64(), "")..(key.next().as_i64(), ""))?;
        let mut found = None;
        for row in with_key {
            let entry = decode(row?.1.value())?;
            if tree_component(entry.package()) == folder {
                found = Some(entry);
            }
        }
        let Some(entry) = found else { return Ok(()) };
        let (key, package) = (key.as_i64(), entry.package());
        self.results.remove((key, package))?;
        self.packages.remove((package, key))?;
        self.lines.remove((&*line_name(&entry.tagset), key))?;
        if let Some(number) = entry.receipt.number {
            self.numbers.remove((number, key, package))?;
        }
        if let Some(id) = &entry.receipt.submission_id {
            self.submissions.remove((id.as_str(), key, package))?;
        }
        Ok(())
    }

    pub(super) fn remove_unreadable(&mut self, path: &str) -> Result<(), Fault> {
        self.unreadable.remove(path)?;
        Ok(())
    }
}

/// The commit of an index of this version; `None` when it is new, or of another version.
pub(super) fn commit(read: &ReadTransaction) -> Result<Option<CommitId>, Fault> {
    let meta = match read.open_table(META) {
        Ok(meta) => meta,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    commit_in(&meta)
}

fn commit_in(
    meta: &impl ReadableTable<&'static str, &'static str>,
) -> Result<Option<CommitId>, Fault> {
    if meta.get("schema")?.is_none_or(|schema| schema.value() != SCHEMA.to_string()) {
        return Ok(None);
    }
    let commit = meta.get("commit")?;
    Ok(commit.and_then(|commit| commit.value().parse().ok()))
}

pub(super) fn count(read: &ReadTransaction) -> Result<u64, Fault> {
    Ok(read.open_table(RESULTS)?.len()?)
}

pub(super) fn result(read: &ReadTransaction, key: ResultKey) -> Result<Option<IndexEntry>, Fault> {
    let results = read.open_table(RESULTS)?;
    let first = results.range((key.as_i64(), "")..(key.next().as_i64(), ""))?.next();
    first.transpose()?.map(|row| decode(row.1.value())).transpose()
}

pub(super) fn numbered(read: &ReadTransaction, number: u32) -> Result<Option<ResultKey>, Fault> {
    let numbers = read.open_table(NUMBERS)?;
    let last = numbers.range((number, i64::MIN, "")..=(number, i64::MAX, ""))?.next_back();
    Ok(last.transpose()?.and_then(|row| ResultKey::from_i64(row.0.value().1)))
}

pub(super) fn submission(
    read: &ReadTransaction,
    id: &SubmissionId,
) -> Result<Option<IndexEntry>, Fault> {
    let (submissions, results) = (read.open_table(SUBMISSIONS)?, read.open_table(RESULTS)?);
    let id = id.as_str();
    let first = submissions.range((id, i64::MIN, "")..=(id, i64::MAX, ""))?.next().transpose()?;
    let Some(first) = first else { return Ok(None) };
    let (_, key, package) = first.0.value();
    expect(&results, key, package).map(Some)
}

pub(super) fn last_number(read: &ReadTransaction) -> Result<Option<u32>, Fault> {
    Ok(read.open_table(NUMBERS)?.last()?.map(|row| row.0.value().0))
}

/// Steps from the last entry of a tagset to the last of the one before.
pub(super) fn latest(read: &ReadTransaction) -> Result<Vec<IndexEntry>, Fault> {
    let (lines, results) = (read.open_table(LINES)?, read.open_table(RESULTS)?);
    let mut latest = Vec::new();
    let mut last = lines.last()?;
    while let Some((line, package)) = last {
        let (line, key) = line.value();
        latest.push(expect(&results, key, package.value())?);
        last = lines.range(..(line, i64::MIN))?.next_back().transpose()?;
    }
    latest.reverse();
    Ok(latest)
}

/// The results in scope before `after` (in their order: newest first), so many at most.
pub(super) fn portion(
    read: &ReadTransaction,
    scope: &Scope,
    after: Option<&IndexEntry>,
) -> Result<Vec<IndexEntry>, Fault> {
    let results = read.open_table(RESULTS)?;
    let end = after.map_or(i64::MAX, |entry| entry.key().as_i64());
    let mut entries = Vec::new();
    match scope {
        Scope::All => {
            let package = after.map_or("", IndexEntry::package);
            for row in results.range(..(end, package))?.rev().take(PORTION) {
                entries.push(decode(row?.1.value())?);
            }
        }
        Scope::Package(package) => {
            let packages = read.open_table(PACKAGES)?;
            let package = package.as_str();
            for row in packages.range((package, i64::MIN)..(package, end))?.rev().take(PORTION) {
                entries.push(expect(&results, row?.0.value().1, package)?);
            }
        }
        Scope::Tagset(tagset) => {
            let (lines, line) = (read.open_table(LINES)?, line_name(tagset));
            for row in lines.range((&*line, i64::MIN)..(&*line, end))?.rev().take(PORTION) {
                entries.push(expect(&results, row?.0.value().1, &tagset.package)?);
            }
        }
    }
    Ok(entries)
}

pub(super) fn unreadable(read: &ReadTransaction) -> Result<Vec<(String, String)>, Fault> {
    let mut all = Vec::new();
    for row in read.open_table(UNREADABLE)?.iter()? {
        let (path, reason) = row?;
        all.push((path.value().to_owned(), reason.value().to_owned()));
    }
    Ok(all)
}

fn expect(
    results: &impl ReadableTable<(i64, &'static str), &'static [u8]>,
    key: i64,
    package: &str,
) -> Result<IndexEntry, Fault> {
    let row = results.get((key, package))?;
    decode(row.ok_or(Fault::Content("a result is listed, but not there"))?.value())
}

fn decode(bytes: &[u8]) -> Result<IndexEntry, Fault> {
    IndexEntry::from_bytes(bytes).ok_or(Fault::Content("an entry cannot be read"))
}

/// Everything, table by table. The inner error is that of `out`.
pub(super) fn dump(read: &ReadTransaction, out: &mut dyn Write) -> Result<io::Result<()>, Fault> {
    let mut lines = Lines { out, outcome: Ok(()) };
    lines.table(read, META, |key, value| format!("{key} {value}"))?;
    lines.table(read, RESULTS, |(key, package), bytes| {
        format!("{key} {package:?} {}", String::from_utf8_lossy(bytes))
    })?;
    lines.table(read, PACKAGES, |(package, key), ()| format!("{package:?} {key}"))?;
    lines.table(read, LINES, |(line, key), package| format!("{line} {key} {package:?}"))?;
    lines
        .table(read, NUMBERS, |(number, key, package), ()| format!("{number} {key} {package:?}"))?;
    lines.table(read, SUBMISSIONS, |(id, key, package), ()| format!("{id} {key} {package:?}"))?;
    lines.table(read, UNREADABLE, |path, reason| format!("{path:?} {reason:?}"))?;
    Ok(lines.outcome)
}

struct Lines<'o> {
    out: &'o mut dyn Write,
    outcome: io::Result<()>,
}

impl Lines<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        read: &ReadTransaction,
        table: TableDefinition<'_, K, V>,
        line: impl Fn(K::SelfType<'_>, V::SelfType<'_>) -> String,
    ) -> Result<(), Fault> {
        for row in read.open_table(table)?.iter()? {
            let (key, value) = row?;
            if self.outcome.is_ok() {
                self.outcome = writeln!(self.out, "{table} {}", line(key.value(), value.value()));
            }
        }
        Ok(())
    }
}
