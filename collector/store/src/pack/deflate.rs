//! [`Deflater`]: compresses objects.

use std::cell::RefCell;
use std::path::Path;

use flate2::{Compress, Compression, FlushCompress, Status};

use crate::{Action, StoreError};

/// Bytes up to which an object is stored as it is. Most small objects are folders and deltas, whose ids do
/// not shrink, and to clear the tables of the compressor costs more than all else.
const PLAIN_BYTES_MAX: usize = 200;

/// Compresses one object after the other. Its tables are large and most objects small, so one is kept for
/// many of them.
#[derive(Debug)]
pub(crate) struct Deflater(Compress);

thread_local! {
    static OWN: RefCell<Deflater> = RefCell::new(Deflater::new());
}

impl Deflater {
    /// Works with the one of this thread.
    pub(crate) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        OWN.with(|own| match own.try_borrow_mut() {
            Ok(mut own) => work(&mut own),
            // Within the work of another.
            Err(_) => work(&mut Self::new()),
        })
    }

    pub(crate) fn new() -> Self {
        // The fastest level: about a third more bytes than the default in half the time, and a later
        // `git repack` may still choose another.
        Self(Compress::new(Compression::fast(), true))
    }

    /// The data as a zlib stream of its own.
    pub(crate) fn deflate(&mut self, mut data: &[u8]) -> Result<Vec<u8>, StoreError> {
        if data.len() <= PLAIN_BYTES_MAX {
            return Ok(plain(data));
        }
        self.0.reset();
        let mut out = Vec::new();
        loop {
            out.reserve(data.len() / 2 + 64);
            let before = self.0.total_in();
            let status =
                self.0.compress_vec(data, &mut out, FlushCompress::Finish).map_err(|error| {
                    StoreError::io(Action::Write, Path::new("compressed data"))(error.into())
                })?;
            if status == Status::StreamEnd {
                return Ok(out);
            }
            data = &data[(self.0.total_in() - before) as usize..];
        }
    }
}

/// A zlib stream (RFC 1950) of one block that is not compressed (RFC 1951, 3.2.4). At most
/// [`PLAIN_BYTES_MAX`].
fn plain(data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    // Adler-32: no sum can overflow, or be so large that it matters when the modulus is taken.
    let (low, high) = data.iter().fold((1_u32, 0), |(low, high), byte| {
        let low = low + u32::from(*byte);
        (low, high + low)
    });
    let checksum = ((high % 65_521) << 16) | (low % 65_521);
    let header = [0x78, 0x01, 0x01];
    [&header, &length.to_le_bytes()[..], &(!length).to_le_bytes(), data, &checksum.to_be_bytes()]
        .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::ZlibDecoder;
    use proptest::prelude::*;
    use std::io::Read;

    proptest! {
        #[test]
        fn each_object_is_a_stream_of_its_own(objects in proptest::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..4)) {
            let mut deflater = Deflater::new();
            for data in objects {
                let deflated = deflater.deflate(&data).unwrap();
                let mut inflated = Vec::new();
                ZlibDecoder::new(&*deflated).read_to_end(&mut inflated).unwrap();
                prop_assert_eq!(inflated, data);
            }
        }
    }
}
