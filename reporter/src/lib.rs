//! pony-report.
