//! [`Cutter`]: goes through a recording; at each moment it knows what is surely on the disk, and what may be.
//!
//! The rules are those of the ALICE study ("All File Systems Are Not Created Equal", OSDI 2014). Whatever was
//! synced is there. Of the rest, under the weak rules, any part may be there: names in any order, though each
//! rename as a whole; files with some of their writes, with part of one, or long enough but full of zeros.
//! Under the ordered rules (as ext4 has them) names are there up to some moment, and every sync also keeps
//! all names before it; data of files that were not synced may still be missing.

use std::collections::BTreeMap;

use super::recording::{
    Content, Deed, Node, Promise, Recording, apply_name, apply_resize, apply_write,
};

/// What a file system may do to what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// It was there all the same: as after `kill -9`.
    KeepAll,
    /// All of it is gone.
    KeepNone,
    /// As ext4.
    Ordered,
    /// Anything; each deed stays with this chance, in percent.
    Weak(u8),
}

/// A moment of a recording.
pub(super) struct Cutter<'r> {
    recording: &'r Recording,
    /// How many deeds have been done.
    at: usize,
    /// What is on the disk.
    durable: Vec<Content>,
    /// Deeds that may be lost, by number.
    pending: Vec<usize>,
    /// Names up to this deed were kept by some sync, under the ordered rules.
    ordered: usize,
    /// What was acknowledged.
    pub(super) promises: Vec<Promise>,
    /// Syncs of this kind do nothing: to see that it is noticed.
    without: Option<&'r str>,
}

impl<'r> Cutter<'r> {
    pub(super) fn new(recording: &'r Recording, without: Option<&'r str>) -> Self {
        Self {
            recording,
            at: 0,
            durable: recording.before.clone(),
            pending: Vec::new(),
            ordered: 0,
            promises: Vec::new(),
            without,
        }
    }

    /// Does the next deed. `false` at the end.
    pub(super) fn advance(&mut self) -> bool {
        let recording = self.recording;
        let Some(deed) = recording.deeds.get(self.at) else { return false };
        match deed {
            Deed::Acknowledge(promise) => self.promises.push(promise.clone()),
            Deed::Sync { path, .. } if self.without == Some(&*kind_of_sync(path)) => {}
            Deed::Sync { node, before, .. } => self.sync(*node, *before),
            Deed::Name(_) | Deed::Write { .. } | Deed::Resize { .. } => self.pending.push(self.at),
        }
        self.at += 1;
        true
    }

    fn sync(&mut self, node: Node, before: usize) {
        self.ordered = self.ordered.max(before);
        let (kept, pending) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|deed| *deed < before && self.belongs_to(*deed) == Some(node));
        self.pending = pending;
        let kept: Vec<usize> = kept;
        kept.into_iter().for_each(|deed| apply(&mut self.durable, &self.recording.deeds[deed]));
    }

    /// What has to be synced to keep a deed: the file, or the folder that got the name.
    fn belongs_to(&self, deed: usize) -> Option<Node> {
        match &self.recording.deeds[deed] {
            Deed::Name(changes) => changes.last().map(|change| change.folder),
            Deed::Write { file, .. } | Deed::Resize { file, .. } => Some(*file),
            _ => None,
        }
    }

    /// One state that the disk may be in if the power goes now.
    pub(super) fn state(&self, rules: Rules, random: &mut fastrand::Rng) -> Vec<Content> {
        let mut state = self.durable.clone();
        let names_until = random.usize(self.ordered..=self.at);
        let mut fates: BTreeMap<Node, u8> = BTreeMap::new();
        for index in &self.pending {
            let deed = &self.recording.deeds[*index];
            let is_kept = match (rules, deed) {
                (Rules::KeepAll, _) => true,
                (Rules::KeepNone, _) => false,
                (Rules::Ordered, Deed::Write { file, .. }) => {
                    // Data of one file is written back together: all, none, some, or only its length.
                    let fate = *fates.entry(*file).or_insert_with(|| random.u8(0..4));
                    match fate {
                        0 => true,
                        1 => false,
                        2 => random.bool(),
                        _ => {
                            lose_data(&mut state, deed);
                            false
                        }
                    }
                }
                (Rules::Ordered, _) => *index < names_until,
                (Rules::Weak(percent), _) => random.u8(0..100) < percent,
            };
            if is_kept {
                apply(&mut state, deed);
            } else if let (Rules::Weak(_), Deed::Write { .. }) = (rules, deed) {
                lose_some(&mut state, deed, random);
            }
        }
        state
    }
}

fn apply(nodes: &mut [Content], deed: &Deed) {
    match deed {
        Deed::Name(changes) => changes.iter().for_each(|change| apply_name(nodes, change)),
        Deed::Write { file, offset, data } => apply_write(&mut nodes[*file], *offset, data),
        Deed::Resize { file, length } => apply_resize(&mut nodes[*file], *length),
        Deed::Sync { .. } | Deed::Acknowledge(_) => {}
    }
}

/// A write of which only the length of the file is kept.
fn lose_data(nodes: &mut [Content], deed: &Deed) {
    if let Deed::Write { file, offset, data } = deed {
        apply_write(&mut nodes[*file], *offset, &vec![0; data.len()]);
    }
}

