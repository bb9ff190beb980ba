//! Nothing here: this package exists for its tests, see `it/main.rs`.
