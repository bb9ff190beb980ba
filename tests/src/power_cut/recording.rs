//! [`Recording`]: what a run did to a folder, call by call, read from a trace.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use pony_formats::ResultKey;

use crate::strace::{Call, all_quoted};

/// A file or a folder, by number. It keeps it whatever it is called.
pub(super) type Node = usize;

/// The folder that was watched.
pub(super) const ROOT: Node = 0;

/// A name in a folder, and what it leads to from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Naming {
    pub(super) folder: Node,
    pub(super) name: String,
    pub(super) target: Option<Node>,
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// Names changed, all at once: a rename takes one away and gives another.
    Name(Vec<Naming>),
    /// Bytes were written to a file.
    Write { file: Node, offset: usize, data: Vec<u8> },
    /// A file was cut, or made longer.
    Resize { file: Node, length: usize },
    /// Everything that was done to this file or folder before deed `before` is on the disk.
    Sync { node: Node, path: String, before: usize },
    /// Somebody was told that this result, or this many bytes of a file, are stored.
    Acknowledge(Promise),
}

/// What was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Promise {
    /// The result with this key.
    Result(ResultKey),
    /// One uploaded file.
    File,
}

/// What is known of a file or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    File(Arc<Vec<u8>>),
    Folder(BTreeMap<String, Node>),
}

/// A folder as it was, and everything that was done to it since.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    /// What was there before, all of it on the disk; what was made later is empty here.
    pub(super) before: Vec<Content>,
    pub(super) deeds: Vec<Deed>,
}

/// Reads calls and keeps up with what every name and descriptor means.
pub(super) struct Recorder {
    root: String,
    /// What the programs were started in: the folder above.
    working_folder: String,
    recording: Recording,
    /// The names as processes see them.
    now: Vec<Content>,
    /// What each descriptor is of, and which call of the trace returned it.
    open: BTreeMap<i64, (usize, usize)>,
    descriptions: Vec<Description>,
    /// How many deeds there were when the n-th call of the trace had returned.
    returned: Vec<usize>,
    /// How many deeds there were when the trace began.
    begun: usize,
    promise: fn(&Call) -> Option<Promise>,
}

#[derive(Debug, Clone, Copy)]
struct Description {
    node: Node,
    offset: usize,
    appends: bool,
}

impl Recorder {
    /// Starts with a folder as it is now. `promise` tells calls that acknowledge from others.
    pub(super) fn new(root: &Path, promise: fn(&Call) -> Option<Promise>) -> anyhow::Result<Self> {
        let mut before = vec![Content::Folder(BTreeMap::new())];
        read_folder(root, ROOT, &mut before)?;
        Ok(Self {
            root: root.to_string_lossy().into_owned(),
            working_folder: root.parent().unwrap_or(root).to_string_lossy().into_owned(),
            now: before.clone(),
            recording: Recording { before, deeds: Vec::new() },
            open: BTreeMap::new(),
            descriptions: Vec::new(),
            returned: Vec::new(),
            begun: 0,
            promise,
        })
    }

    /// Adds what one traced run did.
    pub(super) fn add(&mut self, calls: &[Call]) -> anyhow::Result<()> {
        self.open.clear();
        self.returned.clear();
        self.begun = self.recording.deeds.len();
        for call in calls {
            if let Some(promise) = (self.promise)(call) {
                // As early as it can have been seen by others: when the call began.
                let at = self.deeds_before(call.begun);
                self.recording.deeds.insert(at, Deed::Acknowledge(promise));
                self.returned.iter_mut().filter(|count| **count > at).for_each(|count| *count += 1);
            }
            if call.is_done() {
                self.follow(call).with_context(|| format!("in a trace: {call:?}"))?;
            }
            self.returned.push(self.recording.deeds.len());
        }
        Ok(())
    }

