//! `schema/…`: what the JSON of a site looks like, as JSON Schema (draft 2020-12). A test holds every file of a site
//! to it.

/// Each with its address.
pub(crate) const SCHEMAS: [(&str, &str); 13] = [
    ("schema/annotations.json", include_str!("../../schema/annotations.json")),
    ("schema/badge.json", include_str!("../../schema/badge.json")),
    ("schema/commit.json", include_str!("../../schema/commit.json")),
    ("schema/feed.json", include_str!("../../schema/feed.json")),
    ("schema/history.json", include_str!("../../schema/history.json")),
    ("schema/index.json", include_str!("../../schema/index.json")),
    ("schema/line.json", include_str!("../../schema/line.json")),
    ("schema/machine.json", include_str!("../../schema/machine.json")),
    ("schema/package.json", include_str!("../../schema/package.json")),
    ("schema/result.json", include_str!("../../schema/result.json")),
    // What the others have in common.
    ("schema/shared.json", include_str!("../../schema/shared.json")),
    ("schema/show_all.json", include_str!("../../schema/show_all.json")),
    ("schema/tests.json", include_str!("../../schema/tests.json")),
];
