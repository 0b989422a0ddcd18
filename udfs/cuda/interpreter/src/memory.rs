/// Every buffer starts at a multiple of this, so that no address leads from one into another.
const APART: u64 = 1 << 32;

/// Global memory: buffers of bytes, far apart.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    buffers: Vec<Vec<u8>>,
}

impl Memory {
    /// Takes a buffer in; gives its address.
    pub fn push(&mut self, bytes: Vec<u8>) -> u64 {
        self.buffers.push(bytes);
        APART * self.buffers.len() as u64
    }

    /// The buffer at the address that [`Memory::push`] gave; empty for any other.
    #[must_use]
    pub fn buffer(&self, address: u64) -> &[u8] {
        let place = if address.is_multiple_of(APART) { index(address) } else { None };
        place.and_then(|place| self.buffers.get(place)).map_or(&[], Vec::as_slice)
    }

    /// `None` outside of all buffers.
    pub(crate) fn at(&mut self, address: u64, width: usize) -> Option<&mut [u8]> {
        at(self.buffers.get_mut(index(address)?)?, address % APART, width)
    }
}

fn index(address: u64) -> Option<usize> {
    usize::try_from((address / APART).checked_sub(1)?).ok()
}

/// The bytes at an offset that is a multiple of their number; `None` outside of the buffer.
pub(crate) fn at(buffer: &mut [u8], offset: u64, width: usize) -> Option<&mut [u8]> {
    let start = usize::try_from(offset).ok()?;
    if start.is_multiple_of(width) { buffer.get_mut(start..start.checked_add(width)?) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_inside_a_buffer_are_there() {
        let mut memory = Memory::default();
        let (first, second) = (memory.push(vec![1; 12]), memory.push(vec![2; 8]));
        assert_eq!(memory.at(second, 8), Some(&mut [2; 8][..]));
        assert_eq!(memory.at(first + 8, 4), Some(&mut [1; 4][..]));
        for outside in
            [0, 8, first - 8, first + 4, first + 8, first + 16, second + 8, second + APART, u64::MAX]
        {
            assert_eq!(memory.at(outside, 8), None, "{outside:#x}");
        }
        assert_eq!((memory.buffer(second), memory.buffer(second + 8)), (&[2; 8][..], &[][..]));
    }
}
