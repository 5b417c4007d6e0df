//! LogQL: the part of Loki's language that Grafana sends → a filter, and what is counted.
//!
//! Pure. Knows LogQL's text and the query language's tree. Does not know HTTP or the store. What
//! cannot be translated is an error that names it: no query means less than it says.

mod lexer;
mod translate;

use lexer::{Lexer, Token};
use logwell_query::Filter;
use translate::{label_filter, line_filter, numeric_filter};

/// A LogQL query.
#[derive(Debug, Clone, PartialEq)]
pub enum LogQl {
    /// Lines that match.
    Lines(Filter),
    /// Numbers over time.
    Metric(Metric),
    /// `vector(1)+vector(1)`: what Grafana asks to see whether anybody answers; the sum.
    Constant(f64),
}

/// A count of lines over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Which lines.
    pub filter: Filter,
    /// How long the window is, in nanoseconds.
    pub window_ns: i64,
    /// Whether it is the count per second.
    pub is_rate: bool,
    /// What each line counts: 1, or its bytes.
    pub factor: u64,
    /// By which labels it is summed up; `None` is a number for each set of labels.
    pub by: Option<Vec<String>>,
}

/// Why a query cannot be translated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQlError(pub String);

impl std::fmt::Display for LogQlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LogQlError {}

type Parsed<T> = Result<T, LogQlError>;

/// The field that a label names: Loki's senders call some of ours otherwise.
#[must_use]
pub fn field_of(label: &str) -> &str {
    match label {
        "service_name" => "service",
        "detected_level" => "level",
        other => other,
    }
}

impl LogQl {
    /// Reads a query.
    ///
    /// ```
    /// use logbeacon::logql::LogQl;
    ///
    /// let query = LogQl::parse(r#"{service="shop"} |= "failed" | level="error""#).unwrap();
    /// assert!(matches!(query, LogQl::Lines(_)));
    /// assert!(LogQl::parse(r#"{service="shop"} | pattern "<_>""#).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// It is no LogQL, or has something that is not translated; the text says what.
    pub fn parse(text: &str) -> Parsed<Self> {
        if text.len() > MAX_BYTES {
            return Err(LogQlError(format!("a query has at most {MAX_BYTES} bytes")));
        }
        let mut parser = Parser { tokens: Lexer::tokens(text)?, at: 0 };
        let query = parser.query()?;
        match parser.next() {
            None => Ok(query),
            Some(token) => Err(LogQlError(format!("{token} after the end of the query"))),
        }
    }
}

