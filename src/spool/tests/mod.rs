//! The whole: what is taken comes out, whatever happens to the disk.

mod basic;
