//! Extract: fields out of a text, by what is between them.
//!
//! Knows texts. Does not know rows or the syntax around the template.

use crate::query::Extract;

impl Extract {
    /// Reads a template such as `user <user> from <address>`; `<_>` passes something over.
    ///
    /// # Errors
    ///
    /// It names no field, or two fields touch, so that nobody can say where one ends.
    pub fn new(template: &str, from: &str) -> Result<Self, String> {
        let (mut between, mut names) = (Vec::new(), Vec::new());
        let mut rest = template;
        while let Some((before, name, after)) = next_name(rest) {
            if before.is_empty() && !names.is_empty() {
                return Err("two fields touch, so the end of the first is unknown".to_owned());
            }
            between.push(before.to_owned());
            names.push(if name == "_" { String::new() } else { name.to_owned() });
            rest = after;
        }
        between.push(rest.to_owned());
        match names.iter().all(String::is_empty) {
            true => Err("no field is named in it, as in \"user <user> from\"".to_owned()),
            false => Ok(Self { between, names, from: from.to_owned() }),
        }
    }

    /// The template of which it was made.
    pub(crate) fn template(&self) -> String {
        let mut text = String::new();
        let mut names = self.names.iter();
        for between in &self.between {
            text.push_str(between);
            if let Some(name) = names.next() {
                text.push('<');
                text.push_str(if name.is_empty() { "_" } else { name });
                text.push('>');
            }
        }
        text
    }

    /// Names and texts, if the text has all that is between the fields, in that order. A field ends
    /// where the next such text begins; the last one at the end, if nothing comes behind it.
    pub(crate) fn of<'a>(&'a self, text: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
        let (first, between) = self.between.split_first()?;
        let (_, mut rest) = text.split_once(first.as_str())?;
        let mut found = Vec::with_capacity(self.names.len());
        for (name, end) in self.names.iter().zip(between) {
            let (value, after) = match end.is_empty() {
                true => (rest, ""),
                false => rest.split_once(end.as_str())?,
            };
            if !name.is_empty() {
                found.push((name.as_str(), value));
            }
            rest = after;
        }
        Some(found)
    }
}

/// What is before the next `<name>`, the name, and what is behind it.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c))
    };
    text.match_indices('<').find_map(|(at, _)| {
        let (before, rest) = text.split_at_checked(at)?;
        let (name, after) = rest.strip_prefix('<')?.split_once('>')?;
        is_name(name).then_some((before, name, after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_what_is_between_the_texts() {
        let extract = Extract::new("user <user> from <_>:<port>", "message").unwrap();
        let found = extract.of("login of user ann from 10.0.0.1:443").unwrap();
        assert_eq!(found, [("user", "ann"), ("port", "443")]);
        assert_eq!(extract.of("user ann"), None);
        assert_eq!(extract.template(), "user <user> from <_>:<port>");
    }

    #[test]
    fn a_template_without_a_field_or_an_end_is_refused() {
        for template in ["", "plain", "<_> only", "<a><b>", "< a >"] {
            assert!(Extract::new(template, "message").is_err(), "{template}");
        }
    }
}
