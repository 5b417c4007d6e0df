//! Chunks: one that is closed and done is given back, once, and by then nobody else is at it.

use super::Model;
use crate::chunks::{Chunks, Emptied};
use crate::sync::channel::{Receiver, Sender, bounded};
use crate::sync::thread::{JoinHandle, spawn};
use loom::cell::UnsafeCell;
use std::sync::Arc;

pub(super) const ALL: [Model; 2] = [
    Model {
        name: "a chunk that is used again and again is free in the end",
        preemptions: None,
        run: || {
            let (black_box, sender, receiver) = black_box(1);
            let writer = black_box.writer(sender, &[2, 1]);
            black_box.listen(&receiver, writer);
            black_box.assert_all_are_free();
        },
    },
    Model {
        name: "two threads that write at once never have one chunk",
        preemptions: Some(4),
        run: || {
            let (black_box, sender, receiver) = black_box(2);
            let other = black_box.writer(sender.clone(), &[1]);
            let writer = black_box.writer(sender, &[1, 1]);
            black_box.listen(&receiver, other);
            black_box.listen(&receiver, writer);
            black_box.assert_all_are_free();
        },
    },
];

struct BlackBox {
    chunks: Chunks,
    pages: Vec<Page>,
}

/// What is in a chunk. loom tells when two threads are at one part of it at once.
#[derive(Default)]
struct Page {
    entries: Part,
    /// How many of them are done.
    done: Part,
}

#[derive(Default)]
struct Part(UnsafeCell<()>);

impl Part {
    fn write(&self) {
        self.0.with_mut(|_| ());
    }
}

#[expect(
    clippy::arc_with_non_send_sync,
    reason = "the threads of loom take turns on one real thread"
)]
fn black_box(chunks: u16) -> (Arc<BlackBox>, Sender<u16>, Receiver<u16>) {
    let pages = (0..chunks).map(|_| Page::default()).collect();
    let (sender, receiver) = bounded(8);
    (Arc::new(BlackBox { chunks: Chunks::new(chunks), pages }), sender, receiver)
}

impl BlackBox {
    fn page(&self, chunk: u16) -> &Page {
        &self.pages[usize::from(chunk)]
    }

    fn free(&self, emptied: Option<Emptied>) {
        if let Some(emptied) = emptied {
            let Page { entries, done } = self.page(emptied.chunk());
            entries.write();
            done.write();
            self.chunks.give_back(emptied);
        }
    }

    /// A thread that writes so many entries into one chunk, so many into the next. If there is no
    /// chunk, it does without.
    fn writer(self: &Arc<Self>, sender: Sender<u16>, entries: &'static [u32]) -> JoinHandle<()> {
        let black_box = Arc::clone(self);
        spawn(move || {
            for &entries in entries {
                let Some((chunk, _)) = black_box.chunks.take() else { continue };
                for _ in 0..entries {
                    black_box.page(chunk).entries.write();
                    sender.try_send(chunk).unwrap();
                }
                // A callsite, say, of a record for which there was no room any more.
                black_box.page(chunk).entries.write();
                black_box.free(black_box.chunks.close(chunk, entries));
            }
        })
    }

    /// Is done with all that is told, while the writer writes and after.
    fn listen(&self, told: &Receiver<u16>, writer: JoinHandle<()>) {
        let is_done = |chunk| {
            self.page(chunk).done.write();
            self.free(self.chunks.done(chunk, 1));
        };
        std::iter::from_fn(|| told.try_recv().ok()).for_each(is_done);
        writer.join().unwrap();
        std::iter::from_fn(|| told.try_recv().ok()).for_each(is_done);
    }

    fn assert_all_are_free(&self) {
        let mut free: Vec<_> =
            std::iter::from_fn(|| self.chunks.take()).map(|(at, _)| at).collect();
        free.sort_unstable();
        assert!(free.iter().copied().eq(0..self.pages.len() as u16), "{free:?}");
    }
}
