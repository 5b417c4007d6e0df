//! Eval: evaluates a filter over a row group, column by column.
//!
//! Knows: filters, and columns as values. Must not know: which groups there are, pipes. In: a
//! filter and a row group. Out: the rows that match, as [`Filter::matches`] would say.

use super::mask::Mask;
use super::prune::column_may_match;
use crate::part::view::{View, batch_times};
use crate::part::{Kind, MESSAGE, Part, REST, TEMPLATE, TIME, decides, rest_fields, unhex};
use crate::record::is_well_known;
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use logwell_query::{Filter, LEVEL, Level, LevelSet, Meaning, Names, Test, TimeRange, ValueRef};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

/// A row group whose columns are read as they are needed, each once.
pub(crate) struct GroupReader<'a> {
    pub(crate) part: &'a Part,
    pub(crate) group: usize,
    rows: usize,
    columns: RefCell<HashMap<usize, Rc<View>>>,
    times: RefCell<Option<Rc<RecordBatch>>>,
    read_bytes: Cell<u64>,
}

impl<'a> GroupReader<'a> {
    pub(crate) fn new(part: &'a Part, group: usize) -> Self {
        let rows = part.groups.get(group).map_or(0, |group| group.rows as usize);
        Self {
            part,
            group,
            rows,
            columns: RefCell::default(),
            times: RefCell::default(),
            read_bytes: Cell::new(0),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The bytes of the file that were read.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes.get()
    }

    /// The column `time`.
    pub(crate) fn times(&self) -> io::Result<Rc<RecordBatch>> {
        if let Some(times) = &*self.times.borrow() {
            return Ok(Rc::clone(times));
        }
        let column = self.part.column(TIME).ok_or_else(|| missing(TIME))?;
        let batch = Rc::new(self.read(column)?);
        *self.times.borrow_mut() = Some(Rc::clone(&batch));
        Ok(batch)
    }

    /// A column's values.
    pub(crate) fn column(&self, column: usize, kind: Kind) -> io::Result<Rc<View>> {
        if let Some(view) = self.columns.borrow().get(&column) {
            return Ok(Rc::clone(view));
        }
        let batch = self.read(column)?;
        let view = batch.columns().first().and_then(|array| View::of(array, kind));
        let view = Rc::new(view.ok_or_else(|| missing(self.part.schema().field(column).name()))?);
        self.columns.borrow_mut().insert(column, Rc::clone(&view));
        Ok(view)
    }

    fn read(&self, column: usize) -> io::Result<RecordBatch> {
        let bytes = self.part.column_bytes(self.group, &[column]);
        self.read_bytes.set(self.read_bytes.get() + bytes);
        self.part.read(self.group, &[column], None)
    }

    /// The rows that the filter matches, among the candidates.
    pub(crate) fn matching(&self, filter: &Filter, candidates: Mask) -> io::Result<Mask> {
        if candidates.is_empty() {
            return Ok(candidates);
        }
        match filter {
            Filter::All => Ok(candidates),
            Filter::And(parts) => {
                // The cheap ones first: each leaves fewer candidates to the next.
                let mut parts: Vec<&Filter> = parts.iter().collect();
                parts.sort_by_key(|part| self.cost(part));
                parts.into_iter().try_fold(candidates, |left, part| self.matching(part, left))
            }
            Filter::Or(parts) => {
                let mut found = Mask::none(self.rows);
                for part in parts {
                    let left = candidates.clone().and(&found.clone().not());
                    found = found.or(&self.matching(part, left)?);
                }
                Ok(found)
            }
            Filter::Not(part) => {
                let found = self.matching(part, candidates.clone())?;
                Ok(candidates.and(&found.not()))
            }
            Filter::Time(range) => self.in_range(*range, candidates),
            Filter::Level(set) => self.of_levels(*set, candidates),
            Filter::Field(names, test) => self.fields(names, test, candidates),
            Filter::Text(test) => self.texts(test, candidates),
        }
    }

    fn in_range(&self, range: TimeRange, mut candidates: Mask) -> io::Result<Mask> {
        let Some(group) = self.part.groups.get(self.group) else { return Ok(candidates) };
        if range.contains(group.first_ns) && range.contains(group.last_ns) {
            return Ok(candidates);
        }
        let batch = self.times()?;
        let times = batch_times(&batch);
        candidates.retain(|row| times.get(row).is_some_and(|time| range.contains(*time)));
        Ok(candidates)
    }

    fn of_levels(&self, set: LevelSet, candidates: Mask) -> io::Result<Mask> {
        let is_in = |level: &str| Level::parse(level).is_some_and(|level| set.contains(level));
        match self.part.column(LEVEL) {
            None => Ok(Mask::none(self.rows)),
            Some(column) => {
                let view = self.column(column, Kind::Text)?;
                Ok(select(&view, candidates, |value| is_in(&value.text())))
            }
        }
    }

    /// The rows in which the test holds for one of the fields.
    fn fields(&self, names: &Names, test: &Test, candidates: Mask) -> io::Result<Mask> {
        let mut found = Mask::none(self.rows);
        if names.contain(TIME) {
            let batch = self.times()?;
            let times = batch_times(&batch);
            let holds = |row: usize| {
                let time = times.get(row).map(|time| ValueRef::Time(*time));
                test.matches(time)
            };
            found = candidates.clone();
            found.retain(holds);
        }
        let named: Vec<&str> = match names {
            Names::One(name) => vec![name.as_str()],
            names => self.part.field_names().filter(|name| names.contain(name)).collect(),
        };
        for (column, kind) in named.iter().flat_map(|name| self.part.columns_of(name)) {
            let left = candidates.clone().and(&found.clone().not());
            found = found.or(&self.holds(*column, *kind, test, left)?);
        }
        if self.part.rest.iter().any(|name| names.contain(name)) {
            let left = candidates.and(&found.clone().not());
            let holds =
                |name: &str, value: ValueRef<'_>| names.contain(name) && test.matches(Some(value));
            found = found.or(&self.in_rest(&holds, left)?);
        }
        Ok(found)
    }

    /// The rows in which the test holds for some text.
    fn texts(&self, test: &Test, candidates: Mask) -> io::Result<Mask> {
        let mut found = Mask::none(self.rows);
        let mut columns: Vec<(usize, Kind)> = Vec::new();
        for name in self.part.field_names().filter(|name| Filter::searches(name)) {
            columns.extend(self.part.columns_of(name));
        }
        columns.retain(|(_, kind)| matches!(kind, Kind::Text | Kind::Json | Kind::Id));
        // The message first: a match there saves the rest.
        let message = self.part.column(MESSAGE);
        columns.sort_by_key(|(column, kind)| (Some(*column) != message, *kind, *column));
        for (column, kind) in columns {
            let left = candidates.clone().and(&found.clone().not());
            found = found.or(&self.holds(column, kind, test, left)?);
        }
        if !self.part.rest.is_empty() {
            let left = candidates.and(&found.clone().not());
            let holds = |name: &str, value: ValueRef<'_>| {
                Filter::searches(name) && value.as_text().is_some() && test.matches(Some(value))
            };
            found = found.or(&self.in_rest(&holds, left)?);
        }
        Ok(found)
    }