/// Longest query.
const MAX_BYTES: usize = 64 << 10;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn query(&mut self) -> Parsed<LogQl> {
        match self.peek() {
            Some(Token::Symbol("{")) => Ok(LogQl::Lines(self.lines()?)),
            Some(Token::Word(word)) if word == "vector" => self.constant(),
            Some(Token::Word(word)) if word == "sum" => self.sum(),
            Some(Token::Word(_)) => Ok(LogQl::Metric(self.count(None)?)),
            _ => Err(self.wrong("a selector such as {service=\"shop\"}")),
        }
    }

    /// `vector(1) + vector(1)`.
    fn constant(&mut self) -> Parsed<LogQl> {
        let mut sum = 0.0;
        loop {
            self.word("vector")?;
            self.symbol("(")?;
            let Some(Token::Word(number)) = self.next() else { return Err(self.wrong("a number")) };
            self.symbol(")")?;
            sum +=
                number.parse::<f64>().map_err(|_| LogQlError(format!("{number} is no number")))?;
            if !self.eat("+") {
                return Ok(LogQl::Constant(sum));
            }
        }
    }

    /// `sum by (a, b) (COUNT)`, with `by` before or after.
    fn sum(&mut self) -> Parsed<LogQl> {
        self.word("sum")?;
        let before = self.by()?;
        self.symbol("(")?;
        let mut metric = self.count(Some(Vec::new()))?;
        self.symbol(")")?;
        metric.by = Some(match before {
            Some(by) => by,
            None => self.by()?.unwrap_or_default(),
        });
        Ok(LogQl::Metric(metric))
    }

    fn by(&mut self) -> Parsed<Option<Vec<String>>> {
        match self.peek() {
            Some(Token::Word(word)) if word == "by" => self.at += 1,
            Some(Token::Word(word)) if word == "without" => {
                return Err(LogQlError("`without` is not translated: use `by`".to_owned()));
            }
            _ => return Ok(None),
        }
        self.symbol("(")?;
        let mut names = Vec::new();
        while let Some(Token::Word(name)) = self.peek() {
            names.push(name.clone());
            self.at += 1;
            if !self.eat(",") {
                break;
            }
        }
        self.symbol(")")?;
        Ok(Some(names))
    }

    /// `count_over_time({…} [5m])` or `rate(…)`.
    fn count(&mut self, by: Option<Vec<String>>) -> Parsed<Metric> {
        let is_rate = match self.next() {
            Some(Token::Word(word)) if word == "count_over_time" => false,
            Some(Token::Word(word)) if word == "rate" => true,
            Some(token) => {
                let text = format!("{token} is not translated: use count_over_time or rate");
                return Err(LogQlError(text));
            }
            None => return Err(self.wrong("count_over_time or rate")),
        };
        self.symbol("(")?;
        let filter = self.lines()?;
        self.symbol("[")?;
        let Some(Token::Word(length)) = self.next() else { return Err(self.wrong("a window")) };
        let window_ns = translate::length(&length)
            .ok_or_else(|| LogQlError(format!("[{length}] is no window such as [5m]")))?;
        self.symbol("]")?;
        self.symbol(")")?;
        Ok(Metric { filter, window_ns, is_rate, factor: 1, by })
    }

    /// A selector and its pipeline.
    fn lines(&mut self) -> Parsed<Filter> {
        self.symbol("{")?;
        let mut parts = Vec::new();
        while !self.eat("}") {
            parts.push(self.matcher()?);
            if !self.eat(",") {
                self.symbol("}")?;
                break;
            }
        }
        loop {
            match self.peek() {
                Some(Token::Symbol(op @ ("|=" | "!=" | "|~" | "!~"))) => {
                    let op = *op;
                    self.at += 1;
                    parts.push(self.line_filter(op)?);
                }
                Some(Token::Symbol("|")) => {
                    self.at += 1;
                    parts.extend(self.stage()?);
                }
                _ => break,
            }
        }
        Ok(match parts.len() {
            0 => Filter::All,
            _ => Filter::And(parts),
        })
    }

    fn matcher(&mut self) -> Parsed<Filter> {
        let Some(Token::Word(name)) = self.next() else { return Err(self.wrong("a label")) };
        let op = match self.next() {
            Some(Token::Symbol(op @ ("=" | "!=" | "=~" | "!~"))) => op,
            _ => return Err(self.wrong("=, !=, =~ or !~")),
        };
        let Some(Token::Text(value)) = self.next() else { return Err(self.wrong("a quoted text")) };
        label_filter(&name, op, &value)
    }

    /// `|= "a" or "b"`.
    fn line_filter(&mut self, op: &str) -> Parsed<Filter> {
        let mut alternatives = Vec::new();
        loop {
            let Some(Token::Text(text)) = self.next() else {
                return Err(self.wrong("a quoted text"));
            };
            alternatives.push(line_filter(op, &text)?);
            match self.peek() {
                Some(Token::Word(word)) if word == "or" => self.at += 1,
                _ => break,
            }
        }
        let any = Filter::Or(alternatives);
        Ok(if op.starts_with('!') { Filter::Not(Box::new(any)) } else { any })
    }

    /// What follows a `|`. Parsers do nothing here: fields of records are there already.
    fn stage(&mut self) -> Parsed<Option<Filter>> {
        match self.peek() {
            Some(Token::Word(word)) => match word.as_str() {
                "json" | "logfmt" | "unpack" | "decolorize" => {
                    self.at += 1;
                    Ok(None)
                }
                "drop" | "keep" => {
                    self.at += 1;
                    while let Some(Token::Word(_)) = self.peek() {
                        self.at += 1;
                        if !self.eat(",") {
                            break;
                        }
                    }
                    Ok(None)
                }
                "line_format" | "label_format" | "pattern" | "regexp" | "unwrap" | "distinct" => {
                    Err(LogQlError(format!("the stage `{word}` is not translated")))
                }
                _ => Ok(Some(self.label_filters(0)?)),
            },
            Some(Token::Symbol("(")) => Ok(Some(self.label_filters(0)?)),
            _ => Err(self.wrong("a stage")),
        }
    }

    /// `a="b" and c>5 or d=~"e"`; a comma is an `and`.
    fn label_filters(&mut self, depth: usize) -> Parsed<Filter> {
        let mut alternatives = vec![vec![self.one_label_filter(depth)?]];
        loop {
            match self.peek() {
                Some(Token::Word(word)) if word == "or" => {
                    self.at += 1;
                    alternatives.push(vec![self.one_label_filter(depth)?]);
                }
                Some(Token::Word(word)) if word == "and" => {
                    self.at += 1;
                    let filter = self.one_label_filter(depth)?;
                    alternatives.last_mut().into_iter().for_each(|all| all.push(filter.clone()));
                }
                Some(Token::Symbol(",")) => {
                    self.at += 1;
                    let filter = self.one_label_filter(depth)?;
                    alternatives.last_mut().into_iter().for_each(|all| all.push(filter.clone()));
                }
                _ => break,
            }
        }
        Ok(Filter::Or(alternatives.into_iter().map(Filter::And).collect()))
    }

    fn one_label_filter(&mut self, depth: usize) -> Parsed<Filter> {
        if depth > 50 {
            return Err(LogQlError("more than 50 parentheses within each other".to_owned()));
        }
        if self.eat("(") {
            let filter = self.label_filters(depth + 1)?;
            self.symbol(")")?;
            return Ok(filter);
        }
        let Some(Token::Word(name)) = self.next() else { return Err(self.wrong("a label")) };
        let op = match self.next() {
            Some(Token::Symbol(op)) => op,
            _ => return Err(self.wrong("a comparison")),
        };
        match self.next() {
            Some(Token::Text(value)) => label_filter(&name, op, &value),
            Some(Token::Word(value)) => numeric_filter(&name, op, &value),
            _ => Err(self.wrong("a value")),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Symbol(other)) if *other == symbol);
        self.at += usize::from(is_it);
        is_it
    }

    fn symbol(&mut self, symbol: &str) -> Parsed<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.wrong(&format!("`{symbol}`"))) }
    }

    fn word(&mut self, word: &str) -> Parsed<()> {
        match self.next() {
            Some(Token::Word(other)) if other == word => Ok(()),
            _ => Err(self.wrong(word)),
        }
    }

    fn wrong(&self, wanted: &str) -> LogQlError {
        match self.tokens.get(self.at) {
            Some(token) => LogQlError(format!("expected {wanted} near {token}")),
            None => LogQlError(format!("expected {wanted} at the end")),
        }
    }
}

#[cfg(test)]
mod tests;
