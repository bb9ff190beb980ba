//! The page of one result, and what stands beside it.

use pony_formats::{ResultKey, TestResult};
use pony_store::{Artifact, StoreError};

use crate::analysis::{Comparison, ResultNotes, Revision};
use crate::annotations::Noted;
use crate::build::{Build, Halt};
use crate::history::Package;
use crate::view::{ChangesView, RemarkView, ResultView};
use crate::{SiteError, load, pages, published};

/// What is stored of a result, or why it cannot be had.
pub(super) type Read = Result<(TestResult, Vec<Artifact>), String>;

/// A result that is rendered.
pub(super) struct Subject<'r> {
    pub(super) key: ResultKey,
    /// The commit that added it.
    pub(super) commit: &'r str,
    pub(super) revision: &'r Revision,
    pub(super) notes: Option<&'r ResultNotes>,
    /// What changed since the result before it.
    pub(super) changes: Option<&'r Comparison>,
}

impl Build<'_> {
    pub(super) fn read(&self, package: &Package, key: ResultKey) -> Result<Read, SiteError> {
        let read = self.snapshot.read(&package.name, key).and_then(|result| {
            let artifacts = self.snapshot.artifacts(&package.name, key)?;
            Ok(result.map(|result| (result, artifacts)))
        });
        match read {
            Ok(Some(read)) => Ok(Ok(read)),
            Ok(None) => Ok(Err(load::MISSING.to_owned())),
            Err(StoreError::Damaged { reason, .. }) => Ok(Err(reason)),
            Err(other) => Err(other.into()),
        }
    }

    /// The page of an earlier result that has other files or notes now. What else it says stays: what was known then is
    /// not known any more.
    pub(super) fn with_files(
        &self,
        package: &Package,
        key: ResultKey,
    ) -> Result<Option<String>, Halt> {
        if package.unreadable.iter().any(|result| result.key == key) {
            return Ok(None);
        }
        let read = self.read(package, key)?;
        let Ok((result, _)) = &read else { return Err(Halt::Odd) };
        let revision = Revision::of(result.submission.client_info.bag());
        let text = self.folder.read(&format!("p/{}/{key}/result.json", package.folder()));
        let earlier = text.and_then(|text| published::read_notes(&text));
        let published::Noted { history, changes, commit } = earlier.ok_or(Halt::Odd)?;
        let (notes, changes) = (Some(&history), changes.as_ref());
        let subject = Subject { key, commit: &commit, revision: &revision, notes, changes };
        Ok(self.page(package, &subject, read)?)
    }

    /// The page of a result, and what is beside it. Returns what is wrong with it.
    pub(super) fn page(
        &self,
        package: &Package,
        subject: &Subject<'_>,
        read: Read,
    ) -> Result<Option<String>, SiteError> {
        let Subject { key, commit, revision, notes, changes } = *subject;
        let (result, artifacts) = match read {
            Ok(read) => read,
            Err(reason) => {
                self.damaged(package, key, &reason, commit)?;
                return Ok(Some(format!("{} {key}: {reason}", package.name)));
            }
        };
        let at = folder_of(package, key);
        let (mut view, full_texts) =
            ResultView::new(&result, &artifacts, self.options.link_artifacts, revision, notes);
        let on = Noted::Result(key);
        view.remarks = RemarkView::all(self.annotated.all.notes.on(&on));
        view.changes = changes.map(|changes| ChangesView::new(changes, &view.key));
        let page = pages::result(&view, commit, self.options.live)?;
        self.folder.write(&format!("{at}/index.html"), page)?;
        for full in full_texts {
            self.folder.write(&format!("{at}/{}", full.file()), full.text)?;
        }
        for portion in view.tests.portions() {
            let page = pages::portion(&view, portion, commit)?;
            self.folder.write(&format!("{at}/{}", portion.file), page)?;
        }
        drop(view);
        let json = published::result(&result, &artifacts, commit, notes, changes);
        self.folder.write(&format!("{at}/result.json"), &json)?;
        Ok(None)
    }

    /// The page of a result that cannot be read.
    pub(super) fn damaged(
        &self,
        package: &Package,
        key: ResultKey,
        reason: &str,
        commit: &str,
    ) -> Result<(), SiteError> {
        let at = folder_of(package, key);
        let page = pages::unreadable(&package.name, key, reason, commit)?;
        self.folder.write(&format!("{at}/index.html"), page)?;
        // It may have been readable when the site was built last.
        self.folder.keep_only(&at, &["index.html"])
    }
}

fn folder_of(package: &Package, key: ResultKey) -> String {
    format!("p/{}/{key}", package.folder())
}
