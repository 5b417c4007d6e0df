//! About: what a part says about itself, beyond what Parquet says: one JSON object in its footer.
//!
//! Knows: the object's members (docs/store-format.md, "Footer"). Must not know: files, columns'
//! values. In: members, or a text of any origin. Out: a text, or members.

use super::columns::{Kind, Origin};
use crate::rollup::{Devices, Minutes};
use crate::store::Device;
use serde_json::{Value, json};

/// What a part says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct About {
    pub(crate) groups: Vec<Group>,
    /// Which fields the columns belong to that are not the same in every part.
    pub(crate) origins: Vec<Origin>,
    /// The names of the fields in the column `rest`.
    pub(crate) rest: Vec<String>,
    pub(crate) minutes: Minutes,
    pub(crate) devices: Devices,
    /// The numbers of the parts that this one was made of, and replaces.
    pub(crate) replaces: Vec<u64>,
    /// The checksums of the blocks before the footer.
    pub(crate) checksums: Vec<u32>,
}

/// What is known of a row group without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) rows: u64,
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    /// Where the token filters of its text columns are.
    pub(crate) filters: Vec<FilterPlace>,
}

/// Where the token filter of a column is in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilterPlace {
    pub(crate) column: String,
    pub(crate) at: u64,
    pub(crate) bytes: u64,
}

impl About {
    pub(crate) fn to_text(&self) -> String {
        let filter = |place: &FilterPlace| json!([place.column, place.at, place.bytes]);
        let group = |group: &Group| {
            let filters: Vec<Value> = group.filters.iter().map(filter).collect();
            json!([group.rows, group.first_ns, group.last_ns, filters])
        };
        let groups: Vec<Value> = self.groups.iter().map(group).collect();
        let columns: Vec<Value> = self
            .origins
            .iter()
            .map(|origin| json!([origin.column, origin.field, origin.kind.name()]))
            .collect();
        let minutes: Vec<Value> = self
            .minutes
            .iter()
            .map(|((minute, rank), stream, count)| json!([minute, stream, rank, count]))
            .collect();
        let hosts: Vec<Value> = self
            .devices
            .iter()
            .map(|host| json!([host.host, host.last_event_ns, host.last_arrived_ns, host.count]))
            .collect();
        let checksums: String = self.checksums.iter().map(|sum| format!("{sum:08x}")).collect();
        json!({
            "version": VERSION,
            "groups": groups,
            "columns": columns,
            "rest": self.rest,
            "minutes": minutes,
            "hosts": hosts,
            "replaces": self.replaces,
            "checksums": checksums,
        })
        .to_string()
    }

    /// Reads the object. `Err` says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match value.get("version").and_then(Value::as_u64) {
            Some(VERSION) => {}
            Some(version) => return Err(format!("version {version}, and this reads {VERSION}")),
            None => return Err("it has no version".to_owned()),
        }
        Self::read(&value).ok_or_else(|| "a member is missing or malformed".to_owned())
    }

    fn read(value: &Value) -> Option<Self> {
        let mut about = Self::default();
        let filter = |place: &Value| {
            let column = place.get(0)?.as_str()?.to_owned();
            let (at, bytes) = (place.get(1)?.as_u64()?, place.get(2)?.as_u64()?);
            Some(FilterPlace { column, at, bytes })
        };
        for group in value.get("groups")?.as_array()? {
            about.groups.push(Group {
                rows: group.get(0)?.as_u64()?,
                first_ns: group.get(1)?.as_i64()?,
                last_ns: group.get(2)?.as_i64()?,
                filters: group.get(3)?.as_array()?.iter().map(filter).collect::<Option<_>>()?,
            });
        }
        for column in value.get("columns")?.as_array()? {
            let kind = column.get(2)?.as_str()?;
            about.origins.push(Origin {
                column: column.get(0)?.as_str()?.to_owned(),
                field: column.get(1)?.as_str()?.to_owned(),
                kind: Kind::ALL.into_iter().find(|known| known.name() == kind)?,
            });
        }
        for name in value.get("rest")?.as_array()? {
            about.rest.push(name.as_str()?.to_owned());
        }
        for entry in value.get("minutes")?.as_array()? {
            let rank = u8::try_from(entry.get(2)?.as_u64()?).ok()?;
            let key = (entry.get(0)?.as_i64()?, rank);
            about.minutes.add_count(key, entry.get(1)?.as_str()?, entry.get(3)?.as_u64()?);
        }
        for host in value.get("hosts")?.as_array()? {
            about.devices.add_device(Device {
                host: host.get(0)?.as_str()?.to_owned(),
                last_event_ns: host.get(1)?.as_i64()?,
                last_arrived_ns: host.get(2)?.as_i64()?,
                count: host.get(3)?.as_u64()?,
            });
        }
        for number in value.get("replaces")?.as_array()? {
            about.replaces.push(number.as_u64()?);
        }
        let checksums = value.get("checksums")?.as_str()?.as_bytes().chunks(8);
        for checksum in checksums {
            let digits = std::str::from_utf8(checksum).ok()?;
            about.checksums.push(u32::from_str_radix(digits, 16).ok()?);
        }
        Some(about)
    }
}

/// The key of the object among the footer's key-values.
pub(crate) const KEY: &str = "logbeacon";

/// The version of the object, and of the schema.
const VERSION: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use logwell_query::Level;

    #[test]
    fn what_a_part_says_about_itself_comes_back() {
        let mut about = About {
            groups: vec![Group {
                rows: 3,
                first_ns: -5,
                last_ns: 7,
                filters: vec![FilterPlace { column: "message".to_owned(), at: 9, bytes: 64 }],
            }],
            origins: vec![Origin {
                column: "status.text".to_owned(),
                field: "status".to_owned(),
                kind: Kind::Text,
            }],
            rest: vec!["rare".to_owned()],
            replaces: vec![4, 5],
            checksums: vec![0, u32::MAX],
            ..About::default()
        };
        about.minutes.add(-1, "audit", Level::Warn);
        about.devices.add("node1", 5, 6);
        assert_eq!(About::parse(&about.to_text()), Ok(about));
    }

    #[test]
    fn another_version_is_refused_with_its_number() {
        let text = About::default().to_text().replace("\"version\":1", "\"version\":2");
        assert_eq!(About::parse(&text), Err("version 2, and this reads 1".to_owned()));
        assert!(About::parse("{").is_err() && About::parse("{\"version\":1}").is_err());
    }
}
