//! Names: the fields of ECS that programs write, and what Elasticsearch takes in each.
//!
//! Knows ECS 8.11. Does not know records. ECS's objects (`http.request`) are no names: a value
//! there makes Elasticsearch refuse the whole document, as does a text where it has a number.

use crate::base::clock::unix_us_of;
use crate::record::fields::Value;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::LazyLock;

/// What Elasticsearch takes in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    /// `keyword`, `wildcard` and `match_only_text`.
    Text,
    Long,
    Float,
    Bool,
    Ip,
    Date,
}

/// Whether ECS has a field of that name, and it takes the value.
pub(super) fn takes(name: &str, value: &Value<'_>) -> bool {
    static TYPES: LazyLock<HashMap<String, Type>> = LazyLock::new(types);
    TYPES.get(name).is_some_and(|of_field| of_field.takes(value))
}

impl Type {
    fn takes(self, value: &Value<'_>) -> bool {
        match (self, *value) {
            (_, Value::Json(_) | Value::Error(_) | Value::Bytes(_)) => false,
            (Self::Text, _) => true,
            (Self::Long, Value::Str(text)) => text.parse::<i64>().is_ok(),
            (Self::Long, value) => is_long(&value),
            (Self::Float, Value::F64(number)) => (number as f32).is_finite(),
            (Self::Float, Value::Str(text)) => text.parse::<f32>().is_ok_and(f32::is_finite),
            (Self::Float, value) => is_long(&value),
            (Self::Bool, value) => matches!(value, Value::Bool(_) | Value::Str("true" | "false")),
            (Self::Ip, Value::Str(text)) => text.parse::<IpAddr>().is_ok(),
            (Self::Date, Value::Str(text)) => is_date(text),
            (Self::Date, value) => is_long(&value),
            (Self::Ip, _) => false,
        }
    }
}

/// Whether it is a moment as ISO 8601 writes it in full.
fn is_date(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_digit() || b"-:.+TZ".contains(&byte);
    text.bytes().all(is_part) && unix_us_of(text).is_some()
}

/// Whether it is a whole number of 64 bits with sign.
fn is_long(value: &Value<'_>) -> bool {
    match *value {
        Value::I64(_) => true,
        Value::U64(number) => i64::try_from(number).is_ok(),
        Value::I128(number) => i64::try_from(number).is_ok(),
        Value::U128(number) => i64::try_from(number).is_ok(),
        _ => false,
    }
}

fn types() -> HashMap<String, Type> {
    let mut types = HashMap::new();
    for (sets, of_field, names) in FIELDS {
        for set in sets.split(' ') {
            types.extend(names.split(' ').map(|name| (format!("{set}.{name}"), of_field)));
        }
    }
    types
}

