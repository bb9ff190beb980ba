//! What prove writes around the streams of the files that it runs (`prove -v`).

/// The file of prove's `t/hay.t .. `, and the reason when it skipped all of it.
pub(super) fn header(line: &str) -> Option<(&str, Option<&str>)> {
    let (file, rest) = line.split_once(' ')?;
    if !file.contains(['.', '/']) {
        return None;
    }
    let rest = rest.strip_prefix("..")?.trim_start_matches('.');
    match rest.trim() {
        "" => Some((file, None)),
        "skipped" => Some((file, Some(""))),
        said => said.strip_prefix("skipped: ").map(|reason| (file, Some(reason))),
    }
}

/// Whether prove says with this line how a file ended.
pub(super) fn is_verdict(line: &str) -> bool {
    let counts = line.strip_prefix("Failed ").and_then(|rest| rest.split_once(" subtests"));
    line.starts_with("Dubious, test returned ")
        || counts.is_some_and(|(counts, _)| counts.contains('/'))
}