/// A write that is lost, or of which only the beginning is kept, or only the length.
fn lose_some(nodes: &mut [Content], deed: &Deed, random: &mut fastrand::Rng) {
    match (random.u8(0..4), deed) {
        (0, Deed::Write { file, offset, data }) => {
            let kept = random.usize(0..=data.len());
            apply_write(&mut nodes[*file], *offset, &data[..kept]);
        }
        (1, _) => lose_data(nodes, deed),
        _ => {}
    }
}

/// What a sync is of, whatever the file is called this time.
pub(super) fn kind_of_sync(path: &str) -> String {
    if let Some((_, inside)) = path.split_once(".pony-new-") {
        let is_file = inside.rsplit('/').next().is_some_and(|name| {
            name.contains('.')
                || ["HEAD", "config", "description", "attributes", "main"].contains(&name)
        });
        let kind = if is_file { "files" } else { "folders" };
        return format!("{kind} of a new repository");
    }
    let path = path.strip_prefix("results.git").map_or(path, |rest| rest.trim_start_matches('/'));
    let parts = path.split('/').map(|part| {
        let stem = part.split('.').next().unwrap_or(part);
        let is_hash = stem.len() >= 32 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_shard = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        match part {
            "" => "the folder of the repository".to_owned(),
            _ if is_hash || is_shard => "*".to_owned(),
            _ if part.starts_with("pack-") => {
                format!("pack-*.{}", part.rsplit('.').next().unwrap_or(""))
            }
            _ if part.starts_with("incoming-") => "incoming-*".to_owned(),
            _ if part.starts_with(".tmp") => ".tmp*".to_owned(),
            _ => part.to_owned(),
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::recording::{Naming, listing};
    use super::*;

    fn recording(deeds: Vec<Deed>) -> Recording {
        let folder = || Content::Folder(BTreeMap::new());
        Recording { before: vec![folder(), Content::File(Arc::default())], deeds }
    }

    fn name(name: &str, target: Option<Node>) -> Naming {
        Naming { folder: 0, name: name.to_owned(), target }
    }

    fn write() -> Deed {
        Deed::Write { file: 1, offset: 0, data: b"hay".to_vec() }
    }

    fn sync(node: Node, before: usize) -> Deed {
        Deed::Sync { node, path: format!("node-{node}"), before }
    }

    /// All states that a hundred tries find after the last deed.
    fn states(deeds: Vec<Deed>, rules: Rules, without: Option<&str>) -> Vec<String> {
        let recording = recording(deeds);
        let mut cutter = Cutter::new(&recording, without);
        while cutter.advance() {}
        let mut random = fastrand::Rng::with_seed(7);
        let show = |state: Vec<Content>| format!("{:?}", listing(&state));
        let mut found: Vec<String> =
            (0..200).map(|_| show(cutter.state(rules, &mut random))).collect();
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn what_was_synced_is_there() {
        let deeds = vec![Deed::Name(vec![name("a", Some(1))]), write(), sync(1, 2), sync(0, 3)];
        let whole = format!("{{\"a\": Some({:?})}}", b"hay");
        for rules in [Rules::KeepNone, Rules::Weak(50), Rules::Ordered, Rules::KeepAll] {
            assert_eq!(states(deeds.clone(), rules, None), [whole.as_str()], "{rules:?}");
        }
        assert!(states(deeds.clone(), Rules::Weak(50), Some("node-1")).len() > 3);
        assert_eq!(states(deeds, Rules::KeepNone, Some("node-0")), ["{}"]);
    }

    #[test]
    fn a_sync_keeps_nothing_that_began_after_it() {
        let deeds = vec![Deed::Name(vec![name("a", Some(1))]), write(), sync(1, 1), sync(0, 1)];
        assert_eq!(states(deeds, Rules::KeepNone, None), ["{\"a\": Some([])}"]);
    }

    #[test]
    fn a_rename_is_there_as_a_whole_or_not() {
        let deeds = vec![
            Deed::Name(vec![name("a", Some(1))]),
            sync(0, 1),
            Deed::Name(vec![name("a", None), name("b", Some(1))]),
        ];
        let either = ["{\"a\": Some([])}", "{\"b\": Some([])}"];
        assert_eq!(states(deeds, Rules::Weak(50), None), either);
    }

    #[test]
    fn only_the_weak_rules_change_the_order_of_names() {
        let deeds =
            vec![Deed::Name(vec![name("a", Some(1))]), Deed::Name(vec![name("b", Some(1))])];
        assert_eq!(states(deeds.clone(), Rules::Weak(50), None).len(), 4);
        assert_eq!(states(deeds, Rules::Ordered, None).len(), 3);
    }

    #[test]
    fn a_kind_of_sync_has_no_random_names() {
        let hash = "0123456789".repeat(4);
        let cases = [
            (format!("results.git/objects/pack/pack-{hash}.idx"), "objects/pack/pack-*.idx"),
            ("results.git/refs/heads/main.lock".to_owned(), "refs/heads/main.lock"),
            ("results.git".to_owned(), "the folder of the repository"),
            ("results.git/pony/.tmpAbC123".to_owned(), "pony/.tmp*"),
            (".pony-new-x1/repository/HEAD".to_owned(), "files of a new repository"),
            (".pony-new-x1/repository/refs/heads".to_owned(), "folders of a new repository"),
        ];
        for (path, kind) in cases {
            assert_eq!(kind_of_sync(&path), kind);
        }
    }
}