    /// The recording, once the folder is found to be what the deeds make of it.
    pub(super) fn finish(self) -> anyhow::Result<Recording> {
        let mut real = vec![Content::Folder(BTreeMap::new())];
        read_folder(Path::new(&self.root), ROOT, &mut real)?;
        let (found, expected) = (listing(&real), listing(&self.now));
        for (path, content) in &found {
            ensure!(expected.get(path) == Some(content), "{path} is not what was recorded");
        }
        ensure!(found.len() == expected.len(), "something was recorded that is not there");
        Ok(self.recording)
    }

    fn deeds_before(&self, call: usize) -> usize {
        call.checked_sub(1).and_then(|last| self.returned.get(last)).copied().unwrap_or(self.begun)
    }

    fn follow(&mut self, call: &Call) -> anyhow::Result<()> {
        match call.name.as_str() {
            "open" => self.opened(call, self.path(call, None, 0), 1),
            "openat" => self.opened(call, self.path(call, Some(0), 1), 2),
            "close" => self.closed(call),
            "dup" | "dup2" | "dup3" | "fcntl" => self.duplicated(call),
            "lseek" => {
                let offset = usize::try_from(call.result.unwrap_or(0))?;
                if let Some(description) = self.description(call) {
                    description.offset = offset;
                }
            }
            "write" | "writev" => self.written(call, None),
            "pwrite64" => self.written(call, Some(usize::try_from(call.number(3).unwrap_or(0))?)),
            "ftruncate" => {
                let length = usize::try_from(call.number(1).unwrap_or(0))?;
                if let Some(description) = self.description(call) {
                    let file = description.node;
                    self.resize(file, length);
                }
            }
            "fsync" | "fdatasync" => self.synced(call),
            "rename" => self.renamed(self.path(call, None, 0), self.path(call, None, 1)),
            "renameat" | "renameat2" => {
                self.renamed(self.path(call, Some(0), 1), self.path(call, Some(2), 3));
            }
            "unlink" | "rmdir" => self.unnamed(self.path(call, None, 0)),
            "unlinkat" => self.unnamed(self.path(call, Some(0), 1)),
            "mkdir" => self.new_folder(self.path(call, None, 0)),
            "mkdirat" => self.new_folder(self.path(call, Some(0), 1)),
            "symlink" => self.symlinked(call.text(0), self.path(call, None, 1)),
            "symlinkat" => self.symlinked(call.text(0), self.path(call, Some(1), 2)),
            "link" => self.linked(self.path(call, None, 0), self.path(call, None, 1)),
            "linkat" => self.linked(self.path(call, Some(0), 1), self.path(call, Some(2), 3)),
            _ if call.is_below(&self.root) => bail!("{} is not understood", call.name),
            _ => {}
        }
        Ok(())
    }

    fn description(&mut self, call: &Call) -> Option<&mut Description> {
        // The number may have been a connection's a moment ago.
        call.path_of(0).filter(|path| path.starts_with(&self.root))?;
        let (index, _) = self.open.get(&call.descriptor(0)?)?;
        self.descriptions.get_mut(*index)
    }

    fn opened(&mut self, call: &Call, path: Option<String>, flags: usize) {
        let Some((folder, name)) = path.and_then(|path| self.place(&path)) else { return };
        let flags = call.args.get(flags).cloned().unwrap_or_default();
        let known = self.entry(folder, &name);
        let node = match known {
            Some(node) => node,
            None if flags.contains("O_CREAT") => {
                let node = self.new_node(Content::File(Arc::default()));
                self.name(vec![Naming { folder, name, target: Some(node) }]);
                node
            }
            None => return,
        };
        let is_filled = matches!(&self.now[node], Content::File(bytes) if !bytes.is_empty());
        if flags.contains("O_TRUNC") && is_filled {
            self.resize(node, 0);
        }
        let appends = flags.contains("O_APPEND");
        self.descriptions.push(Description { node, offset: 0, appends });
        let opened = (self.descriptions.len() - 1, self.returned.len());
        self.open.insert(call.result.unwrap_or(-1), opened);
    }

