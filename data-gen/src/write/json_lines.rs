use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::GzBuilder;
use flate2::write::GzEncoder;

use crate::error::GenerateError;

/// How the lines are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
}

enum Target {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

/// One file of JSON lines.
pub(crate) struct JsonLines {
    path: PathBuf,
    target: Target,
    rows: u64,
}

impl JsonLines {
    pub(crate) fn create(path: &Path, compression: Compression) -> Result<Self, GenerateError> {
        let file = BufWriter::new(File::create(path).map_err(GenerateError::io("create", path))?);
        let target = match compression {
            Compression::None => Target::Plain(file),
            // No file name and time zero: the bytes depend on the rows alone.
            Compression::Gzip => {
                Target::Gzip(Box::new(GzBuilder::new().mtime(0).write(file, flate2::Compression::new(5))))
            }
        };
        Ok(Self { path: path.to_owned(), target, rows: 0 })
    }

    /// Appends whole lines, each ending in a line feed.
    pub(crate) fn append(&mut self, lines: &Lines) -> Result<(), GenerateError> {
        let written = match &mut self.target {
            Target::Plain(file) => file.write_all(&lines.bytes),
            Target::Gzip(file) => file.write_all(&lines.bytes),
        };
        self.rows += lines.rows;
        written.map_err(GenerateError::io("write", &self.path))
    }

    /// Completes the file and returns its number of lines.
    pub(crate) fn close(self) -> Result<u64, GenerateError> {
        let flushed = match self.target {
            Target::Plain(mut file) => file.flush(),
            Target::Gzip(file) => file.finish().and_then(|mut file| file.flush()),
        };
        flushed.map_err(GenerateError::io("write", &self.path))?;
        Ok(self.rows)
    }
}

/// Lines made by a worker, waiting for their turn in the file.
#[derive(Default)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    rows: u64,
}

impl Lines {
    pub(crate) fn push(&mut self, document: &impl serde::Serialize) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut self.bytes, document)?;
        self.bytes.push(b'\n');
        self.rows += 1;
        Ok(())
    }
}
