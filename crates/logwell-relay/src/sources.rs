//! Sources: settings from defaults, a file, variables and flags; what comes later wins.
//!
//! Pure but for reading the file. Knows the order of the layers. All mistakes are reported
//! together, with their place; the value of a secret is in none of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use logwell_options::env::{self, Variables};
use logwell_options::report::Report;
use logwell_options::section::Section as _;
use logwell_options::{file, flags, read};

use crate::options::{self, NAMES, Settings};

/// What the command line says about options: the file, and values by key.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) config: Option<PathBuf>,
    pub(crate) values: HashMap<String, String>,
}

/// The settings, and what is no mistake and should be known; or all mistakes.
pub(crate) fn read(
    given: &Given,
    variables: &Variables,
) -> Result<(Settings, Vec<String>), Vec<String>> {
    let (mut settings, mut report) = (Settings::default(), Report::default());
    let config = given.config.as_deref().or_else(|| variables.get(CONFIG).map(Path::new));
    if let Some(path) = config {
        let tree = file::read(path, &mut report);
        let tree =
            tree.map_err(|error| vec![format!("cannot read {}: {error}", path.display())])?;
        if let Some(tree) = tree {
            read::read(&mut settings.entries(), &tree, &mut report);
        }
    }
    env::read(&mut settings, &NAMES, variables, &mut report);
    flags::read(&mut settings, &given.values, &mut report);
    options::check(&settings, &mut report);
    let remarks = report.remarks().iter().map(|(kind, text)| format!("{kind}: {text}")).collect();
    match report.finish() {
        Ok(()) => Ok((settings, remarks)),
        Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
    }
}

/// The variable that names the configuration file.
const CONFIG: &str = "LOGWELL_RELAY_CONFIG";

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        Variables::new(pairs.iter().copied())
    }

    fn file(text: &str) -> (tempfile::TempDir, Given) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("relay.yaml");
        std::fs::write(&path, text).unwrap();
        (dir, Given { config: Some(path), values: HashMap::new() })
    }

    fn settled(given: &Given, variables: &Variables) -> Settings {
        read(given, variables).unwrap().0
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
        flags.values.insert("broker.host".to_owned(), "three".to_owned());
        let settings = settled(&flags, &variables);
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
        assert!(told.contains("relay.yaml:1:1: domian: "), "{told}");
        assert!(told.contains("did you mean `domain`?"), "{told}");
        assert!(told.contains("did you mean `host`?"), "{told}");
        assert!(told.contains("broker.port: \"many\" does not fit; expected a whole"), "{told}");
        assert!(told.contains("environment variable MQ_PORT: broker.port: 70000"), "{told}");
        assert!(told.contains("logbeacon: "), "{told}");
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
        let settings = settled(&Given::default(), &long);
        assert_eq!(settings.domain, "shop.example");
        assert_eq!(settings.broker.host, "mq.example");
        assert_eq!(settings.logbeacon.url.reveal(), "https://logs.example/in");
        assert_eq!(settings.telegram.developer.chat_id, "-100");

        let own = variables(&[("LOG_SERVICE_DOMAIN", "a"), ("LOGWELL_RELAY_DOMAIN", "b")]);
        assert_eq!(settled(&Given::default(), &own).domain, "b");
    }

    #[test]
    fn a_value_that_is_plainly_of_another_program_is_passed_over() {
        let variables = variables(&[("MQ_PORT", "tcp://10.0.0.5:5672"), ("MQ_HOST", "mq")]);
        let (settings, remarks) = read(&Given::default(), &variables).unwrap();
        assert_eq!((settings.broker.port, settings.broker.host.as_str()), (5_672, "mq"));
        assert!(remarks[0].contains("MQ_PORT is passed over as another program's"), "{remarks:?}");
    }

    #[test]
    fn a_secret_is_in_no_mistake() {
        let (_dir, flags) = file("logbeacon:\n  url: ftp://user:hush@host\n  token: [hush]\n");
        let mistakes = read(&flags, &Variables::default()).unwrap_err();
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
        assert!(!mistakes.join("\n").contains("hush"), "{mistakes:?}");

        let (_dir, flags) = file("logbeacon: {token: hush, token: \"hush\nbroker: [");
        assert!(!read(&flags, &Variables::default()).unwrap_err().join("\n").contains("hush"));
    }

    #[test]
    fn the_files_under_deploy_give_the_defaults() {
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
        let config = Some(deploy.join("logwell-relay.yaml"));
        let flags = Given { config, values: HashMap::new() };
        let defaults = Settings::default();
        let settings = settled(&flags, &Variables::default());
        assert_eq!(settings.domain, "shop.example");
        let listen = settings.status.listen;
        assert_eq!(listen.map(|address| address.port()), Some(9464));
        let mut same = defaults;
        same.domain.clone_from(&settings.domain);
        same.status.listen = listen;
        assert_eq!(settings, same);

        let secrets = std::fs::read_to_string(deploy.join("logwell-relay.env")).unwrap();
        for line in secrets.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split('=').next();
            assert!(NAMES.others.iter().any(|other| Some(other.variable) == name), "{line}");
        }
    }

    #[test]
    fn secrets_are_masked_in_debug() {
        let variables = variables(&[("MQ_PASSWORD", "hush"), ("DEV_TG_TOKEN", "hush")]);
        let settings = settled(&Given::default(), &variables);
        assert!(!format!("{settings:?}").contains("hush"));
    }
}