    /// Another thread may have been given the same number before this call is seen to return.
    fn closed(&mut self, call: &Call) {
        let number = call.descriptor(0).unwrap_or(-1);
        if self.open.get(&number).is_some_and(|(_, opened)| *opened < call.begun) {
            self.open.remove(&number);
        }
    }

    fn duplicated(&mut self, call: &Call) {
        let is_copy = call.name != "fcntl" || call.args.get(1).is_some_and(|a| a.contains("DUPFD"));
        let from = call.descriptor(0).and_then(|from| self.open.get(&from)).copied();
        if let (true, Some((from, _)), Some(to)) = (is_copy, from, call.result) {
            self.open.insert(to, (from, self.returned.len()));
        }
    }

    fn written(&mut self, call: &Call, at: Option<usize>) {
        let done = usize::try_from(call.result.unwrap_or(0)).unwrap_or(0);
        let Some(description) = self.description(call).copied() else { return };
        let mut data = call.args.get(1).map(|text| all_quoted(text)).unwrap_or_default();
        data.truncate(done);
        let file = description.node;
        let Content::File(bytes) = &mut self.now[file] else { return };
        let offset =
            at.unwrap_or(if description.appends { bytes.len() } else { description.offset });
        if let (None, Some(description)) = (at, self.description(call)) {
            description.offset = offset + done;
        }
        apply_write(&mut self.now[file], offset, &data);
        self.recording.deeds.push(Deed::Write { file, offset, data });
    }

    fn resize(&mut self, file: Node, length: usize) {
        apply_resize(&mut self.now[file], length);
        self.recording.deeds.push(Deed::Resize { file, length });
    }

    fn synced(&mut self, call: &Call) {
        let path = call.path_of(0).unwrap_or_default();
        let node = match self.description(call) {
            Some(description) => description.node,
            None => match self.node_at(&path) {
                Some(node) => node,
                None => return,
            },
        };
        let path =
            path.strip_prefix(&self.root).unwrap_or(&path).trim_start_matches('/').to_owned();
        let before = self.deeds_before(call.begun);
        self.recording.deeds.push(Deed::Sync { node, path, before });
    }

    fn renamed(&mut self, from: Option<String>, to: Option<String>) {
        let (Some(from), Some(to)) = (from, to) else { return };
        let from = self.place(&from).and_then(|(f, name)| Some((f, self.entry(f, &name)?, name)));
        let to = self.place(&to);
        match (from, to) {
            (Some((folder, node, name)), Some((new, new_name))) => self.name(vec![
                Naming { folder, name, target: None },
                Naming { folder: new, name: new_name, target: Some(node) },
            ]),
            (Some((folder, _, name)), None) => {
                self.name(vec![Naming { folder, name, target: None }]);
            }
            _ => {}
        }
    }

    fn unnamed(&mut self, path: Option<String>) {
        if let Some((folder, name)) = path.and_then(|path| self.place(&path)) {
            self.name(vec![Naming { folder, name, target: None }]);
        }
    }

    fn new_folder(&mut self, path: Option<String>) {
        if let Some((folder, name)) = path.and_then(|path| self.place(&path)) {
            let node = self.new_node(Content::Folder(BTreeMap::new()));
            self.name(vec![Naming { folder, name, target: Some(node) }]);
        }
    }

    fn linked(&mut self, from: Option<String>, to: Option<String>) {
        let node = from.and_then(|path| self.node_at(&path));
        if let (Some(node), Some((folder, name))) = (node, to.and_then(|path| self.place(&path))) {
            self.name(vec![Naming { folder, name, target: Some(node) }]);
        }
    }

    /// A symbolic link is a file that holds a path. None is left in the end, or the folder would not be what
    /// was recorded.
    fn symlinked(&mut self, target: Option<Vec<u8>>, path: Option<String>) {
        if let Some((folder, name)) = path.and_then(|path| self.place(&path)) {
            let node = self.new_node(Content::File(Arc::new(target.unwrap_or_default())));
            self.name(vec![Naming { folder, name, target: Some(node) }]);
        }
    }

