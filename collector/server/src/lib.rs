//! pony-collector.
