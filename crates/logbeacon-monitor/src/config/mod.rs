//! Config: `monitor.yaml` becomes what the engine works by, or a list of problems with places.
//!
//! Knows: the sections of the file. Must not know: the engine, nor where the file is kept. In: a
//! text; out: a configuration, or every problem with file, line, key and what to write instead.

use crate::checks::Check;
use crate::matcher::Matcher;
use crate::rule::{Evaluation, Sample};
use crate::setup::Setup;
use build::Wrong;
use logwell_options::problem::ConfigProblem;
use logwell_options::raw_value::Problem;
use logwell_options::read::{read_at, unknown_key};
use logwell_options::report::{Place, Report};
use logwell_options::section::Section;
use logwell_options::yaml::{self, Node, Value};
use options::{
    ChannelOptions, CheckOptions, MessageOptions, RuleOptions, TargetOptions, TaskOptions,
    WindowOptions,
};
use std::collections::BTreeMap;
use std::path::Path;

mod build;
pub mod options;
mod shipped;
pub mod values;
mod watch;

pub use watch::Watch;

/// What `monitor.yaml` says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MonitorConfig {
    /// What the engine works by.
    pub setup: Setup,
    /// What each rule looks at, by its id.
    pub sources: BTreeMap<String, Source>,
    /// Checks by id.
    pub checks: BTreeMap<String, Check>,
}

/// What a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The metric.
    pub metric: String,
    /// Which of its series.
    pub matchers: Vec<Matcher>,
}

impl MonitorConfig {
    /// Reads the text of a file; the path is for messages. `now_ms` is the time since 1970, by
    /// which schedules are checked. An empty text is the shipped rules and nothing else.
    ///
    /// # Errors
    ///
    /// Every problem of the file, in the order of its lines.
    pub fn parse(path: &Path, text: &str, now_ms: i64) -> Result<Self, Vec<ConfigProblem>> {
        let mut reader = Reader { report: Report::default(), now_ms };
        reader.report.file = Some((path.to_owned(), text.to_owned()));
        let mut config = Self::default();
        match yaml::parse(text) {
            Ok(mut tree) => {
                join_lists(&mut tree);
                config = reader.read(&tree);
            }
            Err(error) => {
                let place = Place::At(error.line, error.column);
                let wrong = Problem { problem: error.problem, help: error.help.to_owned() };
                reader.report.fault(place, "", wrong);
            }
        }
        reader.report.finish().map(|()| config)
    }

    /// The evaluation of each rule, by what was measured of each metric. A metric that nobody
    /// measures has no series, which is no error.
    #[must_use]
    pub fn evaluate(
        &self,
        measured: &BTreeMap<String, Result<Vec<Sample>, String>>,
    ) -> Vec<Evaluation> {
        let evaluation = |(rule, source): (&String, &Source)| {
            let result = match measured.get(&source.metric) {
                None => Ok(Vec::new()),
                Some(Err(reason)) => Err(reason.clone()),
                Some(Ok(samples)) => Ok(source.of(samples)),
            };
            Evaluation { rule: rule.clone(), result }
        };
        self.sources.iter().map(evaluation).collect()
    }
}

impl Source {
    fn of(&self, samples: &[Sample]) -> Vec<Sample> {
        let matches = |sample: &&Sample| {
            self.matchers.iter().all(|matcher| matcher.is_match_of(&sample.labels))
        };
        samples.iter().filter(matches).cloned().collect()
    }
}

/// Reads a tree and collects what is wrong with it.
struct Reader {
    report: Report,
    now_ms: i64,
}

impl Reader {
    fn read(&mut self, tree: &Node) -> MonitorConfig {
        let mut config = MonitorConfig::default();
        let mut rules = shipped::shipped();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut messages = MessageOptions::default();
        for (key, node) in self.pairs(tree, "") {
            let setup = &mut config.setup;
            match key.as_str() {
                "messages" => read_at(&mut messages.entries(), node, "messages", &mut self.report),
                "targets" => self.targets(node, setup),
                "rules" => self.rules(node, &mut rules, &mut places),
                "checks" => self.checks(node, &mut config.checks),
                "tasks" => self.tasks(node, setup),
                "channels" => self.channels(node, setup),
                "maintenance" => self.maintenance(node, setup),
                other => {
                    let wrong = unknown_key(other, &SECTIONS);
                    self.report.fault(Place::Node(node.number), other, wrong);
                }
            }
        }
        config.setup.waits = build::waits(&messages);
        for (id, options) in rules.iter().filter(|(_, options)| options.enabled) {
            match build::rule(id, options) {
                Ok(rule) => {
                    let (metric, matchers) = (options.metric.clone(), options.only.clone());
                    config.sources.insert(id.clone(), Source { metric, matchers });
                    config.setup.rules.insert(id.clone(), rule);
                }
                Err(wrong) => self.wrong(places.get(id).copied(), &format!("rules.{id}"), wrong),
            }
        }
        config
    }

    fn rules(
        &mut self,
        node: &Node,
        rules: &mut BTreeMap<String, RuleOptions>,
        places: &mut BTreeMap<String, usize>,
    ) {
        for (id, node) in self.named(node, "rules") {
            let options = rules.entry(id.clone()).or_default();
            read_at(&mut options.entries(), node, &format!("rules.{id}"), &mut self.report);
            places.insert(id, node.number);
        }
    }