    fn new_node(&mut self, content: Content) -> Node {
        self.now.push(content.clone());
        self.recording.before.push(content);
        self.now.len() - 1
    }

    fn name(&mut self, changes: Vec<Naming>) {
        changes.iter().for_each(|change| apply_name(&mut self.now, change));
        self.recording.deeds.push(Deed::Name(changes));
    }

    /// The absolute path that a call names: below the folder of that argument, or the working folder.
    fn path(&self, call: &Call, folder: Option<usize>, path: usize) -> Option<String> {
        let text = String::from_utf8(call.text(path)?).ok()?;
        if text.starts_with('/') {
            return Some(text.trim_end_matches('/').to_owned());
        }
        let folder = match folder {
            Some(folder) => call.path_of(folder)?,
            None => self.working_folder.clone(),
        };
        Some(format!("{folder}/{text}"))
    }

    /// The folder that a path ends in, and its last part. `None` when that is not watched.
    fn place(&self, path: &str) -> Option<(Node, String)> {
        let (folder, name) = path.rsplit_once('/')?;
        Some((self.node_at(folder)?, name.to_owned()))
    }

    fn node_at(&self, path: &str) -> Option<Node> {
        let rest = path.strip_prefix(&self.root)?;
        let mut parts = rest.split('/').filter(|part| !part.is_empty() && *part != ".");
        parts.try_fold(ROOT, |at, part| self.entry(at, part))
    }

    fn entry(&self, folder: Node, name: &str) -> Option<Node> {
        match self.now.get(folder)? {
            Content::Folder(names) => names.get(name).copied(),
            Content::File(_) => None,
        }
    }
}

/// Changes what a name leads to.
pub(super) fn apply_name(nodes: &mut [Content], change: &Naming) {
    if let Some(Content::Folder(names)) = nodes.get_mut(change.folder) {
        match change.target {
            Some(node) => drop(names.insert(change.name.clone(), node)),
            None => drop(names.remove(&change.name)),
        }
    }
}

/// Changes bytes of a file; what lies between its end and them becomes zero.
pub(super) fn apply_write(content: &mut Content, offset: usize, data: &[u8]) {
    if let Content::File(bytes) = content {
        let bytes = Arc::make_mut(bytes);
        bytes.resize(bytes.len().max(offset + data.len()), 0);
        bytes[offset..offset + data.len()].copy_from_slice(data);
    }
}

/// Cuts a file, or makes it longer with zeros.
pub(super) fn apply_resize(content: &mut Content, length: usize) {
    if let Content::File(bytes) = content {
        Arc::make_mut(bytes).resize(length, 0);
    }
}

fn read_folder(path: &Path, node: Node, nodes: &mut Vec<Content>) -> anyhow::Result<()> {
    let mut names = BTreeMap::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let new = nodes.len();
        if entry.file_type()?.is_dir() {
            nodes.push(Content::Folder(BTreeMap::new()));
            read_folder(&entry.path(), new, nodes)?;
        } else {
            nodes.push(Content::File(Arc::new(fs::read(entry.path())?)));
        }
        names.insert(name, new);
    }
    nodes[node] = Content::Folder(names);
    Ok(())
}

/// Every file and folder by its path.
pub(super) fn listing(nodes: &[Content]) -> BTreeMap<String, Option<&[u8]>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(String::new(), ROOT)];
    while let Some((path, folder)) = folders.pop() {
        let Some(Content::Folder(names)) = nodes.get(folder) else { continue };
        for (name, node) in names {
            let path = format!("{path}{name}");
            match nodes.get(*node) {
                Some(Content::File(bytes)) => drop(found.insert(path, Some(bytes.as_slice()))),
                _ => {
                    folders.push((format!("{path}/"), *node));
                    found.insert(path, None);
                }
            }
        }
    }
    found
}
