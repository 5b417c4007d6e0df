//! Who may do what: every route for every role, streams, sessions, and pages of other sites.

use super::support::{ADMIN, Running, encoded};
use logbeacon::http::{Right, routes};
use logbeacon::token::Scope;

/// A path of the route's pattern.
fn concrete(path: &str) -> String {
    path.replace("{name}", "x").replace("{index}", "x")
}

#[test]
fn every_route_lets_in_exactly_the_roles_that_its_right_allows() {
    let server = Running::start();
    let ingest = server.token("ingest", Scope::Ingest, &[]);
    let read = server.token("read", Scope::Read, &[]);
    let roles = [
        ("nobody", None),
        ("unknown", Some("lb_unknown".to_owned())),
        ("ingest", Some(ingest)),
        ("read", Some(read)),
        ("admin", Some(ADMIN.to_owned())),
    ];
    for route in routes() {
        for (role, secret) in &roles {
            // A tail does not end by itself.
            let path = match route.path {
                "/api/v1/tail" => "/api/v1/tail?query=%7Cstats".to_owned(),
                path => concrete(path),
            };
            let bearer = secret.as_ref().map(|secret| format!("Bearer {secret}"));
            let headers: Vec<(&str, &str)> =
                bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
            let answer = server.request(route.method.as_str(), &path, &headers, b"");
            let allowed = matches!(
                (route.right, *role),
                (Right::Anyone, _)
                    | (_, "admin")
                    | (Right::Ingest, "ingest")
                    | (Right::Read, "read")
            );
            let what = format!("{} {path} by {role}: {}", route.method, answer.status);
            // Without a token a log-in fails too, but says so itself; so does an unknown one there.
            let shows_token = route.method == "POST" || *role == "unknown";
            let is_login = route.path == "/session" && route.method != "DELETE" && shows_token;
            match (allowed, secret.is_some() && *role != "unknown") {
                _ if is_login => assert!([401, 429].contains(&answer.status), "{what}"),
                (true, _) => assert!(![401, 403].contains(&answer.status), "{what}"),
                (false, true) => assert_eq!(answer.status, 403, "{what}"),
                (false, false) => assert!([401, 429].contains(&answer.status), "{what}"),
            }
        }
    }
}

#[test]
fn a_token_of_some_streams_writes_and_sees_nothing_else() {
    let server = Running::start();
    let write = server.token("write", Scope::Ingest, &["web"]);
    let read = server.token("read", Scope::Read, &["web"]);
    let post = |path: &str, body: &str| {
        let bearer = format!("Bearer {write}");
        server.request("POST", path, &[("authorization", &bearer)], body.as_bytes())
    };
    assert_eq!(post("/api/logs", "{\"message\":\"mine\"}").json()["accepted"], 1);
    // What a person can mend is not final: the sender keeps its records.
    assert_eq!(post("/api/logs?stream=other", "{\"message\":\"theirs\"}").status, 403);
    let bulk = "{\"index\":{\"_index\":\"other\"}}\n{\"message\":\"theirs\"}\n";
    let foreign = post("/_bulk", bulk).json();
    assert_eq!(foreign["items"][0]["index"]["error"]["type"], "forbidden");
    for stream in ["_audit", "_refused", "..%2Fx", "a%2Fb"] {
        assert_eq!(post(&format!("/api/logs?stream={stream}"), "{}").status, 400, "{stream}");
    }
    server.logs("{\"message\":\"default\"}");
    let bearer = format!("Bearer {read}");
    let get = |path: &str| server.request("GET", path, &[("authorization", &bearer)], b"");
    for query in ["*", "-stream:=web", "stream:=default or stream:=_refused", "not (stream:=web)"] {
        let (rows, _) = get(&format!("/api/v1/search?query={}", encoded(query))).rows();
        assert!(rows.iter().all(|row| row["stream"] == "web"), "{query}: {rows:?}");
    }
    let (counts, _) = get("/api/v1/search?query=*%7Cstats%20count()%20by%20stream").rows();
    assert_eq!(counts.len(), 1, "{counts:?}");
    let statistics = get("/api/v1/statistics?by=stream").json();
    assert_eq!(statistics["statistics"].as_array().unwrap().len(), 1);
    let (rows, _) = get("/api/v1/context?time=now").rows();
    assert!(rows.iter().all(|row| row["stream"] == "web"));
    for path in ["/api/v1/devices", "/api/v1/completeness", "/api/v1/fields"] {
        assert_eq!(get(path).status, 403, "{path} is about all streams");
    }
}

