//! YAML: a text becomes a tree of nodes, and a node's place in the text is found again.
//!
//! The only file that names the YAML crate and serde. Knows no option. What it hands out is plain:
//! keys in their order (repeated ones too, for the reader to refuse) and values with their type.
//!
//! A file may be hostile, so everything has a limit: the text's length, nesting, the number of
//! nodes and of bytes after aliases are expanded.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer};
use serde::de::{EnumAccess, MapAccess, SeqAccess, Visitor};

/// A value, and its number in the order of reading, by which [`locate`] finds it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its number.
    pub number: usize,
    /// Its value.
    pub value: Value,
}

impl Node {
    /// Takes a key with its value out of a map.
    pub fn take(&mut self, key: &str) -> Option<Self> {
        let Value::Map(pairs) = &mut self.value else { return None };
        let is_it = |(name, _): &(Self, Self)| name.value == Value::Text(key.to_owned());
        let at = pairs.iter().position(is_it)?;
        Some(pairs.remove(at).1)
    }
}

/// What YAML can say.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(i128),
    /// Another number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list. No option of a section takes one; whoever reads the tree may.
    List(Vec<Node>),
    /// A map; a key can be there twice.
    Map(Vec<(Node, Node)>),
}

/// Why a text cannot be read at all. Line and column count from 1 and are 0 when unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub help: &'static str,
}

/// The longest text that is read, in bytes.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// The tree of a text; an empty text is `Null`.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    refuse_early(text)?;
    let mut reader = Reader::default();
    let result = NodeSeed(&mut reader).deserialize(serde_yaml::Deserializer::from_str(text));
    result.map_err(|error| explain(&error, &reader, text))
}

/// Line and column of the node of that number, from 1.
///
/// The YAML crate tells a place only in an error. So the text is read once more, up to the node,
/// where an error is raised.
pub fn locate(text: &str, number: usize) -> Option<(usize, usize)> {
    locate_in(serde_yaml::Deserializer::from_str(text), number)
}

fn locate_in(deserializer: serde_yaml::Deserializer<'_>, number: usize) -> Option<(usize, usize)> {
    let mut reader = Reader { stop_at: Some(number), ..Reader::default() };
    let error = NodeSeed(&mut reader).deserialize(deserializer).err()?;
    let location = error.location()?;
    Some((location.line(), location.column()))
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Reader {
    nodes: usize,
    bytes: usize,
    depth: usize,
    /// Raise an error at the node of this number.
    stop_at: Option<usize>,
    /// The limit that was passed.
    passed: Option<&'static str>,
}

impl Reader {
    /// Counts a node in, with the bytes of its text.
    fn node<E: serde::de::Error>(&mut self, bytes: usize) -> Result<usize, E> {
        let number = self.nodes;
        self.nodes += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.stop_at == Some(number) {
            return Err(E::custom("here"));
        }
        if self.nodes > MAX_NODES {
            return Err(self.pass("has too many values (aliases count each time)"));
        }
        if self.bytes > MAX_EXPANDED_BYTES {
            return Err(self.pass("becomes too long when its aliases are expanded"));
        }
        Ok(number)
    }

    fn deeper<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(self.pass(TOO_DEEP)) } else { Ok(()) }
    }

    fn pass<E: serde::de::Error>(&mut self, limit: &'static str) -> E {
        self.passed = Some(limit);
        E::custom(limit)
    }
}

/// Reads one node.
struct NodeSeed<'r>(&'r mut Reader);

