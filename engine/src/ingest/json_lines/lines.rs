//! The lines of a file as it streams in, decompressed, numbered and bounded.

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use futures::TryStreamExt;
use object_store::{GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, BufReader};
use tokio_util::io::StreamReader;

use crate::error::{EngineError, Result};

/// Longer lines are refused: they would be held in memory whole.
pub(super) const LONGEST_LINE: usize = 64 * 1024 * 1024;
const BUFFER: usize = 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A file being read line by line.
pub(super) struct Lines {
    reader: Box<dyn AsyncBufRead + Send + Unpin>,
    /// Below the lake's root, for messages.
    path: String,
    number: u64,
    ended: bool,
}

impl Lines {
    /// Opens `file`; `.gz` and `.zst` are decompressed.
    pub(super) async fn open(store: &dyn ObjectStore, file: &ObjectMeta, path: &str) -> Result<Self> {
        let raw: Box<dyn AsyncRead + Send + Unpin> = match store.get(&file.location).await?.payload {
            GetResultPayload::File(file, _) => {
                let mut file = tokio::fs::File::from_std(file);
                file.set_max_buf_size(BUFFER);
                Box::new(file)
            }
            GetResultPayload::Stream(bytes) => {
                Box::new(StreamReader::new(bytes.map_err(std::io::Error::other)))
            }
        };
        let raw = BufReader::with_capacity(BUFFER, raw);
        let name = file.location.as_ref().to_lowercase();
        let reader: Box<dyn AsyncBufRead + Send + Unpin> = if name.ends_with(".gz") {
            let mut decoder = GzipDecoder::new(raw);
            decoder.multiple_members(true);
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        } else if name.ends_with(".zst") {
            let mut decoder = ZstdDecoder::new(raw);
            decoder.multiple_members(true);
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        } else {
            Box::new(raw)
        };
        Ok(Self { reader, path: path.to_owned(), number: 0, ended: false })
    }

    /// Appends the next line without its end to `into`, and gives its 1-based number; `None` at the end.
    pub(super) async fn next(&mut self, into: &mut Vec<u8>) -> Result<Option<u64>> {
        let start = into.len();
        if self.ended {
            return Ok(None);
        }
        loop {
            let buffer = self.reader.fill_buf().await.map_err(|error| EngineError::File {
                path: self.path.clone(),
                reason: format!("after line {}: {error}", self.number),
            })?;
            if buffer.is_empty() {
                self.ended = true;
                if into.len() == start {
                    return Ok(None);
                }
                break;
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(buffer.len());
            into.extend_from_slice(buffer.get(..taken).unwrap_or(buffer));
            self.reader.consume(end.map_or(taken, |end| end + 1));
            if into.len() - start > LONGEST_LINE {
                return Err(EngineError::File {
                    path: self.path.clone(),
                    reason: format!(
                        "line {} is longer than {} MiB: is it one JSON document instead of one object a line?",
                        self.number + 1,
                        LONGEST_LINE / 1024 / 1024
                    ),
                });
            }
            if end.is_some() {
                break;
            }
        }
        self.number += 1;
        if self.number == 1 && into.get(start..).is_some_and(|line| line.starts_with(BYTE_ORDER_MARK)) {
            into.drain(start..start + BYTE_ORDER_MARK.len());
        }
        Ok(Some(self.number))
    }
}