#[test]
fn the_audit_stream_is_for_admins_only() {
    let server = Running::start();
    let read = server.token("read", Scope::Read, &[]);
    let login = server.request("POST", "/session", &[], format!("token={ADMIN}").as_bytes());
    assert_eq!(login.status, 200);
    let audit = server.search("stream:=_audit");
    assert_eq!((audit.len(), &audit[0]["message"]), (1, &"logged in".into()));
    let bearer = format!("Bearer {read}");
    let search = "/api/v1/search?query=stream%3A%3D_audit%20or%20*";
    let seen = server.request("GET", search, &[("authorization", &bearer)], b"").rows().0;
    assert!(seen.iter().all(|row| row["stream"] != "_audit"), "{seen:?}");
    let loki = "/loki/api/v1/query_range?query=%7Bstream%3D%22_audit%22%7D";
    let seen = server.request("GET", loki, &[("authorization", &bearer)], b"").json();
    assert_eq!(seen["data"]["result"].as_array().unwrap().len(), 0);
    let statistics =
        server.request("GET", "/api/v1/statistics", &[("authorization", &bearer)], b"");
    assert!(!statistics.body.contains("_audit"));
}

#[test]
fn a_session_is_a_cookie_that_scripts_cannot_read_and_ends() {
    let server = Running::start();
    let login = server.request("POST", "/session", &[], format!("token={ADMIN}").as_bytes());
    let cookie = login.header("set-cookie").unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!login.body.contains(ADMIN) && !cookie.contains(ADMIN));
    let cookie = cookie.split(';').next().unwrap();
    let asked = |headers: &[(&str, &str)]| server.request("GET", "/session", headers, b"");
    let who = |cookie: &str| asked(&[("cookie", cookie)]).json()["name"].clone();
    assert_eq!(who(cookie), "LOGBEACON_TOKEN");
    assert_eq!(who("logbeacon_session=0"), serde_json::Value::Null);
    server.request("DELETE", "/session", &[("cookie", cookie)], b"");
    assert_eq!(who(cookie), serde_json::Value::Null);
    assert_eq!(asked(&[("authorization", "Bearer wrong")]).status, 401, "tokens cannot be tried");
    assert_eq!(server.request("POST", "/session", &[], b"token=wrong").status, 401);
    assert_eq!(server.request("POST", "/session", &[], b"token=").status, 401);
}

