//! Suggest: the known word that a typo probably meant, by optimal string alignment distance.
//!
//! Knows typing errors. Does not know what the words mean.

/// How many edits lead from one word to the other: a letter put in, left out, changed, or swapped
/// with its neighbour. Upper and lower case are the same.
///
/// Words over 64 letters are no typing mistakes of ours: they are `usize::MAX` away.
pub fn distance(a: &str, b: &str) -> usize {
    if a.len().max(b.len()) > MAX_LETTERS {
        return usize::MAX;
    }
    let letters = |word: &str| word.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    // Row `i` holds the distances of the first `i` letters of `a` to each beginning of `b`.
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut left_letter = None;
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &to) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX);
            let changed = at(&above, j) + usize::from(from != to);
            let mut best = changed.min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let previous = j.checked_sub(1);
            if let Some(j) = previous
                && left_letter == Some(to)
                && b.get(j) == Some(&from)
            {
                best = best.min(at(&before, j) + 1);
            }
            row.push(best);
        }
        left_letter = Some(from);
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

/// The known word closest to `word`, if it is close enough to be a typing mistake: one edit, and
/// one more for each three letters beyond the third.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let allowed = 1 + word.chars().count().saturating_sub(3) / 3;
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|&(distance, _)| distance <= allowed)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

const MAX_LETTERS: usize = 64;

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn each_kind_of_slip_is_one_edit() {
        for slip in ["inf0", "inof", "inffo", "inf", "INFO", "nfo"] {
            assert!(distance(slip, "info") <= 1, "{slip}");
        }
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("debgu", "debug"), 1);
        assert_eq!(distance(&"a".repeat(65), "a"), usize::MAX);
    }

    #[test]
    fn a_word_unlike_all_others_has_no_nearest() {
        let known = ["max_bytes", "backup_count", "name"];
        assert_eq!(nearest("max_byte", known), Some("max_bytes"));
        assert_eq!(nearest("backups_count", known), Some("backup_count"));
        assert_eq!(nearest("rotation", known), None);
        assert_eq!(nearest("", known), None);
    }
}
