//! Sources: settings from defaults, a file, variables and flags; what comes later wins.
//!
//! Pure but for reading the file. All problems are reported together, with their place; the value
//! of a secret is in none of them.

use std::collections::HashMap;
use std::path::Path;

use crate::options::{OPTIONS, Opt};
use crate::settings::Settings;

/// What the command line says about options: the file, and flags with their values.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    pub(crate) config: Option<String>,
    /// Flag (`--broker-host`) and value.
    pub(crate) given: Vec<(String, String)>,
}

/// The settings, or all mistakes.
pub(crate) fn read(
    flags: &Flags,
    variables: &HashMap<String, String>,
) -> Result<Settings, Vec<String>> {
    let mut draft = Draft::default();
    for option in OPTIONS {
        draft.set(option, option.default, "default");
    }
    let config = flags.config.as_ref().or_else(|| variable(variables, "LOGWELL_RELAY_CONFIG"));
    if let Some(path) = config {
        draft.file(Path::new(path));
    }
    for option in OPTIONS {
        for name in option.variables() {
            let value = variable(variables, &name);
            if let Some(value) = value.filter(|value| !is_of_another(option, value)) {
                draft.set(option, value, &name);
            }
        }
    }
    for (flag, value) in &flags.given {
        match OPTIONS.iter().find(|option| option.flag() == *flag) {
            Some(option) if option.is_secret => draft.mistakes.push(format!(
                "{flag}: a secret on the command line can be read by others; \
                 use the variable {} or the file",
                option.variable()
            )),
            Some(option) => draft.set(option, value, flag),
            None => draft.mistakes.push(unknown(flag, OPTIONS.iter().map(Opt::flag))),
        }
    }
    if draft.mistakes.is_empty() { Ok(draft.settings) } else { Err(draft.mistakes) }
}

/// The value, unless it is empty: an empty value is as good as none.
fn variable<'a>(variables: &'a HashMap<String, String>, name: &str) -> Option<&'a String> {
    variables.get(name).filter(|value| !value.is_empty())
}

/// The variables that are passed over because their values are plainly another program's, such as
/// `MQ_PORT=tcp://10.0.0.5:5672`, which Kubernetes sets where a Service is called `mq`.
pub(crate) fn passed_over(variables: &HashMap<String, String>) -> Vec<String> {
    let is_passed = |option: &Opt, name: &String| {
        variable(variables, name).is_some_and(|value| is_of_another(option, value))
    };
    let passed = |option| Opt::variables(option).filter(move |name| is_passed(option, name));
    OPTIONS.iter().flat_map(passed).collect()
}

/// Whether a URL stands where a number or a yes or no belongs.
fn is_of_another(option: &Opt, value: &str) -> bool {
    let is_plain = option.default.parse::<u64>().is_ok() || option.default.parse::<bool>().is_ok();
    is_plain && value.contains("://")
}

#[derive(Default)]
struct Draft {
    settings: Settings,
    mistakes: Vec<String>,
}

impl Draft {
    fn set(&mut self, option: &Opt, value: &str, place: &str) {
        if let Err(problem) = (option.set)(&mut self.settings, value) {
            let shown = if option.is_secret { "(secret)" } else { value };
            self.mistakes.push(format!("{place}: {} {problem}, and is {shown:?}", option.key));
        }
    }

