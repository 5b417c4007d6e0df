//! Draft: a configuration in the making: layer over layer, then checked as a whole.
//!
//! Knows the order of the layers (defaults, file, environment, program) and reads the file. All
//! mistakes of all layers are reported at once, by [`finish`](Draft::finish).

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::LoggingConfig;
use super::check;
use super::names::{CONFIG, NAMES};
use crate::base::error::Error;
use crate::base::selflog;
use logwell_options::env::{self, Variables};
use logwell_options::file;
use logwell_options::raw_value::Problem;
use logwell_options::read::{self, Absent};
use logwell_options::report::{Place, Report};
use logwell_options::section::Section;
use logwell_options::yaml::Node;

/// Sections that this build does not have, each named like the cargo feature that brings it.
const ABSENT: &[Absent<'_>] = match (cfg!(feature = "forward"), cfg!(feature = "metrics")) {
    (true, true) => &[],
    (true, false) => &[METRICS],
    (false, true) => &[FORWARD],
    (false, false) => &[FORWARD, METRICS],
};
const FORWARD: Absent<'_> = Absent { section: "forward", feature: "forward", switch: "enabled" };
/// By default it is enabled: without its page nobody would miss it.
const METRICS: Absent<'_> = Absent { section: "metrics", feature: "metrics", switch: "listen" };

/// A configuration in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) config: LoggingConfig,
    report: Report,
    /// A file that could not be read; it is reported before all mistakes.
    unreadable: Option<Error>,
}

impl Draft {
    /// Begins with a configuration made by the program.
    pub(super) fn of(config: LoggingConfig) -> Self {
        Self { config, ..Self::default() }
    }

    /// Lays the file over what is there. At most one file can be read.
    pub(super) fn file(&mut self, path: &Path) {
        match file::read(path, &mut self.report) {
            Ok(tree) => self.tree(tree),
            Err(source) => {
                let help = "is it the right path, and may this user read it?";
                self.unreadable =
                    Some(Error::path("read the configuration file", path, source, help));
            }
        }
    }

    /// Lays a YAML text over what is there.
    pub(super) fn yaml(&mut self, path: &Path, text: String) {
        let tree = file::parse(path, text, &mut self.report);
        self.tree(tree);
    }

    fn tree(&mut self, tree: Option<Node>) {
        let Some(mut tree) = tree else { return };
        for absent in ABSENT {
            if let Some(section) = tree.take(absent.section) {
                absent.refuse(&section, &mut self.report);
            }
        }
        read::read(&mut self.config.entries(), &tree, &mut self.report);
    }

    /// Lays environment variables over what is there.
    pub(super) fn env(&mut self, variables: &Variables) {
        env::read(&mut self.config, &NAMES, variables, &mut self.report);
    }

    /// Lays a value of the program over what is there.
    pub(super) fn code(&mut self, key: &str, set: impl FnOnce(&mut LoggingConfig)) {
        set(&mut self.config);
        self.report.give(key, Place::Code);
    }

    /// Notes that the program gave a wrong value.
    pub(super) fn wrong_code(&mut self, key: &str, wrong: Problem) {
        self.report.fault(Place::Code, key, wrong);
    }

    /// The configuration, if nothing is wrong with it.
    pub(super) fn finish(mut self) -> Result<LoggingConfig, Error> {
        for (kind, text) in self.report.remarks() {
            selflog::tell(kind, text);
        }
        if let Some(error) = self.unreadable {
            return Err(error);
        }
        check::check(&mut self.config, &mut self.report);
        self.report.finish().map_err(Error::config)?;
        Ok(self.config)
    }
}

/// Defaults, then the file (`LOG_CONFIG`, else `default_file` if there is one), then variables.
pub(super) fn discover(variables: &Variables, default_file: &Path) -> Draft {
    let mut draft = Draft::default();
    match variables.get(CONFIG) {
        Some(path) => draft.file(Path::new(path)),
        None if is_there(default_file) => draft.file(default_file),
        None => {}
    }
    draft.env(variables);
    draft
}

/// Whether something is there, even if it cannot be read: that must be reported, not passed over.
fn is_there(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if is_absence(&error))
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
