//! Stages: the parts of a long command, each shown with its seconds, and what was left out.
//!
//! Knows no stage.

use crate::program::Outcome;
use std::time::{Duration, Instant};

/// What has been run so far.
#[derive(Default)]
pub(crate) struct Stages {
    done: Vec<(String, Duration)>,
    left_out: Vec<String>,
}

impl Stages {
    /// Runs a stage; its failure ends the command.
    pub(crate) fn run(&mut self, name: &str, stage: impl FnOnce() -> Outcome) -> Outcome {
        println!("==> {name}");
        let start = Instant::now();
        let outcome = stage();
        self.done.push((name.to_owned(), start.elapsed()));
        outcome.map_err(|error| format!("{}\n{name}: {error}", self.summary()).into())
    }

    /// Notes what this command does not run, to be said at the end.
    pub(crate) fn leave_out(&mut self, what: impl Into<String>) {
        self.left_out.push(what.into());
    }

    /// Prints what was run, the seconds, and what was left out.
    pub(crate) fn finish(self) -> Outcome {
        println!("{}", self.summary());
        Ok(())
    }

    fn summary(&self) -> String {
        let mut lines = vec![String::new()];
        let sum: Duration = self.done.iter().map(|(_, time)| *time).sum();
        let shown = self.done.iter().map(|(name, time)| (name.as_str(), *time));
        for (name, time) in shown.chain([("in all", sum)]) {
            lines.push(format!("{:>8.1} s  {name}", time.as_secs_f64()));
        }
        lines.extend(self.left_out.iter().map(|what| format!("LEFT OUT  {what}")));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_each_stage_the_sum_and_what_was_left_out() {
        let mut stages = Stages::default();
        stages.run("format", || Ok(())).unwrap();
        stages.leave_out("models");
        let error = stages.run("tests", || Err("broken".into())).unwrap_err().to_string();
        let found = |part: &str| error.contains(part);
        assert!(found("s  format\n") && found("s  in all\nLEFT OUT  models"), "{error}");
        assert!(error.ends_with("tests: broken"), "{error}");
    }
}
