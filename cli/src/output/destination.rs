//! Where results go: standard output, or a file that appears whole or not at all.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::{Failure, Result};

const BUFFER: usize = 256 * 1024;

/// An open output.
pub(crate) struct Destination {
    sink: Sink,
    /// The first error of writing: the formats' own errors hide it.
    broken: Option<(io::ErrorKind, String)>,
}

enum Sink {
    Stdout(BufWriter<io::Stdout>),
    /// A device or pipe: there is nothing to rename.
    Direct(BufWriter<File>, PathBuf),
    Atomic {
        file: BufWriter<NamedTempFile>,
        target: PathBuf,
    },
}

impl Destination {
    /// Standard output.
    pub(crate) fn stdout() -> Self {
        Self { sink: Sink::Stdout(BufWriter::with_capacity(BUFFER, io::stdout())), broken: None }
    }

    /// The file at `path`: written beside it under a hidden name, and renamed by [`Destination::commit`].
    ///
    /// # Errors
    /// When the folder does not exist or cannot be written.
    pub(crate) fn file(path: &Path) -> Result<Self> {
        let unwritable = |reason: &dyn std::fmt::Display| {
            Failure::usage(format!("cannot write the output {}: {reason}", path.display()))
        };
        // A link keeps pointing where it points: what it points at is replaced.
        let target = match path.canonicalize() {
            Ok(real) => real,
            Err(_absent) => path.to_path_buf(),
        };
        if let Ok(metadata) = target.metadata() {
            if metadata.is_dir() {
                return Err(unwritable(&"it is a folder, name a file"));
            }
            if !metadata.is_file() {
                let device =
                    OpenOptions::new().write(true).open(&target).map_err(|error| unwritable(&error))?;
                let sink = Sink::Direct(BufWriter::with_capacity(BUFFER, device), target);
                return Ok(Self { sink, broken: None });
            }
        }
        let name = target.file_name().ok_or_else(|| unwritable(&"it has no file name"))?;
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(unwritable(&format!("the folder {} does not exist", folder.display())));
        }
        let file = tempfile::Builder::new()
            .prefix(&format!(".{}.", name.to_string_lossy()))
            .suffix(".part")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(|error| unwritable(&error))?;
        let sink = Sink::Atomic { file: BufWriter::with_capacity(BUFFER, file), target };
        Ok(Self { sink, broken: None })
    }

    /// Whether a person would see the bytes as they are.
    pub(crate) fn is_terminal(&self) -> bool {
        match &self.sink {
            Sink::Stdout(_) => io::stdout().is_terminal(),
            Sink::Direct(file, _) => file.get_ref().is_terminal(),
            Sink::Atomic { .. } => false,
        }
    }

    /// Whether the output is a regular file.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.sink, Sink::Atomic { .. })
    }

    /// What it means that bytes could not be written; nothing where all were.
    pub(crate) fn broken(&self) -> Option<Failure> {
        let (kind, reason) = self.broken.as_ref()?;
        Some(self.failure(*kind, reason))
    }

    /// Makes what was written last: on disk, then under its name. Without it a file stays as it was.
    ///
    /// # Errors
    /// When the bytes cannot be written or renamed.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.flush().map_err(|error| self.io_failure(&error))?;
        if let Sink::Atomic { file, target } = self.sink {
            let failed = |error: &dyn std::fmt::Display| {
                Failure::failed(format!("cannot write the output {}: {error}", target.display()))
            };
            let file = file.into_inner().map_err(|error| failed(&error))?;
            file.as_file().sync_all().map_err(|error| failed(&error))?;
            file.persist(&target).map_err(|error| failed(&error.error))?;
            if let Some(folder) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(&error))?;
            }
        }
        Ok(())
    }

    /// The failure that a write error means.
    pub(crate) fn io_failure(&self, error: &io::Error) -> Failure {
        self.broken().unwrap_or_else(|| self.failure(error.kind(), &error.to_string()))
    }

    fn failure(&self, kind: io::ErrorKind, reason: &str) -> Failure {
        let place = match &self.sink {
            Sink::Stdout(_) => "to standard output".to_owned(),
            Sink::Direct(_, target) | Sink::Atomic { target, .. } => {
                format!("the output {}", target.display())
            }
        };
        match kind {
            // Nobody reads any more, as under `head`.
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Failure::Limit(format!("cannot write {place}: {reason}; make room, or write elsewhere"))
            }
            _ => Failure::failed(format!("cannot write {place}: {reason}")),
        }
    }

    fn remember<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let (Err(error), None) = (&result, &self.broken)
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.broken = Some((error.kind(), error.to_string()));
        }
        result
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = match &mut self.sink {
            Sink::Stdout(sink) => sink.write(bytes),
            Sink::Direct(sink, _) => sink.write(bytes),
            Sink::Atomic { file, .. } => file.write(bytes),
        };
        self.remember(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = match &mut self.sink {
            Sink::Stdout(sink) => sink.flush(),
            Sink::Direct(sink, _) => sink.flush(),
            Sink::Atomic { file, .. } => file.flush(),
        };
        self.remember(result)
    }
}
