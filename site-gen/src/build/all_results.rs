//! [`AllResults`]: the pages with every result of a package, of which only the newest one is ever in memory.

use super::{Build, Halt};
use crate::history::{Package, Row};
use crate::pages::{self, CHUNK, Chunk};
use crate::published;

/// The pages of one package.
#[derive(Debug, Default)]
pub(super) struct AllResults {
    /// How many pages are full.
    pages: usize,
    /// The newest of them, when it has not been written.
    waiting: Option<Vec<Row>>,
    /// The results of the newest page, oldest first.
    rows: Vec<Row>,
}

impl AllResults {
    /// As the last build left them. `None` when they cannot be read back.
    pub(super) fn read_back(build: &Build<'_>, package: &Package) -> Option<Self> {
        let text = build.folder.read(&format!("p/{}/show_all/index.json", package.folder()))?;
        let (pages, rows) = published::read_show_all(&package.name, &text)?;
        Some(Self { pages, waiting: None, rows })
    }

    /// Adds a result. [`Halt::Odd`] when its place is on a page that is full.
    pub(super) fn add(
        &mut self,
        build: &Build<'_>,
        package: &Package,
        row: Row,
    ) -> Result<(), Halt> {
        let place = self.rows.partition_point(|known| known.key < row.key);
        if place == 0 && self.pages > 0 {
            return Err(Halt::Odd);
        }
        self.rows.insert(place, row);
        if self.rows.len() < 2 * CHUNK {
            return Ok(());
        }
        let newest = self.rows.split_off(CHUNK);
        let full = std::mem::replace(&mut self.rows, newest);
        self.pages += 1;
        if let Some(before) = self.waiting.replace(full) {
            self.write(build, package, Some(self.pages - 1), &before)?;
        } else if self.pages > 1 {
            // Written by an earlier build, when it was followed by the newest page.
            let number = self.pages - 1;
            let path = format!("p/{}/show_all/{number}/index.json", package.folder());
            let text = build.folder.read(&path).ok_or(Halt::Odd)?;
            let (_, before) = published::read_show_all(&package.name, &text).ok_or(Halt::Odd)?;
            self.write(build, package, Some(number), &before)?;
        }
        Ok(())
    }

    /// Writes what is left to write, when all results were added to `package` as well.
    pub(super) fn finish(mut self, build: &Build<'_>, package: &Package) -> Result<(), Halt> {
        if let Some(full) = self.waiting.take() {
            self.write(build, package, Some(self.pages), &full)?;
        }
        self.write(build, package, None, &self.rows)
    }

    fn write(
        &self,
        build: &Build<'_>,
        package: &Package,
        number: Option<usize>,
        rows: &[Row],
    ) -> Result<(), Halt> {
        let page = Chunk { number, older_pages: self.pages, rows };
        let at = format!("p/{}/{}", package.folder(), page.folder());
        let html = pages::show_all(package, &page, build.options.now)?;
        build.folder.write(&format!("{at}/index.html"), html)?;
        let json = published::show_all(package, &page);
        Ok(build.folder.write(&format!("{at}/index.json"), json)?)
    }
}
