//! ByteBuf: bytes that are inside the value itself as long as there are few.
//!
//! Knows nothing of what they mean. Appending to it is most of what a log call does, so it is kept
//! plain: a fixed array and a length, and a vector once the array is too small.

/// How many bytes need no heap.
pub(crate) const INLINE_BYTES: usize = 232;

/// So much is allocated at first, unless more is needed at once.
const FIRST_HEAP_BYTES: usize = 2 * INLINE_BYTES;

/// More than `inline` ever holds, so that no push finds room there.
const SPILLED: u32 = u32::MAX;

/// A growing run of bytes; the first [`INLINE_BYTES`] need no heap.
#[derive(Clone)]
pub(crate) struct ByteBuf {
    inline: [u8; INLINE_BYTES],
    /// How much of `inline` is used, or [`SPILLED`] once there is `heap`: one comparison then says
    /// both that there is no heap and that there is room.
    len: u32,
    /// All bytes, once they do not fit. Boxed, since it is rare and a record is moved often.
    #[expect(clippy::box_collection, reason = "8 bytes in each record instead of 24")]
    heap: Option<Box<Vec<u8>>>,
}

impl ByteBuf {
    pub(crate) fn new() -> Self {
        Self { inline: [0; INLINE_BYTES], len: 0, heap: None }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.heap {
            None => self.len as usize,
            Some(heap) => heap.len(),
        }
    }

    /// How many bytes of heap are in use.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.heap.as_ref().map_or(0, |heap| heap.capacity())
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        match &self.heap {
            None => self.inline.get(..self.len as usize).unwrap_or_default(),
            Some(heap) => heap,
        }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        match &mut self.heap {
            None => self.inline.get_mut(..self.len as usize).unwrap_or_default(),
            Some(heap) => heap,
        }
    }

    /// Appends a number of bytes that is known when compiling.
    #[inline(always)]
    pub(crate) fn push_array<const N: usize>(&mut self, bytes: [u8; N]) {
        match self.place() {
            Some(room) => *room = bytes,
            None => self.push_to_heap(&bytes),
        }
    }

    /// Appends so many bytes, for the caller to write, if they need no heap.
    #[inline(always)]
    pub(crate) fn place<const N: usize>(&mut self) -> Option<&mut [u8; N]> {
        let start = self.len as usize;
        let room = self.inline.get_mut(start..start + N)?.first_chunk_mut()?;
        self.len += N as u32;
        Some(room)
    }

    /// Appends an array and bytes, if they need no heap.
    #[inline(always)]
    pub(crate) fn push_inline<const N: usize>(&mut self, head: [u8; N], bytes: &[u8]) -> bool {
        let start = self.len as usize;
        let Some(room) = self.inline.get_mut(start..start.saturating_add(N + bytes.len())) else {
            return false;
        };
        let Some((front, back)) = room.split_first_chunk_mut() else { return false };
        *front = head;
        back.copy_from_slice(bytes);
        self.len += (N + bytes.len()) as u32;
        true
    }

    /// Appends bytes.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let start = self.len as usize;
        match self.inline.get_mut(start..start.saturating_add(bytes.len())) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len() as u32;
            }
            None => self.push_to_heap(bytes),
        }
    }

    #[inline(never)]
    fn push_to_heap(&mut self, bytes: &[u8]) {
        match &mut self.heap {
            Some(heap) => heap.extend_from_slice(bytes),
            None => self.spill(bytes),
        }
    }

    #[cold]
    fn spill(&mut self, bytes: &[u8]) {
        let inline = self.inline.get(..self.len as usize).unwrap_or_default();
        let len = inline.len() + bytes.len();
        let mut heap = Vec::with_capacity(FIRST_HEAP_BYTES.max(len));
        heap.extend_from_slice(inline);
        heap.extend_from_slice(bytes);
        self.len = SPILLED;
        self.heap = Some(Box::new(heap));
    }

    /// Forgets all bytes, and gives the heap back.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.heap = None;
    }

    /// Forgets all but the first `len` bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        match &mut self.heap {
            None => self.len = self.len.min(u32::try_from(len).unwrap_or(u32::MAX)),
            Some(heap) => heap.truncate(len),
        }
    }
}

/// The largest character boundary of `text` that is not beyond `limit_bytes`.
#[inline]
pub(crate) fn floor_char_boundary(text: &str, limit_bytes: usize) -> usize {
    if limit_bytes >= text.len() {
        return text.len();
    }
    floor_char_boundary_below(text, limit_bytes)
}

#[cold]
fn floor_char_boundary_below(text: &str, limit_bytes: usize) -> usize {
    (0..=limit_bytes).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_holds_what_a_vector_would(
            steps in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..90), 0..400_usize), 0..12)
        ) {
            let (mut buf, mut model) = (ByteBuf::new(), Vec::new());
            for (bytes, len) in steps {
                buf.push(&bytes);
                model.extend_from_slice(&bytes);
                prop_assert_eq!(buf.as_slice(), &model);
                buf.truncate(len);
                model.truncate(len);
                prop_assert_eq!(buf.as_mut_slice(), &mut model[..]);
                prop_assert_eq!(buf.len(), model.len());
            }
        }
    }
}
