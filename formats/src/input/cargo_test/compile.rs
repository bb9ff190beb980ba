//! [`Compilation`]: what cargo and the compiler say between test binaries.

use std::collections::HashSet;

use crate::model::{Outcome, TestCase};

/// Errors so far.
#[derive(Debug, Default)]
pub(in crate::input) struct Compilation<'t> {
    /// The first since the last package that could not be compiled.
    first_error: Option<CompileError<'t>>,
    uncompiled: HashSet<&'t str>,
}

#[derive(Debug, Clone, Copy)]
struct CompileError<'t> {
    message: &'t str,
    place: Option<(&'t str, i64)>,
}

impl<'t> Compilation<'t> {
    /// Takes a line. Gives an errored test for a package that could not be compiled, once.
    pub(in crate::input) fn feed(&mut self, line: &'t str) -> Option<TestCase> {
        if let Some(package) = uncompiled(line) {
            let error = self.first_error.take();
            return self.uncompiled.insert(package).then(|| errored(package, error));
        }
        if line.starts_with("error[") || line.starts_with("error: ") {
            self.first_error.get_or_insert(CompileError { message: line, place: None });
        } else if let Some(place) = line.trim_start().strip_prefix("--> ")
            && let Some(error) = self.first_error.as_mut().filter(|error| error.place.is_none())
        {
            let mut parts = place.rsplitn(3, ':').skip(1);
            let number = parts.next().and_then(|number| number.parse().ok());
            error.place = parts.next().zip(number);
        }
        None
    }

    /// The first error that no package was named for.
    pub(in crate::input) fn first_error(&self) -> Option<&'t str> {
        self.first_error.map(|error| error.message)
    }
}

fn errored(package: &str, error: Option<CompileError<'_>>) -> TestCase {
    let mut test = TestCase::new(package, Outcome::Errored);
    test.evidence.message =
        Some(error.map_or("could not compile", |error| error.message).to_owned());
    test.evidence.kind = Some("compile error".to_owned());
    if let Some((file, line)) = error.and_then(|error| error.place) {
        test.file = Some(file.to_owned());
        test.line = Some(line);
    }
    test
}

/// The name of the package in `` error: could not compile `name` … ``.
pub(in crate::input) fn uncompiled(line: &str) -> Option<&str> {
    let name = line.strip_prefix("error: could not compile `")?.split('`').next()?;
    (!name.is_empty()).then_some(name)
}