    /// The candidates for whose value in a column the test holds.
    fn holds(&self, column: usize, kind: Kind, test: &Test, candidates: Mask) -> io::Result<Mask> {
        if candidates.is_empty() || kind == Kind::Id && !could_be_in_id(test) {
            return Ok(Mask::none(self.rows));
        }
        let is_text = matches!(kind, Kind::Text | Kind::Json);
        if is_text && self.part.schema().field(column).name() != LEVEL {
            let need = Filter::Text(test.clone()).needs();
            if !column_may_match(self.part, (self.group, column), &need)? {
                return Ok(Mask::none(self.rows));
            }
        }
        if Some(column) == self.part.column(MESSAGE) {
            return self.in_message(column, test, candidates);
        }
        if let (Kind::Id, Some(id)) = (kind, exact_id(test)) {
            return self.with_id(column, &id, candidates);
        }
        let view = self.column(column, kind)?;
        Ok(select(&view, candidates, |value| test.matches(Some(value))))
    }

    /// The candidates that have the id, which is compared as bytes.
    fn with_id(&self, column: usize, id: &[u8], mut candidates: Mask) -> io::Result<Mask> {
        let batch = self.read(column)?;
        let array = batch.columns().first().and_then(|array| array.as_fixed_size_binary_opt());
        match array.filter(|array| array.value_length() as usize == id.len()) {
            Some(array) => candidates.retain(|row| array.is_valid(row) && array.value(row) == id),
            None => candidates = Mask::none(self.rows),
        }
        Ok(candidates)
    }

