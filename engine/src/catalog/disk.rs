//! Files of a local disk.

use std::fmt::{Display, Formatter};
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

/// More than this is read by a thread of its own all the same: whoever asks has other work to do meanwhile.
const AT_ONCE: u64 = 16 << 20;

/// [`LocalFileSystem`], but that what the operating system has in memory is read by the thread that asks for it.
///
/// That one hands every read to another thread and waits. A scan over many files waits for threads to wake up then, more than
/// for the bytes.
#[derive(Debug, Default)]
pub(super) struct Disk(LocalFileSystem);

impl Display for Disk {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        Display::fmt(&self.0, f)
    }
}

#[async_trait]
impl ObjectStore for Disk {
    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let wanted: u64 = ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum();
        if wanted <= AT_ONCE
            && let Some(read) = in_memory(&self.0.path_to_filesystem(location)?, ranges)
        {
            return Ok(read);
        }
        self.0.get_ranges(location, ranges).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.0.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, opts).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.0.rename_opts(from, to, options).await
    }
}

/// The bytes at `ranges` of a file, if all of them can be had without waiting for the disk. Whatever is wrong with the file is for
/// the usual way to find and to say.
#[cfg(target_os = "linux")]
fn in_memory(path: &std::path::Path, ranges: &[Range<u64>]) -> Option<Vec<Bytes>> {
    use std::fs::File;
    use std::io::IoSliceMut;

    use rustix::io::{Errno, ReadWriteFlags, preadv2};

    let file = File::open(path).ok()?;
    let read = |range: &Range<u64>| {
        let mut bytes = vec![0; usize::try_from(range.end.checked_sub(range.start)?).ok()?];
        let (mut left, mut place) = (bytes.as_mut_slice(), range.start);
        while !left.is_empty() {
            match preadv2(&file, &mut [IoSliceMut::new(left)], place, ReadWriteFlags::NOWAIT) {
                Err(Errno::INTR) => {}
                // The end of the file, or something that is on the disk alone.
                Ok(0) | Err(_) => return None,
                Ok(count) => {
                    left = left.get_mut(count..)?;
                    place += u64::try_from(count).ok()?;
                }
            }
        }
        Some(Bytes::from(bytes))
    };
    ranges.iter().map(read).collect()
}

#[cfg(not(target_os = "linux"))]
fn in_memory(_path: &std::path::Path, _ranges: &[Range<u64>]) -> Option<Vec<Bytes>> {
    None
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;

    #[tokio::test]
    async fn reads_as_the_file_system_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("稅籍.bin");
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(&file, &bytes).unwrap();
        let (disk, system) = (Disk::default(), LocalFileSystem::new());
        let path = Path::from_absolute_path(&file).unwrap();
        for ranges in [vec![0..4, 399_996..400_000], vec![17..300_000, 5..5], vec![]] {
            let read = disk.get_ranges(&path, &ranges).await.unwrap();
            assert_eq!(read, system.get_ranges(&path, &ranges).await.unwrap());
        }
        #[cfg(target_os = "linux")]
        assert_eq!(
            in_memory(&file, std::slice::from_ref(&(1..9))).unwrap(),
            [Bytes::copy_from_slice(&bytes[1..9])]
        );
        // What fails says so in the same words.
        for (path, ranges) in [(path.clone(), 399_990..400_001), (Path::from("none"), 0..1)] {
            let ranges = std::slice::from_ref(&ranges);
            let told = disk.get_ranges(&path, ranges).await.map_err(|error| error.to_string());
            assert_eq!(told, system.get_ranges(&path, ranges).await.map_err(|error| error.to_string()));
        }
        assert_eq!(disk.head(&path).await.unwrap().size, 400_000);
    }
}