#[test]
fn pages_of_other_sites_reach_nothing_and_answers_stay_in_their_frame() {
    let server = Running::start();
    for path in ["/api/v1/search", "/session", "/api/v1/tail", "/health"] {
        let headers = [("authorization", "Bearer secret"), ("origin", "http://evil.example")];
        let answer = server.request("GET", path, &headers, b"");
        assert_eq!(answer.status, 403, "{path}");
    }
    let answer = server.get("/health");
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn the_page_has_no_inline_script_and_takes_nothing_from_elsewhere() {
    let server = Running::start();
    let html = [("accept", "text/html")];
    let index = server.request("GET", "/", &html, b"");
    let docs = server.request("GET", "/docs", &html, b"");
    for page in [&index.body, &docs.body] {
        assert!(page.contains("<!doctype html>"));
        assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
        for part in page.split("<script").skip(1) {
            assert!(part.trim_start().starts_with("src=\"/"), "{part}");
        }
        assert!(!page.contains("onclick") && !page.contains("style="));
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/page");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let answer = server.request("GET", &format!("/page/{name}"), &[], b"");
        assert_eq!(answer.status, 200, "{name}");
        let text = answer.body;
        for dangerous in ["innerHTML", "outerHTML", "document.write", "eval(", "insertAdjacent"] {
            assert!(!text.contains(dangerous), "{name} uses {dangerous}");
        }
        // How the page looks is kept there, and nothing else.
        let stores = text.contains("localStorage") || text.contains("sessionStorage");
        assert_eq!(stores, name == "settings.js", "{name}");
    }
}

#[test]
fn paths_lead_nowhere_else() {
    let server = Running::start();
    for path in [
        "/..%2f..%2fetc%2fpasswd",
        "/api/v1/views/..%2ftokens.json/x",
        "/page/../tokens.json",
        "/tokens.json",
        "/api/v1/admin",
        "//api/v1/retention",
        "/api/v1/retention/",
        "/API/V1/retention",
    ] {
        let answer = server.request("GET", path, &[], b"");
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.status);
    }
}

#[test]
fn who_guesses_tokens_is_slowed_down_and_others_are_not() {
    let server = Running::start();
    let guess = || {
        server.request("GET", "/api/v1/search", &[("authorization", "Bearer guess")], b"").status
    };
    let answers: Vec<u16> = (0..60).map(|_| guess()).collect();
    assert!(answers.contains(&401) && answers.contains(&429), "{answers:?}");
    assert_eq!(server.get("/api/v1/search").status, 200);
}

#[test]
fn a_reader_reaches_no_route_of_admins_by_another_spelling() {
    let server = Running::start();
    let read = format!("Bearer {}", server.token("read", Scope::Read, &[]));
    let ask = |path: &str, more: &[(&str, &str)]| {
        let headers = [&[("authorization", read.as_str())], more].concat();
        server.request("GET", path, &headers, b"")
    };
    assert_eq!(ask("/api/v1/retention", &[]).status, 403);
    for path in [
        "/loki/api/v1/label/..%2F..%2F..%2F..%2Fapi%2Fv1%2Fretention/values",
        "/loki/api/v1/label/%252e%252e%252fretention/values",
        "/loki/api/v1/detected_field/..%2F..%2Fretention/values",
        "/loki/api/v1/%2e%2e/%2e%2e/%2e%2e/api/v1/retention",
        "/api/v1/views/..%2Fretention",
        "/api/v1/search/..%2Fretention",
        "/api/v1//retention",
        "/api/v1/retention%20",
        "/api/v1/retention;x",
        "/api/v1/%72etention",
    ] {
        let answer = ask(path, &[]);
        assert!(!answer.body.contains("rules"), "{path}: {}", answer.body);
    }
    for name in ["x-original-url", "x-rewrite-url", "x-forwarded-uri", "x-http-method-override"] {
        let answer = ask("/api/v1/fields", &[(name, "/api/v1/retention")]);
        assert!(!answer.body.contains("rules"), "{name}");
    }
    // Nor does a name of a tenant mean anything.
    let scope = [("x-scope-orgid", "../../_audit")];
    assert!(!ask("/api/v1/search?query=*", &scope).body.contains("_audit"));
}

#[test]
fn a_role_that_a_request_claims_counts_for_nothing() {
    let server = Running::start();
    let read = server.token("read", Scope::Read, &[]);
    let body = format!("token={read}&scope=admin&role=root&scopes=admin");
    let login = server.request("POST", "/session", &[], body.as_bytes());
    let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let ask = |path: &str| server.request("GET", path, &[("cookie", &cookie)], b"").status;
    assert_eq!((ask("/api/v1/search"), ask("/api/v1/retention")), (200, 403));
}