    /// As [`GroupReader::holds`], for messages: their templates are asked first.
    fn in_message(&self, column: usize, test: &Test, candidates: Mask) -> io::Result<Mask> {
        let by_template = matches!(test, Test::Phrase(phrase)
            if !phrase.is_prefix() && phrase.words().iter().all(|word| decides(word)));
        let template = self.part.column(TEMPLATE).filter(|_| by_template);
        let Some(template) = template else {
            let view = self.column(column, Kind::Text)?;
            return Ok(select(&view, candidates, |value| test.matches(Some(value))));
        };
        let templates = self.column(template, Kind::Text)?;
        let found = select(&templates, candidates.clone(), |value| test.matches(Some(value)));
        let mut without = candidates;
        without.retain(|row| templates.value(row).is_none());
        if without.is_empty() {
            return Ok(found);
        }
        let view = self.column(column, Kind::Text)?;
        Ok(found.or(&select(&view, without, |value| test.matches(Some(value)))))
    }

    /// The candidates for some of whose rare fields `holds` is true.
    fn in_rest(
        &self,
        holds: &dyn Fn(&str, ValueRef<'_>) -> bool,
        mut candidates: Mask,
    ) -> io::Result<Mask> {
        let Some(column) = self.part.column(REST) else { return Ok(Mask::none(self.rows)) };
        let view = self.column(column, Kind::Text)?;
        candidates.retain(|row| {
            let object = view.value(row).map(|value| value.text().into_owned());
            let fields = object.map(|object| rest_fields(&object)).unwrap_or_default();
            fields.iter().any(|(name, value)| holds(name, value.as_ref()))
        });
        Ok(candidates)
    }

    /// How expensive a filter is, to order by.
    fn cost(&self, filter: &Filter) -> u32 {
        match filter {
            Filter::All => 0,
            Filter::Time(_) => 1,
            Filter::Level(_) => 2,
            Filter::Field(Names::One(name), _) if name == MESSAGE => 20,
            Filter::Field(Names::One(name), _) if is_well_known(name) => 3,
            Filter::Field(Names::One(_), _) => 5,
            Filter::Field(..) => 30,
            Filter::Text(_) => 40,
            Filter::Not(part) => self.cost(part),
            Filter::And(parts) | Filter::Or(parts) => {
                parts.iter().map(|part| self.cost(part)).sum()
            }
        }
    }
}

/// The candidates whose value passes. A value of a dictionary is asked once.
fn select(view: &View, mut candidates: Mask, mut passes: impl FnMut(ValueRef<'_>) -> bool) -> Mask {
    match view {
        View::Codes(codes, texts, is_json) => {
            let value = |text| match is_json {
                true => ValueRef::Json(text),
                false => ValueRef::Text(text),
            };
            let passing: Vec<bool> =
                (0..texts.len()).map(|at| passes(value(texts.value(at)))).collect();
            if !passing.contains(&true) {
                return Mask::of(codes.len(), |_| false);
            }
            candidates.retain(|row| {
                codes.is_valid(row)
                    && usize::try_from(codes.value(row))
                        .is_ok_and(|code| passing.get(code) == Some(&true))
            });
        }
        View::Ints(array) => {
            // Neighbours are often equal.
            let mut last = None;
            candidates.retain(|row| {
                let value = array.is_valid(row).then(|| array.value(row));
                match (value, last) {
                    (None, _) => false,
                    (Some(value), Some((known, passed))) if value == known => passed,
                    (Some(value), _) => {
                        let passed = passes(ValueRef::Int(value));
                        last = Some((value, passed));
                        passed
                    }
                }
            });
        }
        view => candidates.retain(|row| view.value(row).is_some_and(&mut passes)),
    }
    candidates
}

/// Whether the test could hold for 32 or 16 hexadecimal digits. Saves making texts of them.
fn could_be_in_id(test: &Test) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.len() <= 32;
    match test {
        Test::Phrase(phrase) => match phrase.words() {
            [word] => is_hex(word) && (phrase.is_prefix() || matches!(word.len(), 16 | 32)),
            _ => false,
        },
        Test::Contains(part) => is_hex(part.folded()),
        _ => true,
    }
}

/// The id that is the only one for which the test holds.
fn exact_id(test: &Test) -> Option<Vec<u8>> {
    let text = match test {
        Test::Phrase(phrase) if !phrase.is_prefix() => match phrase.words() {
            [word] => word,
            _ => return None,
        },
        Test::Equals(literal) if *literal.meaning() == Meaning::Text => literal.as_str(),
        _ => return None,
    };
    unhex(text, 32).or_else(|| unhex(text, 16))
}

fn missing(column: &str) -> io::Error {
    let what = format!("the column `{column}` is missing or of another type");
    io::Error::new(io::ErrorKind::InvalidData, what)
}
