//! The program itself: starts, kills, ends, and real senders against it.

mod forwarder;
mod life;
mod senders;
mod support;
