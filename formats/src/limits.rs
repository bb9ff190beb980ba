//! [`Limits`]: every maximum in one table.

/// Bounds on what comes from outside. Passed in by the binaries, each with a flag or a constant
/// of its own, so that a reader never has to guess.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one input file or request body.
    pub input_bytes_max: usize,
    /// Elements open at the same time in an XML document.
    pub xml_depth_max: usize,
    /// Attributes on one XML element.
    pub xml_attributes_max: usize,
    /// Events (tags, texts, references, comments) in one XML document.
    pub xml_events_max: usize,
    /// Test cases in one input.
    pub tests_max: usize,
    /// Suites in one input of which more is kept than their tests.
    pub suites_max: usize,
    /// Oddities of one input that are described and not only counted. With 0, none are looked for.
    pub oddities_max: usize,
    /// Bytes of a package, host, arch or tag.
    pub name_bytes_max: usize,
    /// Tags of one submission.
    pub tags_max: usize,
}

impl Limits {
    /// The limits where nothing else is configured.
    pub const DEFAULT: Self = Self {
        input_bytes_max: 64 * 1024 * 1024,
        xml_depth_max: 64,
        xml_attributes_max: 256,
        xml_events_max: 10_000_000,
        tests_max: 1_000_000,
        suites_max: 100_000,
        oddities_max: 0,
        name_bytes_max: 200,
        tags_max: 1_000,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
