//! The page in a real Chromium: `page/main.mjs` drives it by playwright-core and looks at it with
//! axe-core, both installed from npm into the build's directory.
//!
//! Without Chromium, node or npm the test says so loudly; if the variable `CI` is set, it fails.

use super::support::{Beacon, TOKEN, has, logbeacon, missing};
use std::path::{Path, PathBuf};
use std::process::Command;

const CHROMIUM: &str = "/usr/bin/chromium";
const PACKAGES: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];

#[test]
fn the_page_does_everything_that_it_offers() {
    if !has(Path::new(CHROMIUM), "chromium") {
        return;
    }
    let Some(packages) = installed() else {
        return missing("npm, or what it installs: playwright-core and axe-core");
    };
    let beacon = Beacon::start();
    let data = beacon.data();
    let data = data.to_str().unwrap();
    let create = ["token", "create", "writer", "--scope", "ingest", "--data-dir", data];
    let (_, writer) = logbeacon(&create);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/page/main.mjs");
    let status = Command::new("node")
        .arg(script)
        .env("PAGE_URL", &beacon.url)
        .env("PAGE_TOKEN", TOKEN)
        .env("PAGE_WRITER", writer.trim())
        .env("PAGE_PACKAGES", packages)
        .env("PAGE_CHROMIUM", CHROMIUM)
        .status()
        .unwrap();
    assert!(status.success(), "what failed is above");
}

/// The directory in which node finds the packages.
fn installed() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    let is_there = PACKAGES.iter().all(|package| {
        let (name, version) = package.split_once('@').unwrap();
        let file = dir.join("node_modules").join(name).join("package.json");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.contains(&format!("\"version\": \"{version}\""))
    });
    if !is_there {
        std::fs::create_dir_all(&dir).unwrap();
        let npm = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts"])
            .arg("--prefix")
            .arg(&dir)
            .args(PACKAGES)
            .status();
        npm.ok()?.success().then_some(())?;
    }
    Some(dir)
}
