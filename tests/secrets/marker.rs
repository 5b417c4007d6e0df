//! Marker: what stands for a secret, and how it is found again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::{Path, PathBuf};

/// All that were planted, each with where.
#[derive(Default)]
pub(crate) struct Planted {
    markers: Vec<(String, String)>,
}

/// So many characters of a secret are enough to give it away.
const HALF: usize = 10;

impl Planted {
    /// A new marker, unlike any other: 20 letters and digits.
    pub(crate) fn marker(&mut self, place: impl Into<String>) -> String {
        let n = self.markers.len() as u64;
        let half = |n: u64| format!("{:010x}", mix(n) >> 24);
        let marker = half(2 * n) + &half(2 * n + 1);
        self.markers.push((marker.clone(), place.into()));
        marker
    }

    pub(crate) fn len(&self) -> usize {
        self.markers.len()
    }

    /// None of them is in that text, be it a half or encoded.
    #[track_caller]
    pub(crate) fn assert_absent(&self, what: &str, text: &[u8]) {
        assert_absent(&self.markers, what, text);
    }

    /// The one planted last is not in that text.
    #[track_caller]
    pub(crate) fn assert_last_absent(&self, what: &str, text: &[u8]) {
        assert_absent(&self.markers[self.len() - 1..], what, text);
    }

    /// Where those were planted that are in that text.
    pub(crate) fn found(&self, text: &[u8]) -> Vec<&str> {
        found(&self.markers, text)
    }

    /// None of them is in a file there.
    #[track_caller]
    pub(crate) fn assert_absent_in_files(&self, directory: &Path) {
        for path in files(directory) {
            self.assert_absent(&path.display().to_string(), &std::fs::read(&path).unwrap());
        }
    }
}

#[track_caller]
fn assert_absent(markers: &[(String, String)], what: &str, text: &[u8]) {
    let found = found(markers, text);
    let shown = String::from_utf8_lossy(text);
    let is_found = |line: &&str| !self::found(markers, line.as_bytes()).is_empty();
    let shown = if found.is_empty() { None } else { shown.lines().find(is_found) };
    assert!(found.is_empty(), "in {what}: {found:#?}\n{}", shown.unwrap_or_default());
}

/// Where those were planted that are in that text.
fn found<'a>(markers: &'a [(String, String)], text: &[u8]) -> Vec<&'a str> {
    let text = String::from_utf8_lossy(text);
    markers.iter().filter(|(marker, _)| is_in(marker, &text)).map(|(_, place)| &**place).collect()
}

/// Whether it is there, be it a half or encoded.
pub(crate) fn is_in(marker: &str, text: &str) -> bool {
    needles(marker).any(|needle| text.contains(&needle))
}

/// All files below.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let paths = directory.read_dir().unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Both halves, and what base64 makes of them wherever they begin.
fn needles(marker: &str) -> impl Iterator<Item = String> {
    let halves = marker.as_bytes().chunks(HALF).map(|half| String::from_utf8_lossy(half));
    halves.flat_map(|half| {
        let encoded = |before: usize| {
            let text = STANDARD.encode("-".repeat(before) + &half);
            // The first and last characters depend on what stands around.
            text[(before * 8).div_ceil(6)..(before + HALF) * 8 / 6].to_owned()
        };
        [half.to_string(), encoded(0), encoded(1), encoded(2)]
    })
}

/// A number that looks like none of its neighbours (the mixer of splitmix64).
fn mix(n: u64) -> u64 {
    let mut z = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn a_marker_is_found_whole_by_half_and_in_base64() {
    let mut planted = Planted::default();
    let marker = planted.marker("here");
    for text in [
        marker.clone(),
        format!("x{}y", &marker[..HALF]),
        marker[HALF..].to_owned(),
        STANDARD.encode(&marker),
        STANDARD.encode(format!("u:{marker}@host")),
        STANDARD.encode(format!("us:{marker}")),
    ] {
        assert_eq!(found(&planted.markers, text.as_bytes()).len(), 1, "{text}");
    }
    let other = planted.marker("there");
    assert_eq!(found(&planted.markers, other.as_bytes()), ["there"]);
    assert!(found(&planted.markers, &marker.as_bytes()[1..HALF]).is_empty());
}
