//! Options: the console.

use crate::base::zone::TimeZone;
use crate::record::directives::Directives;
use crate::record::directives::sink_levels;
use crate::record::level::Level;
use logwell_options::choices;
use logwell_options::section;
use logwell_options::units::{KIB, MIB};
use logwell_options::value::{bytes, choice, count, flag};

section! {
    /// The terminal, or the container's standard output.
    pub struct ConsoleConfig {
        /// Whether records are shown on the console.
        enabled: bool = true => flag();
        /// What goes to the console, out of what `level` lets pass. No span directives here.
        level: Directives = Level::Info.into() => sink_levels();
        /// Which stream is written to.
        stream: Stream = Stream::Stdout => choice();
        /// How a record looks.
        format: ConsoleFormat = ConsoleFormat::Auto => choice();
        /// Whether text is coloured. JSON never is.
        color: Color = Color::Auto => choice();
        /// In which zone text shows the time. JSON is always in UTC.
        time: TimeZone = TimeZone::Local => choice();
        /// How long a JSON line may be, in bytes; longer ones are cut and say so.
        /// The default stays below the 16 KiB at which container runtimes split lines.
        max_line_bytes: usize = 16_000 => bytes(KIB, MIB);
        /// How many lines wait for a slow terminal, up to 16 MiB of them. Lines that do not fit are
        /// dropped and counted; the files continue.
        buffer_lines: usize = 10_000 => count(1, 1_000_000);
    }
}

choices! {
    /// A standard stream of the process.
    pub enum Stream: Stdout {
        /// standard output
        Stdout = "stdout",
        /// standard error: for programs whose output is data
        Stderr = "stderr",
    }
}

choices! {
    /// How a record looks on the console.
    pub enum ConsoleFormat: Auto {
        /// text on a terminal, JSON otherwise
        Auto = "auto",
        /// a line to read
        Text = "text",
        /// the line of the files
        Json = "json",
    }
}

choices! {
    /// Whether the console's text is coloured.
    pub enum Color: Auto {
        /// on a terminal, unless NO_COLOR is set or TERM is dumb
        Auto = "auto",
        /// in pipes and files too
        Always = "always",
        /// not at all
        Never = "never",
    }
}