impl NodeSeed<'_> {
    fn scalar<E: serde::de::Error>(self, value: Value, bytes: usize) -> Result<Node, E> {
        Ok(Node { number: self.0.node(bytes)?, value })
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node, E> {
        self.scalar(Value::Null, 0)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Node, E> {
        self.scalar(Value::Null, 0)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Node, E> {
        self.scalar(Value::Flag(value), 0)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node, E> {
        self.scalar(Value::Whole(value.into()), 0)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Node, E> {
        self.scalar(Value::Whole(value.into()), 0)
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Node, E> {
        self.scalar(Value::Whole(value), 0)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Node, E> {
        // Beyond all limits anyway; its last digits do not matter.
        self.scalar(Value::Whole(i128::try_from(value).unwrap_or(i128::MAX)), 0)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        self.scalar(Value::Float(value), 0)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Node, E> {
        let number = self.0.node(value.len())?;
        Ok(Node { number, value: Value::Text(value.to_owned()) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let number = self.0.node(0)?;
        self.0.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(NodeSeed(self.0))? {
            items.push(item);
        }
        self.0.depth -= 1;
        Ok(Node { number, value: Value::List(items) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let number = self.0.node(0)?;
        self.0.deeper()?;
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key_seed(NodeSeed(self.0))? {
            pairs.push((key, map.next_value_seed(NodeSeed(self.0))?));
        }
        self.0.depth -= 1;
        Ok(Node { number, value: Value::Map(pairs) })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _tagged: A) -> Result<Node, A::Error> {
        Err(self.0.pass("has a tag such as `!name`, which no option takes"))
    }
}

/// Refuses what would take the YAML parser long: its time grows with the square of the brackets
/// that are open at once, and of the `%TAG` lines.
fn refuse_early(text: &str) -> Result<(), SyntaxError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(refusal((0, 0), "is longer than 1 MiB"));
    }
    let (mut open, mut directives) = (0_usize, 0);
    for (line, content) in text.lines().enumerate() {
        directives += usize::from(content.starts_with('%'));
        for (column, byte) in content.bytes().enumerate() {
            match byte {
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open > MAX_OPEN_BRACKETS {
                return Err(refusal((line + 1, column + 1), TOO_DEEP));
            }
        }
        if directives > MAX_DEPTH {
            return Err(refusal((line + 1, 1), "has too many lines that begin with %"));
        }
    }
    Ok(())
}

fn refusal((line, column): (usize, usize), problem: &str) -> SyntaxError {
    SyntaxError { line, column, problem: problem.to_owned(), help: "a configuration is small" }
}

/// The parser's error in our words. It must not repeat a value of the file, which may be secret.
fn explain(error: &serde_yaml::Error, reader: &Reader, text: &str) -> SyntaxError {
    let mut place = error.location().map_or((0, 0), |at| (at.line(), at.column()));
    if let Some(passed) = reader.passed {
        return refusal(place, passed);
    }
    let message = error.to_string();
    let (problem, help) = if message.contains("more than one document") {
        let second = serde_yaml::Deserializer::from_str(text).nth(1);
        place = second.and_then(|document| locate_in(document, 0)).unwrap_or_default();
        ("has more than one document".to_owned(), "write one document, without `---` lines")
    } else if message.contains("repetition limit") || message.contains("recursion limit") {
        (TOO_DEEP.to_owned(), "a configuration is small")
    } else if message.contains("invalid value") || message.contains("invalid type") {
        ("has a value that is not what its tag says".to_owned(), "leave the tag out")
    } else {
        let own_place = format!(" at line {} column {}", place.0, place.1);
        let problem = message.replacen(&own_place, "", 1);
        (format!("is not YAML: {problem}"), "check the indentation, quotes and colons")
    };
    SyntaxError { line: place.0, column: place.1, problem, help }
}

/// Whether a plain word keeps its meaning as a text in YAML 1.1 and 1.2 without quotes.
pub fn is_plain(word: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || "_-./,=".contains(c);
    let special = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(letters)
        && !special.iter().any(|name| name.eq_ignore_ascii_case(word))
}

/// The text in double quotes, so that YAML reads back exactly it.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            ' '..='~' => quoted.push(c),
            // Neither line breaks in YAML's sense nor characters it does not allow.
            '\u{a1}'..='\u{1fff}' | '\u{3000}'..='\u{d7ff}' | '\u{10000}'.. => quoted.push(c),
            _ => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

const TOO_DEEP: &str = "is nested too deeply";

/// Nesting of maps and lists; the options need three.
const MAX_DEPTH: usize = 32;

/// Keys, values and items, those under an alias each time it is used.
const MAX_NODES: usize = 10_000;

/// Text after the expansion of aliases.
const MAX_EXPANDED_BYTES: usize = 2 * MAX_TEXT_BYTES;

/// Brackets open at once in the raw text, those in comments and quotes included.
const MAX_OPEN_BRACKETS: usize = 1_000;
