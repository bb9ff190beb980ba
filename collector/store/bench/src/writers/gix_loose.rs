//! gix as it comes: loose objects, a move of the branch for each commit. It never syncs, so that is
//! done here: every new object, the folders that they are in, the branch and its folder.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use gix::ObjectId;
use gix::lock::acquire::Fail;
use gix::objs::tree::EntryKind;
use gix::refs::Target;
use gix::refs::transaction::{PreviousValue, RefEdit};

use super::{BRANCH, Item, Opened};
use crate::Failure;

pub(super) fn open(repo: &Path) -> Opened {
    let repo = gix::open_opts(repo, gix::open::Options::isolated())?;
    Ok(Box::new(move |items| write(&repo, items)))
}

fn write(repo: &gix::Repository, items: &[Item]) -> Result<(), Failure> {
    let mut head = repo.find_reference(BRANCH)?.id().detach();
    let mut tree = repo.find_commit(head)?.tree_id()?.detach();
    for item in items {
        let mut new = Vec::new();
        let mut editor = repo.edit_tree(tree)?;
        for (path, content) in &item.files {
            let blob = repo.write_blob(content)?.detach();
            editor.upsert(format!("{}/{path}", item.folder), EntryKind::Blob, blob)?;
            new.push(blob);
        }
        tree = editor.write()?.detach();
        new.push(tree);
        // The folders on the way, and those of the result.
        let mut folders = vec![tree];
        while let Some(folder) = folders.pop() {
            for entry in repo.find_tree(folder)?.iter() {
                let entry = entry?;
                let is_ours =
                    item.folder.split('/').any(|name| entry.filename() == name.as_bytes())
                        || entry.filename() == b"steps"
                        || entry.filename() == b"00";
                if entry.mode().is_tree() && is_ours {
                    folders.push(entry.object_id());
                    new.push(entry.object_id());
                }
            }
        }
        let signature = gix::actor::Signature {
            name: "pony".into(),
            email: "pony@localhost".into(),
            time: gix::date::Time { seconds: item.time.as_second(), offset: 0 },
        };
        let mut buffers =
            [gix::date::parse::TimeBuf::default(), gix::date::parse::TimeBuf::default()];
        let [first, second] = &mut buffers;
        let commit = repo.new_commit_as(
            signature.to_ref(first),
            signature.to_ref(second),
            item.message.as_str(),
            tree,
            Some(head),
        )?;
        new.push(commit.id);
        sync_objects(repo, &new)?;
        move_branch(repo, head, commit.id, &signature)?;
        head = commit.id;
    }
    Ok(())
}

fn sync_objects(repo: &gix::Repository, ids: &[ObjectId]) -> Result<(), Failure> {
    let objects = repo.git_dir().join("objects");
    let mut folders = BTreeSet::from([objects.clone()]);
    for id in ids {
        let name = id.to_hex().to_string();
        let folder = objects.join(&name[..2]);
        // What was there before is in a pack.
        if let Ok(file) = File::open(folder.join(&name[2..])) {
            file.sync_all()?;
            folders.insert(folder);
        }
    }
    folders.iter().try_for_each(|folder| Ok(File::open(folder)?.sync_all()?))
}

fn move_branch(
    repo: &gix::Repository,
    old: ObjectId,
    new: ObjectId,
    signature: &gix::actor::Signature,
) -> Result<(), Failure> {
    let expected = PreviousValue::MustExistAndMatch(Target::Object(old));
    let edit = RefEdit::update(gix::refs::FullName::try_from(BRANCH)?, new, expected, "add");
    let transaction =
        repo.refs.transaction().prepare([edit], Fail::Immediately, Fail::Immediately)?;
    let branch = repo.git_dir().join(BRANCH);
    File::options().write(true).open(branch.with_extension("lock"))?.sync_all()?;
    let mut buffer = gix::date::parse::TimeBuf::default();
    transaction.commit(signature.to_ref(&mut buffer))?;
    File::open(repo.git_dir().join("refs/heads"))?.sync_all()?;
    Ok(())
}
