//! Level name: what people call a level on the command line.

use clap::ValueEnum;

/// A level by its name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LevelName {
    Trace,
    Debug,
    Info,
    #[value(alias = "warning")]
    Warn,
    #[value(alias = "err")]
    Error,
    #[value(alias = "crit", alias = "fatal")]
    Critical,
}

impl LevelName {
    pub(crate) fn level(self) -> logwell::Level {
        match self {
            Self::Trace => logwell::Level::Trace,
            Self::Debug => logwell::Level::Debug,
            Self::Info => logwell::Level::Info,
            Self::Warn => logwell::Level::Warn,
            Self::Error => logwell::Level::Error,
            Self::Critical => logwell::Level::Critical,
        }
    }
}