    fn targets(&mut self, node: &Node, setup: &mut Setup) {
        for (id, node) in self.named(node, "targets") {
            let mut options = TargetOptions::default();
            let key = format!("targets.{id}");
            read_at(&mut options.entries(), node, &key, &mut self.report);
            setup.parents.insert(id, options.depends_on);
        }
        let unknown = setup.parents.iter().find_map(|(id, parents)| {
            let unknown = parents.iter().find(|parent| !setup.parents.contains_key(*parent))?;
            Some((id.clone(), unknown.clone()))
        });
        if let Some((id, unknown)) = unknown {
            let known: Vec<_> = setup.parents.keys().map(String::as_str).collect();
            let wrong = Problem {
                problem: format!("{unknown:?} is not a target"),
                help: unknown_key(&unknown, &known).help,
            };
            let key = format!("targets.{id}.depends_on");
            self.report.fault(self.report.place(&[&key]), &key, wrong);
        }
        if let Some(circle) = build::circle(&setup.parents) {
            let wrong = Problem {
                problem: format!("targets depend on themselves: {}", circle.join(" → ")),
                help: "take one of these out".to_owned(),
            };
            self.report.fault(Place::Node(node.number), "targets", wrong);
        }
        setup.parents.retain(|_, parents| !parents.is_empty());
    }

    fn tasks(&mut self, node: &Node, setup: &mut Setup) {
        for (id, node) in self.named(node, "tasks") {
            let mut options = TaskOptions::default();
            let key = format!("tasks.{id}");
            read_at(&mut options.entries(), node, &key, &mut self.report);
            match build::task(&id, &options, self.now_ms) {
                Ok(task) => drop(setup.tasks.insert(id, task)),
                Err(wrong) => self.wrong(Some(node.number), &key, wrong),
            }
        }
    }

    fn checks(&mut self, node: &Node, checks: &mut BTreeMap<String, Check>) {
        for (id, node) in self.named(node, "checks") {
            let mut options = CheckOptions::default();
            let key = format!("checks.{id}");
            read_at(&mut options.entries(), node, &key, &mut self.report);
            match build::check(&id, &options) {
                Ok(check) => drop(checks.insert(id, check)),
                Err(wrong) => self.wrong(Some(node.number), &key, wrong),
            }
        }
    }

    fn channels(&mut self, node: &Node, setup: &mut Setup) {
        for (id, node) in self.named(node, "channels") {
            let mut options = ChannelOptions::default();
            let key = format!("channels.{id}");
            read_at(&mut options.entries(), node, &key, &mut self.report);
            setup.channels.insert(id.clone(), build::channel(&id, &options));
        }
    }

    fn maintenance(&mut self, node: &Node, setup: &mut Setup) {
        for (id, node) in self.named(node, "maintenance") {
            let mut options = WindowOptions::default();
            let key = format!("maintenance.{id}");
            read_at(&mut options.entries(), node, &key, &mut self.report);
            match build::window(&id, &options) {
                Ok(window) => setup.maintenance.push(window),
                Err(wrong) => self.wrong(Some(node.number), &key, wrong),
            }
        }
    }

    /// The entries of a section whose keys the user chose.
    fn named<'n>(&mut self, node: &'n Node, section: &str) -> Vec<(String, &'n Node)> {
        let mut pairs = self.pairs(node, section);
        pairs.retain(|(id, node)| {
            let is_name = !id.is_empty()
                && id.len() <= NAME_BYTES
                && id.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
            if !is_name {
                let help = "letters, digits, `-`, `_` and `.`, at most 100 bytes".to_owned();
                let wrong = Problem { problem: "is not a name".to_owned(), help };
                self.report.fault(Place::Node(node.number), &format!("{section}.{id}"), wrong);
            }
            is_name
        });
        pairs
    }

    fn pairs<'n>(&mut self, node: &'n Node, section: &str) -> Vec<(String, &'n Node)> {
        let Value::Map(pairs) = &node.value else {
            if node.value != Value::Null {
                let problem = "is not a section".to_owned();
                let help = "write names with their options below it".to_owned();
                let wrong = Problem { problem, help };
                self.report.fault(Place::Node(node.number), section, wrong);
            }
            return Vec::new();
        };
        let mut found: Vec<(String, &Node)> = Vec::new();
        for (key, value) in pairs {
            let Some(name) = scalar(&key.value) else { continue };
            if found.iter().any(|(other, _)| *other == name) {
                let help = "keep one of the two".to_owned();
                let wrong = Problem { problem: "is given twice".to_owned(), help };
                self.report.fault(Place::Node(key.number), &name, wrong);
            } else {
                found.push((name, value));
            }
        }
        found
    }

    fn wrong(&mut self, node: Option<usize>, section: &str, wrong: Wrong) {
        let key = match wrong.option {
            "" => section.to_owned(),
            option => format!("{section}.{option}"),
        };
        // A value that could not be read is no second mistake.
        if self.report.is_faulty(&key) {
            return;
        }
        let place = match self.report.place(&[&key]) {
            Place::Code => node.map_or(Place::Code, Place::Node),
            place => place,
        };
        let help = wrong.help.to_owned();
        self.report.fault(place, &key, Problem { problem: wrong.problem, help });
    }
}

/// Lists of plain values are taken as texts with commas, as they may be written too.
fn join_lists(node: &mut Node) {
    match &mut node.value {
        Value::Map(pairs) => pairs.iter_mut().for_each(|(_, value)| join_lists(value)),
        Value::List(items) => {
            let texts: Option<Vec<_>> = items.iter().map(|item| scalar(&item.value)).collect();
            if let Some(texts) = texts.filter(|texts| !texts.iter().any(|it| it.contains(','))) {
                node.value = Value::Text(texts.join(", "));
            }
        }
        _ => {}
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Whole(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

const SECTIONS: [&str; 7] =
    ["messages", "targets", "checks", "rules", "tasks", "channels", "maintenance"];
const NAME_BYTES: usize = 100;

#[cfg(test)]
mod tests;
