//! Terminal: whether the console gets colours and whether it gets text or JSON.
//!
//! Pure decisions over what they are given. Does not read the environment, and does not know which
//! stream the console is.

use crate::sink::options::Color;
use crate::sink::options::ConsoleFormat;

/// Whether to use colours. The first of these that applies decides:
///
/// 1. `choice`, unless it is [`Color::Auto`]: what was said to this program outweighs what was said
///    to all programs.
/// 2. `NO_COLOR`, when not empty: no. ([no-color.org](https://no-color.org))
/// 3. `FORCE_COLOR` or `CLICOLOR_FORCE`, when neither empty nor `0`: yes.
/// 4. `TERM=dumb`: no.
/// 5. Otherwise: only on a terminal.
///
/// With both `NO_COLOR` and a forcing variable set there is no common rule: the example on
/// [force-color.org](https://force-color.org) forces, [bixense.com/clicolors] obeys `NO_COLOR`. It
/// wins here because the mistakes are not alike: missing colours are a pity, unwanted escape
/// sequences spoil what a program reads.
///
/// `env` gives the value of an environment variable.
///
/// ```
/// use logwell::config::Color;
/// use logwell::terminal::use_color;
///
/// let env = |name: &str| (name == "NO_COLOR").then(|| "1".to_owned());
/// assert!(!use_color(Color::Auto, env, true));
/// assert!(use_color(Color::Always, env, false));
/// ```
///
/// [bixense.com/clicolors]: https://bixense.com/clicolors/
#[must_use]
pub fn use_color(choice: Color, env: impl Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let set = |name| env(name).filter(|value| !value.is_empty());
    let forced = |name| set(name).is_some_and(|value| value != "0");
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR").is_some() => false,
        Color::Auto if forced("FORCE_COLOR") || forced("CLICOLOR_FORCE") => true,
        Color::Auto if set("TERM").is_some_and(|term| term == "dumb") => false,
        Color::Auto => is_terminal,
    }
}

/// Whether the console gets JSON: as chosen, else when it is no terminal.
///
/// ```
/// use logwell::config::ConsoleFormat;
/// use logwell::terminal::use_json;
///
/// assert!(use_json(ConsoleFormat::Auto, false));
/// assert!(!use_json(ConsoleFormat::Text, false));
/// ```
#[must_use]
pub fn use_json(format: ConsoleFormat, is_terminal: bool) -> bool {
    match format {
        ConsoleFormat::Json => true,
        ConsoleFormat::Text => false,
        ConsoleFormat::Auto => !is_terminal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(choice: Color, env: &[(&str, &str)], is_terminal: bool) -> bool {
        let get = |name: &str| {
            env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        use_color(choice, get, is_terminal)
    }

    #[test]
    fn an_explicit_choice_outweighs_the_environment_and_the_terminal() {
        for is_terminal in [false, true] {
            for env in [("NO_COLOR", "1"), ("FORCE_COLOR", "1"), ("TERM", "dumb")] {
                assert!(color(Color::Always, &[env], is_terminal));
                assert!(!color(Color::Never, &[env], is_terminal));
            }
        }
    }

    #[test]
    fn the_environment_decides_for_auto() {
        type Case = (&'static [(&'static str, &'static str)], bool, bool);
        let cases: &[Case] = &[
            // environment, on a terminal, elsewhere
            (&[], true, false),
            (&[("NO_COLOR", "")], true, false),
            (&[("NO_COLOR", "1")], false, false),
            (&[("NO_COLOR", "0")], false, false),
            (&[("FORCE_COLOR", "1")], true, true),
            (&[("FORCE_COLOR", "3")], true, true),
            (&[("FORCE_COLOR", "true")], true, true),
            (&[("FORCE_COLOR", "")], true, false),
            (&[("FORCE_COLOR", "0")], true, false),
            (&[("CLICOLOR_FORCE", "1")], true, true),
            (&[("CLICOLOR_FORCE", "0")], true, false),
            (&[("FORCE_COLOR", "0"), ("CLICOLOR_FORCE", "1")], true, true),
            (&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], false, false),
            (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false, false),
            (&[("NO_COLOR", ""), ("FORCE_COLOR", "1")], true, true),
            (&[("TERM", "dumb")], false, false),
            (&[("TERM", "dumb"), ("FORCE_COLOR", "1")], true, true),
            (&[("TERM", "xterm-256color")], true, false),
            (&[("TERM", "")], true, false),
        ];
        for (env, on_terminal, elsewhere) in cases {
            assert_eq!(color(Color::Auto, env, true), *on_terminal, "{env:?} on a terminal");
            assert_eq!(color(Color::Auto, env, false), *elsewhere, "{env:?} elsewhere");
        }
    }

    #[test]
    fn json_is_for_programs_unless_chosen() {
        for is_terminal in [false, true] {
            assert!(use_json(ConsoleFormat::Json, is_terminal));
            assert!(!use_json(ConsoleFormat::Text, is_terminal));
            assert_eq!(use_json(ConsoleFormat::Auto, is_terminal), !is_terminal);
        }
    }
}