/// Field sets, a type, and the names of that type in each of these sets.
const FIELDS: [(&str, Type, &str); 48] = [
    (
        "client destination server source",
        Type::Text,
        "address domain geo.city_name geo.continent_code geo.continent_name \
         geo.country_iso_code geo.country_name geo.name geo.postal_code \
         geo.region_iso_code geo.region_name geo.timezone mac registered_domain \
         subdomain top_level_domain user.domain user.email user.full_name \
         user.group.domain user.group.id user.group.name user.id user.name user.roles",
    ),
    ("client destination server source", Type::Long, "bytes nat.port packets port"),
    ("client destination server source", Type::Ip, "ip nat.ip"),
    (
        "cloud",
        Type::Text,
        "account.id account.name availability_zone instance.id instance.name \
         machine.type project.id project.name provider region service.name",
    ),
    ("container", Type::Float, "cpu.usage memory.usage"),
    (
        "container",
        Type::Long,
        "disk.read.bytes disk.write.bytes network.egress.bytes network.ingress.bytes",
    ),
    ("container", Type::Text, "id image.name image.tag name runtime"),
    ("container", Type::Bool, "security_context.privileged"),
    ("dns", Type::Text, "header_flags id op_code response_code type"),
    ("dns", Type::Ip, "resolved_ip"),
    ("error", Type::Text, "code id message stack_trace type"),
    (
        "event",
        Type::Text,
        "action agent_id_status category code dataset id kind module original outcome \
         provider reason reference timezone type url",
    ),
    ("event", Type::Date, "created end ingested start"),
    ("event", Type::Long, "duration sequence severity"),
    ("event", Type::Float, "risk_score risk_score_norm"),
    ("faas", Type::Bool, "coldstart"),
    ("faas", Type::Text, "execution id name trigger.request_id trigger.type version"),
    ("file", Type::Date, "accessed created ctime mtime"),
    (
        "file",
        Type::Text,
        "attributes device directory drive_letter extension fork_name gid group inode \
         mime_type mode name owner path target_path type uid",
    ),
    ("file", Type::Long, "size"),
    ("group", Type::Text, "domain id name"),
    (
        "host",
        Type::Text,
        "architecture boot.id domain geo.city_name geo.continent_code \
         geo.continent_name geo.country_iso_code geo.country_name geo.name \
         geo.postal_code geo.region_iso_code geo.region_name geo.timezone hostname id \
         mac name os.family os.full os.kernel os.name os.platform os.type os.version \
         pid_ns_ino type",
    ),
    ("host", Type::Float, "cpu.usage"),
    (
        "host",
        Type::Long,
        "disk.read.bytes disk.write.bytes network.egress.bytes network.egress.packets \
         network.ingress.bytes network.ingress.packets uptime",
    ),
    ("host", Type::Ip, "ip"),
    (
        "http",
        Type::Long,
        "request.body.bytes request.bytes response.body.bytes response.bytes \
         response.status_code",
    ),
    (
        "http",
        Type::Text,
        "request.body.content request.id request.method request.mime_type \
         request.referrer response.body.content response.mime_type version",
    ),
    (
        "log",
        Type::Text,
        "file.path level logger syslog.appname syslog.facility.name syslog.hostname \
         syslog.msgid syslog.procid syslog.severity.name syslog.version",
    ),
    ("log", Type::Long, "syslog.facility.code syslog.priority syslog.severity.code"),
    (
        "network",
        Type::Text,
        "application community_id direction iana_number name protocol transport type \
         vlan.id vlan.name",
    ),
    ("network", Type::Long, "bytes packets"),
    ("network", Type::Ip, "forwarded_ip"),
    (
        "orchestrator",
        Type::Text,
        "api_version cluster.id cluster.name cluster.url cluster.version namespace \
         organization resource.annotation resource.id resource.label resource.name \
         resource.type type",
    ),
    ("orchestrator", Type::Ip, "resource.ip"),
    ("organization", Type::Text, "id name"),
    (
        "process",
        Type::Text,
        "args command_line entity_id env_vars executable name \
         thread.capabilities.permitted thread.name title user.id user.name \
         working_directory",
    ),
    ("process", Type::Long, "args_count exit_code pgid pid thread.id uptime vpid"),
    ("process", Type::Date, "end start"),
    ("process", Type::Bool, "interactive"),
    (
        "service",
        Type::Text,
        "address environment ephemeral_id id name node.name node.role node.roles state \
         type version",
    ),
    ("span trace transaction", Type::Text, "id"),
    (
        "tls",
        Type::Text,
        "cipher client.certificate client.certificate_chain client.issuer client.ja3 \
         client.server_name client.subject client.supported_ciphers curve next_protocol \
         server.certificate server.certificate_chain server.issuer server.ja3s \
         server.subject version version_protocol",
    ),
    ("tls", Type::Date, "client.not_after client.not_before server.not_after server.not_before"),
    ("tls", Type::Bool, "established resumed"),
    (
        "url",
        Type::Text,
        "domain extension fragment full original password path query registered_domain \
         scheme subdomain top_level_domain username",
    ),
    ("url", Type::Long, "port"),
    ("user", Type::Text, "domain email full_name group.domain group.id group.name id name roles"),
    (
        "user_agent",
        Type::Text,
        "device.name name original os.family os.full os.kernel os.name os.platform \
         os.type os.version version",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_the_beginning_of_another() {
        let types = types();
        for name in types.keys() {
            let mut outer = name.as_str();
            while let Some((before, _)) = outer.rsplit_once('.') {
                assert!(!types.contains_key(before), "{before} is an object, {name} lies in it");
                outer = before;
            }
        }
    }

    #[test]
    fn a_field_takes_what_its_type_allows() {
        let taken = [
            ("http.request.method", Value::Str("GET")),
            ("http.response.status_code", Value::U64(200)),
            ("http.response.status_code", Value::Str("200")),
            ("user.id", Value::U64(7)),
            ("event.duration", Value::I64(5)),
            ("event.risk_score", Value::F64(0.5)),
            ("faas.coldstart", Value::Bool(true)),
            ("source.ip", Value::Str("2001:db8::1")),
            ("event.created", Value::Str("2026-02-19T10:30:00Z")),
        ];
        for (name, value) in taken {
            assert!(takes(name, &value), "{name} = {value:?}");
        }
        let refused = [
            ("http.request", Value::Str("GET /")),
            ("http.version.major", Value::U64(1)),
            ("http.request.retry", Value::U64(1)),
            ("http.response.status_code", Value::Str("OK")),
            ("event.duration", Value::U64(u64::MAX)),
            ("event.duration", Value::F64(0.5)),
            ("event.risk_score", Value::F64(f64::NAN)),
            ("faas.coldstart", Value::Str("yes")),
            ("source.ip", Value::Str("localhost")),
            ("source.geo.location", Value::Str("here")),
            ("event.created", Value::Str("yesterday")),
            ("event.created", Value::Str("2026-02-19 10:30:00Z")),
            ("user.name", Value::Json("{}")),
            ("log.syslog", Value::U64(1)),
        ];
        for (name, value) in refused {
            assert!(!takes(name, &value), "{name} = {value:?}");
        }
    }
}
