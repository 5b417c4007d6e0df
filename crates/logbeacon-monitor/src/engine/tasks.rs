//! Tasks: pings and the passing of time change the states of tasks, in the commits of all else.
//!
//! Knows: which tasks there are, and in which times the monitor was away. Must not know: verdicts.
//! In: pings; out: rows, and samples for rules.

use super::Engine;
use crate::rule::Sample;
use crate::tables::{Key, Row};
use crate::tasks::{Ping, TaskState, Unobserved};
use crate::time::Reading;

impl Engine {
    /// Takes a ping of a task. It is on disk when this returns.
    ///
    /// # Errors
    ///
    /// There is no such task.
    pub fn ping(&mut self, reading: Reading, id: &str, ping: &Ping) -> Result<(), String> {
        self.pass(reading);
        let task = self.setup.tasks.get(id).ok_or("there is no such task")?;
        let now_ms = self.now().wall_ms;
        let state = self.tables.tasks.get(id).cloned();
        let mut state = state.unwrap_or_else(|| TaskState::new(task, now_ms));
        state.ping(task, ping, &self.unobserved());
        self.tables.put(Row::Task(state));
        self.commit();
        Ok(())
    }

    /// What rules see of all tasks: `task.problem`, 1 or 0 with the labels `task` and `problem`,
    /// and `task.failed_percent` of the last 20 runs.
    #[must_use]
    pub fn task_metrics(&self) -> [(&'static str, Vec<Sample>); 2] {
        let tasks = || self.tables.tasks.values();
        [
            ("task.problem", tasks().flat_map(TaskState::samples).collect()),
            ("task.failed_percent", tasks().map(TaskState::failed_percent).collect()),
        ]
    }

    pub(super) fn judge_tasks(&mut self) {
        let (now_ms, gaps) = (self.now().wall_ms, self.unobserved());
        let judged = self.setup.tasks.values().filter_map(|task| {
            let before = self.tables.tasks.get(&task.id)?;
            let mut after = before.clone();
            after.judge(task, now_ms, &gaps);
            (after != *before).then_some(after)
        });
        let judged: Vec<_> = judged.collect();
        judged.into_iter().for_each(|state| self.tables.put(Row::Task(state)));
    }

    /// New tasks are known from now on, removed ones are forgotten.
    pub(super) fn install_tasks(&mut self) {
        let now_ms = self.now().wall_ms;
        let is_gone = |id: &&String| !self.setup.tasks.contains_key(*id);
        let gone: Vec<_> = self.tables.tasks.keys().filter(is_gone).cloned().collect();
        let states = self.setup.tasks.values().filter_map(|task| {
            let before = self.tables.tasks.get(&task.id);
            let mut after = before.cloned().unwrap_or_else(|| TaskState::new(task, now_ms));
            after.reschedule(task, now_ms);
            (Some(&after) != before).then_some(after)
        });
        let states: Vec<_> = states.collect();
        states.into_iter().for_each(|state| self.tables.put(Row::Task(state)));
        gone.into_iter().for_each(|id| self.tables.remove(Key::Task(id)));
    }

    /// The times in which the monitor was away.
    fn unobserved(&self) -> Vec<Unobserved> {
        self.tables.gaps.values().map(|gap| (gap.from_ms, gap.to_ms)).collect()
    }
}