    fn file(&mut self, path: &Path) {
        let text = match std::fs::metadata(path) {
            Ok(file) if file.len() > MAX_FILE_BYTES => Err("is longer than 1 MiB".to_owned()),
            Ok(_) => std::fs::read_to_string(path).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match text {
            Ok(text) => self.yaml(&text, &path.display().to_string()),
            Err(problem) => self.mistakes.push(format!("{}: {problem}", path.display())),
        }
    }

    fn yaml(&mut self, text: &str, place: &str) {
        // The parser's message may quote the text, which may be a secret: only its place is
        // reported.
        match serde_yaml::from_str::<serde_yaml::Value>(text) {
            Ok(serde_yaml::Value::Null) => {}
            Ok(serde_yaml::Value::Mapping(mapping)) => self.mapping(&mapping, "", place),
            Ok(_) => self.mistakes.push(format!("{place}: must be keys and values")),
            Err(error) => {
                let at = error.location().map_or(String::new(), |at| format!(":{}", at.line()));
                self.mistakes.push(format!("{place}{at}: is not YAML, or has a key twice"));
            }
        }
    }

    fn mapping(&mut self, mapping: &serde_yaml::Mapping, section: &str, place: &str) {
        for (name, value) in mapping {
            let Some(name) = name.as_str() else {
                self.mistakes.push(format!("{place}: a key in {section:?} is not a text"));
                continue;
            };
            let key =
                if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
            let option = OPTIONS.iter().find(|option| option.key == key);
            let is_section = OPTIONS.iter().any(|o| o.key.starts_with(&format!("{key}.")));
            match (option, value) {
                (Some(option), value) => match scalar(value) {
                    Some(value) => self.set(option, &value, place),
                    None => self.mistakes.push(format!("{place}: {key} must be one value")),
                },
                (None, serde_yaml::Value::Mapping(inner)) if is_section => {
                    self.mapping(inner, &key, place);
                }
                (None, serde_yaml::Value::Null) if is_section => {}
                (None, _) if is_section => {
                    self.mistakes.push(format!("{place}: {key} must be keys and values"));
                }
                (None, _) => {
                    let keys = OPTIONS.iter().map(|option| option.key.to_owned());
                    self.mistakes.push(format!("{place}: {}", unknown(&key, keys)));
                }
            }
        }
    }
}

fn scalar(value: &serde_yaml::Value) -> Option<String> {
    match value {
        serde_yaml::Value::Null => Some(String::new()),
        serde_yaml::Value::Bool(flag) => Some(flag.to_string()),
        serde_yaml::Value::Number(number) => Some(number.to_string()),
        serde_yaml::Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// That there is no such name, with the one that was probably meant.
fn unknown(name: &str, known: impl Iterator<Item = String>) -> String {
    let meant = known.map(|known| (distance(name, &known), known)).min();
    match meant {
        Some((distance, meant)) if distance <= 3 => {
            format!("there is no {name}; did you mean {meant}?")
        }
        _ => format!("there is no {name}; see logwell-relay --help"),
    }
}

/// How many characters must be changed, added or removed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((y, above), pair) in b.iter().zip(row.iter().skip(1)).zip(row.iter()) {
            let left = next.last().copied().unwrap_or_default();
            let best = (left + 1).min(above + 1).min(pair + usize::from(x != *y));
            next.push(best);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

const MAX_FILE_BYTES: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn file(text: &str) -> (tempfile::TempDir, Flags) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("relay.yaml");
        std::fs::write(&path, text).unwrap();
        (dir, Flags { config: Some(path.display().to_string()), given: Vec::new() })
    }

    #[test]
    fn what_comes_later_wins() {
        let (_dir, mut flags) = file("domain: a\nbroker:\n  host: one\n  port: 1\n  user: file\n");
        let variables = variables(&[
            ("MQ_HOST", "two"),
            ("MQ_PORT", "2"),
            ("LOGWELL_RELAY_BROKER_PORT", "3"),
            ("MQ_USER", ""),
        ]);
        flags.given.push(("--broker-host".to_owned(), "three".to_owned()));
        let settings = read(&flags, &variables).unwrap();
        assert_eq!(settings.domain, "a");
        assert_eq!(settings.broker.host, "three");
        assert_eq!(settings.broker.port, 3);
        assert_eq!(settings.broker.user, "file");
        assert_eq!(settings.broker.vhost, "/");
    }

    #[test]
    fn all_mistakes_are_told_at_once_and_name_what_was_meant() {
        let (_dir, flags) =
            file("domian: a\nbroker:\n  port: many\n  hsot: b\nlogbeacon: 5\ntelegram:\n");
        let mistakes = read(&flags, &variables(&[("MQ_PORT", "70000")])).unwrap_err();
        let told = mistakes.join("\n");
        assert_eq!(mistakes.len(), 5, "{told}");
        assert!(told.contains("there is no domian; did you mean domain?"), "{told}");
        assert!(told.contains("did you mean broker.host?"), "{told}");
        assert!(told.contains("broker.port must be a whole number"), "{told}");
        assert!(told.contains("MQ_PORT: broker.port"), "{told}");
        assert!(told.contains("logbeacon must be keys and values"), "{told}");
    }

    #[test]
    fn the_variables_of_logwell_itself_give_the_same_options() {
        let long = variables(&[
            ("LOG_DOMAIN", "short"),
            ("LOG_SERVICE_DOMAIN", "shop.example"),
            ("LOG_FORWARD_RABBITMQ_HOST", "mq.example"),
            ("LOG_FORWARD_LOGBEACON_URL", "https://logs.example/in"),
            ("LOG_FORWARD_TELEGRAM_DEVELOPER_CHAT_ID", "-100"),
        ]);
        let settings = read(&Flags::default(), &long).unwrap();
        assert_eq!(settings.domain, "shop.example");
        assert_eq!(settings.broker.host, "mq.example");
        assert_eq!(settings.logbeacon.url.to_string(), "https://logs.example/…");
        assert_eq!(settings.telegram.developer.chat_id, "-100");

        let own = variables(&[("LOG_SERVICE_DOMAIN", "a"), ("LOGWELL_RELAY_DOMAIN", "b")]);
        assert_eq!(read(&Flags::default(), &own).unwrap().domain, "b");
    }

    #[test]
    fn a_value_that_is_plainly_of_another_program_is_passed_over() {
        let variables = variables(&[("MQ_PORT", "tcp://10.0.0.5:5672"), ("MQ_HOST", "mq")]);
        let settings = read(&Flags::default(), &variables).unwrap();
        assert_eq!((settings.broker.port, settings.broker.host.as_str()), (5_672, "mq"));
        assert_eq!(passed_over(&variables), ["MQ_PORT"]);
    }

    #[test]
    fn a_secret_is_in_no_mistake_and_not_taken_from_the_command_line() {
        let (_dir, mut flags) = file("logbeacon:\n  url: ftp://user:hush@host\n  token: [hush]\n");
        flags.given.push(("--broker-password".to_owned(), "hush".to_owned()));
        let mistakes = read(&flags, &HashMap::new()).unwrap_err();
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(!mistakes.join("\n").contains("hush"), "{mistakes:?}");

        let (_dir, flags) = file("logbeacon: {token: hush, token: \"hush\nbroker: [");
        assert!(!read(&flags, &HashMap::new()).unwrap_err().join("\n").contains("hush"));
    }

    #[test]
    fn the_files_under_deploy_give_the_defaults() {
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
        let config = deploy.join("logwell-relay.yaml").display().to_string();
        let flags = Flags { config: Some(config), given: Vec::new() };
        let defaults = read(&Flags::default(), &HashMap::new()).unwrap();
        let settings = read(&flags, &HashMap::new()).unwrap();
        assert_eq!(settings.domain, "shop.example");
        let listen = settings.status.listen;
        assert_eq!(listen.map(|address| address.port()), Some(9464));
        let same = Settings {
            domain: settings.domain.clone(),
            status: crate::settings::Status { listen, ..defaults.status.clone() },
            ..defaults
        };
        assert_eq!(format!("{settings:?}"), format!("{same:?}"));

        let secrets = std::fs::read_to_string(deploy.join("logwell-relay.env")).unwrap();
        for line in secrets.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split('=').next();
            assert!(OPTIONS.iter().any(|option| option.alias == name), "{line}");
        }
    }

    #[test]
    fn secrets_are_masked_in_debug() {
        let variables = variables(&[("MQ_PASSWORD", "hush"), ("DEV_TG_TOKEN", "hush")]);
        let settings = read(&Flags::default(), &variables).unwrap();
        assert!(!format!("{settings:?}").contains("hush"));
    }
}
