//! Token: `logbeacon token`: makes, lists and revokes tokens of a data directory.

use super::Failure;
use crate::stream_name;
use crate::token::{Scope, Token, Tokens};
use clap::{Args, Subcommand, ValueEnum};
use std::io::Write;
use std::path::PathBuf;

/// What is asked about tokens.
#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    /// The server's data directory.
    #[arg(long, default_value = "logbeacon-data", global = true)]
    data_dir: PathBuf,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Makes a token and prints its secret, which is shown this once.
    Create {
        /// A name for lists and for the audit stream.
        name: String,
        /// What it allows; may be repeated.
        #[arg(long, value_enum, required = true)]
        scope: Vec<Allowed>,
        /// A stream it is for; may be repeated. Without it, all streams.
        #[arg(long)]
        stream: Vec<String>,
    },
    /// Lists all tokens, without secrets.
    List,
    /// Revokes a token. A running server refuses it within a second.
    Revoke {
        /// Its name.
        name: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Allowed {
    /// Sending records.
    Ingest,
    /// Searching.
    Read,
    /// Everything.
    Admin,
}

/// Does what was asked.
pub(super) fn run(args: TokenArgs, out: &mut dyn Write) -> Result<(), Failure> {
    std::fs::create_dir_all(&args.data_dir)?;
    let tokens = Tokens::open(&args.data_dir, None)?;
    match args.act {
        Act::Create { name, scope, stream } => {
            if let Some(bad) = stream.iter().find(|name| !stream_name::is_valid(name)) {
                return Err(format!("{bad:?} is no valid name of a stream").into());
            }
            let scopes: Vec<Scope> = scope.into_iter().map(meant).collect();
            let streams = Some(stream).filter(|names| !names.is_empty());
            let (token, secret) = Token::create(&name, &scopes, streams)?;
            tokens.add(token)?;
            writeln!(out, "{secret}")?;
        }
        Act::List => {
            for token in tokens.list() {
                let scopes: Vec<String> =
                    token.scopes.iter().map(|scope| format!("{scope:?}").to_lowercase()).collect();
                let streams = token.streams.map_or("all streams".to_owned(), |all| all.join(", "));
                let (name, created) = (token.name, token.created);
                writeln!(out, "{name}\t{}\t{streams}\t{created}", scopes.join(", "))?;
            }
        }
        Act::Revoke { name } => {
            tokens.revoke(&name)?;
            writeln!(out, "revoked {name}")?;
        }
    }
    Ok(())
}

fn meant(allowed: Allowed) -> Scope {
    match allowed {
        Allowed::Ingest => Scope::Ingest,
        Allowed::Read => Scope::Read,
        Allowed::Admin => Scope::Admin,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::*;
    use clap::Parser as _;

    fn command(words: &[&str]) -> Result<String, Failure> {
        let mut out = Vec::new();
        Cli::try_parse_from([&["logbeacon", "token"], words].concat())?.run(&mut out)?;
        Ok(String::from_utf8(out)?)
    }

    #[test]
    fn a_token_is_made_listed_and_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().to_str().unwrap();
        let create = ["create", "shop", "--scope", "ingest", "--stream", "web", "--data-dir", dir];
        let secret = command(&create).unwrap();
        let tokens = Tokens::open(std::path::Path::new(dir), None).unwrap();
        assert!(tokens.grant(secret.trim()).unwrap().allows(Scope::Ingest));
        let list = command(&["list", "--data-dir", dir]).unwrap();
        assert!(list.starts_with("shop\tingest\tweb\t") && !list.contains(secret.trim()));
        command(&["revoke", "shop", "--data-dir", dir]).unwrap();
        assert_eq!(command(&["list", "--data-dir", dir]).unwrap(), "");
        let bad = ["create", "x", "--scope", "read", "--stream", "../x", "--data-dir", dir];
        assert!(command(&bad).unwrap_err().to_string().contains("../x"));
    }
}
