//! Callsites: convert tracing's metadata to our callsite, once for each callsite.
//!
//! Knows tracing's `Metadata`. Decides, once, what the records of a callsite are.

use crate::record::callsite::AI_TARGET;
use crate::record::callsite::{Callsite, Kind, Place, marker};
use crate::record::level::Level;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};
use tracing::Metadata;

/// Our callsite for that metadata; the same one each time.
pub(crate) fn callsite(metadata: &'static Metadata<'static>) -> &'static Callsite {
    static KNOWN: LazyLock<RwLock<HashMap<usize, &'static Callsite>>> =
        LazyLock::new(RwLock::default);

    let address = std::ptr::from_ref(metadata).addr();
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&address).copied();
    known.unwrap_or_else(|| {
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(address).or_insert_with(|| Callsite::leak(place(metadata)))
    })
}

fn place(metadata: &'static Metadata<'static>) -> Place {
    let names = metadata.fields().iter().map(|field| {
        let name = field.name();
        name.strip_prefix("r#").unwrap_or(name)
    });
    Place {
        level: level(metadata),
        target: metadata.target(),
        name: metadata.name(),
        module: metadata.module_path(),
        file: metadata.file(),
        line: metadata.line(),
        fields: names.collect(),
        kind: kind(metadata),
    }
}

/// The level, with the sixth one that tracing does not have.
pub(crate) fn level(metadata: &Metadata<'_>) -> Level {
    match *metadata.level() {
        tracing::Level::TRACE => Level::Trace,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::INFO => Level::Info,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::ERROR => match metadata.fields().field(marker::CRITICAL) {
            Some(_) => Level::Critical,
            None => Level::Error,
        },
    }
}

fn kind(metadata: &Metadata<'_>) -> Kind {
    let is_ai_field = |name: &str| name == marker::AI || name.starts_with("gen_ai.");
    if metadata.target() == "log" && metadata.fields().field("log.target").is_some() {
        Kind::LogCrate
    } else if (metadata.target() == AI_TARGET && metadata.module_path() != Some(AI_TARGET))
        || metadata.fields().iter().any(|field| is_ai_field(field.name()))
    {
        Kind::Ai
    } else {
        Kind::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::callsite::Identifier;
    use tracing::field::FieldSet;
    use tracing::metadata::Kind as TracingKind;
    use tracing::subscriber::Interest;

    struct TestCallsite;
    static TEST: TestCallsite = TestCallsite;
    impl tracing::Callsite for TestCallsite {
        fn set_interest(&self, _: Interest) {}
        fn metadata(&self) -> &Metadata<'_> {
            unimplemented!("not asked for")
        }
    }

    fn kind_of(target: &'static str, names: &'static [&'static str]) -> Kind {
        let fields = FieldSet::new(names, Identifier(&TEST));
        let level = tracing::Level::INFO;
        kind(&Metadata::new("n", target, level, None, None, None, fields, TracingKind::EVENT))
    }

    #[test]
    fn ai_records_are_known_by_target_marker_or_field_name() {
        assert_eq!(kind_of("ai_responses", &["message"]), Kind::Ai);
        assert_eq!(kind_of("app", &["message", "gen_ai.request.model"]), Kind::Ai);
        assert_eq!(kind_of("app", &["logwell.ai", "message"]), Kind::Ai);
        assert_eq!(kind_of("app", &["gen_airport", "message"]), Kind::Plain);
        assert_eq!(kind_of("ai_responses_x", &["message"]), Kind::Plain);
        assert_eq!(kind_of("log", &["message", "log.target"]), Kind::LogCrate);
        assert_eq!(kind_of("log", &["message"]), Kind::Plain);
    }
}
