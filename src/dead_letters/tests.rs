//! Letters are listed, sent again and dropped as they are chosen, and none is lost in between.

use super::*;

fn line(n: usize, why: &str) -> String {
    format!(
        "{{\"refused_at\":\"2026-02-19T10:30:00.000000+00:00\",\"why\":\"{why}\",\"id\":\"{n}\",\
         \"records\":1,\"message\":{{\"n\":{n}}}}}\n"
    )
}

/// A directory with ten letters of each of two destinations, in two files each.
fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["logbeacon", "telegram_developer"] {
        let file = LetterFile::new(dir.path(), name);
        for n in 0..10 {
            let why = if n % 2 == 0 { "HTTP status 413" } else { "HTTP status 422" };
            file.append(line(n, why).as_bytes(), 1_000).unwrap();
        }
    }
    dir
}

fn listed(dead: &DeadLetters, which: &Selection) -> Vec<String> {
    let mut all = Vec::new();
    dead.list(which, &mut |letter| all.push(format!("{} {}", letter.destination, letter.id)))
        .unwrap();
    all
}

fn handed_over(dir: &Path, name: &str) -> usize {
    let files = std::fs::read_dir(dir.join(format!("{name}.replay"))).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    texts.map(|text| text.lines().count()).sum()
}

#[test]
fn letters_are_listed_oldest_first_and_as_they_are_chosen() {
    let dir = directory();
    assert!(dir.path().join("logbeacon.dead.1").exists());
    let dead = DeadLetters::open(dir.path()).unwrap();
    let all = Selection::default();
    let listed_all = listed(&dead, &all);
    assert_eq!(listed_all.len(), 20);
    assert_eq!(listed_all[..2], ["logbeacon 0", "logbeacon 1"]);
    let which = Selection {
        destinations: vec!["telegram".to_owned()],
        reason: Some("413".to_owned()),
        ..all
    };
    let expected = [0, 2, 4, 6, 8].map(|n| format!("telegram_developer {n}"));
    assert_eq!(listed(&dead, &which), expected);
}

#[test]
fn what_is_sent_again_or_dropped_leaves_the_files_and_nothing_else_does() {
    let dir = directory();
    // What is no letter stays, and what a kill has left of a line does not swallow the next one.
    let newer = dir.path().join("logbeacon.dead");
    let mut text = std::fs::read_to_string(&newer).unwrap();
    text.push_str("{\"refused_at\":\"2026");
    std::fs::write(&newer, &text).unwrap();
    LetterFile::new(dir.path(), "logbeacon").append(line(10, "late").as_bytes(), 10_000).unwrap();

    let dead = DeadLetters::open(dir.path()).unwrap();
    let ids = |ids: &[&str]| Selection {
        ids: ids.iter().map(|&id| id.to_owned()).collect(),
        destinations: vec!["logbeacon".to_owned()],
        ..Selection::default()
    };
    assert_eq!(dead.replay(&ids(&["0", "7", "10"])).unwrap(), 3);
    assert_eq!(handed_over(dir.path(), "logbeacon"), 3);
    assert_eq!(dead.discard(&ids(&["1", "7"])).unwrap(), 1);
    let left = listed(&dead, &ids(&[]));
    assert_eq!(left, [2, 3, 4, 5, 6, 8, 9].map(|n| format!("logbeacon {n}")));
    let text = std::fs::read_to_string(&newer).unwrap();
    assert!(text.contains("{\"refused_at\":\"2026\n"), "{text}");
    let names: Vec<_> = dir.path().read_dir().unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".tmp")), "{names:?}");
}

#[test]
fn letters_that_are_added_meanwhile_are_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let dead = DeadLetters::open(dir.path()).unwrap();
    let file = LetterFile::new(dir.path(), "logbeacon");
    let mut taken = 0;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (0..300).for_each(|n| file.append(line(n, "no").as_bytes(), 1 << 20).unwrap());
        });
        while !writer.is_finished() {
            taken += dead.replay(&Selection::default()).unwrap();
        }
    });
    taken += dead.replay(&Selection::default()).unwrap();
    assert_eq!(taken, 300);
    assert_eq!(handed_over(dir.path(), "logbeacon"), 300);
}

#[test]
fn a_directory_that_is_not_there_is_an_error_that_names_it() {
    let error = DeadLetters::open("no/such/directory").unwrap_err();
    assert!(error.to_string().contains("no/such/directory"), "{error}");
}
