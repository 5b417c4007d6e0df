//! Options: the engine that lists, reads, checks and documents options. It knows no option itself.
//!
//! A program declares its options once, with [`section!`] and [`choices!`]. From that one list come
//! the structs with their defaults, the reading of YAML ([`file`](mod@file), [`yaml`], [`read`]),
//! of the environment ([`env`](mod@env)) and of the command line ([`flags`]), the checks with all
//! mistakes at once ([`report`]), the commented reference file ([`write`](mod@write)) and the JSON
//! Schema ([`schema`]).
//!
//! ```
//! use logwell_options::read::read;
//! use logwell_options::report::Report;
//! use logwell_options::section::Section as _;
//! use logwell_options::value::{count, flag};
//! use logwell_options::{section, yaml};
//!
//! section! {
//!     /// How the server listens.
//!     pub struct Server {
//!         /// Whether it listens at all.
//!         enabled: bool = true => flag();
//!         /// How many connections it has at most.
//!         connections: u32 = 100 => count(1, 10_000);
//!     }
//! }
//!
//! let mut server = Server::default();
//! let mut report = Report::default();
//! read(&mut server.entries(), &yaml::parse("connections: 7").unwrap(), &mut report);
//! assert!(report.finish().is_ok());
//! assert_eq!(server.connections, 7);
//!
//! let mut report = Report::default();
//! read(&mut server.entries(), &yaml::parse("conections: 8").unwrap(), &mut report);
//! let problems = report.finish().unwrap_err();
//! assert_eq!(problems[0].help, "did you mean `connections`?");
//! ```

pub mod choice;
pub mod env;
pub mod file;
pub mod flags;
pub mod problem;
pub mod raw_value;
pub mod read;
pub mod report;
pub mod schema;
pub mod secret;
pub mod section;
pub mod suggest;
pub mod units;
pub mod value;
pub mod write;
pub mod yaml;
