//! Views: searches that somebody has saved.
//!
//! Knows the file `views.json` of the data directory. A view is data that the page understands; its
//! name is a key, never a path. Bounded in number and size.

use crate::file;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A saved search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Who saved it: the name of the token. Only that token and admins may change it.
    pub owner: String,
    /// What the page shows: query, range, columns.
    pub view: serde_json::Value,
}

/// The saved searches of a server.
#[derive(Debug)]
pub struct Views {
    path: PathBuf,
    views: Mutex<BTreeMap<String, View>>,
}

/// Views at most.
pub const MAX_VIEWS: usize = 1000;
/// Bytes of one view at most.
pub const MAX_VIEW_BYTES: usize = 64 << 10;

/// Why a view was not changed.
#[derive(Debug)]
pub enum ViewError {
    /// No view has that name.
    Unknown,
    /// It is somebody else's.
    Foreign(String),
    /// There are too many.
    TooMany,
    /// The file cannot be read or written.
    File(PathBuf, std::io::Error),
}

impl std::fmt::Display for ViewError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no view of that name"),
            Self::Foreign(owner) => write!(f, "the view is that of {owner:?}"),
            Self::TooMany => write!(f, "there are {MAX_VIEWS} views already"),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for ViewError {}

/// Who changes a view.
#[derive(Debug, Clone, Copy)]
pub struct Editor<'a> {
    /// The name of the token.
    pub name: &'a str,
    /// Whether views of others may be changed.
    pub is_admin: bool,
}

impl Views {
    /// Reads the views of a data directory.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn open(data_dir: &Path) -> Result<Self, ViewError> {
        let path = data_dir.join("views.json");
        let failed = |error| ViewError::File(path.clone(), error);
        let views = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| failed(error.into()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(failed(error)),
        };
        Ok(Self { path, views: Mutex::new(views) })
    }

    /// All views, by name.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, View> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Saves a view.
    ///
    /// # Errors
    ///
    /// See [`ViewError`].
    pub fn put(
        &self,
        name: &str,
        view: serde_json::Value,
        editor: Editor<'_>,
    ) -> Result<(), ViewError> {
        self.change(|views| {
            let owner = match views.get(name) {
                Some(old) => editor.may_change(old)?.owner.clone(),
                None if views.len() >= MAX_VIEWS => return Err(ViewError::TooMany),
                None => editor.name.to_owned(),
            };
            views.insert(name.to_owned(), View { owner, view });
            Ok(())
        })
    }

    /// Deletes a view.
    ///
    /// # Errors
    ///
    /// See [`ViewError`].
    pub fn delete(&self, name: &str, editor: Editor<'_>) -> Result<(), ViewError> {
        self.change(|views| {
            editor.may_change(views.get(name).ok_or(ViewError::Unknown)?)?;
            views.remove(name);
            Ok(())
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, View>) -> Result<(), ViewError>,
    ) -> Result<(), ViewError> {
        let mut held = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let mut views = held.clone();
        change(&mut views)?;
        let text = serde_json::to_vec_pretty(&views).unwrap_or_default();
        file::replace(&self.path, &text)
            .map_err(|error| ViewError::File(self.path.clone(), error))?;
        *held = views;
        Ok(())
    }
}

impl Editor<'_> {
    fn may_change<'v>(&self, view: &'v View) -> Result<&'v View, ViewError> {
        match self.is_admin || view.owner == self.name {
            true => Ok(view),
            false => Err(ViewError::Foreign(view.owner.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn editor(name: &str) -> Editor<'_> {
        Editor { name, is_admin: name == "admin" }
    }

    #[test]
    fn views_outlive_a_restart_and_are_changed_by_their_owner_and_admins_only() {
        let dir = tempfile::tempdir().unwrap();
        let views = Views::open(dir.path()).unwrap();
        views.put("../x", json!({"query": "a"}), editor("ann")).unwrap();
        let again = Views::open(dir.path()).unwrap();
        assert_eq!(again.all()["../x"].owner, "ann");
        let foreign = again.put("../x", json!({}), editor("bob"));
        assert!(matches!(foreign, Err(ViewError::Foreign(_))));
        assert!(matches!(again.delete("../x", editor("bob")), Err(ViewError::Foreign(_))));
        again.put("../x", json!({"query": "b"}), editor("admin")).unwrap();
        assert_eq!(again.all()["../x"].owner, "ann");
        again.delete("../x", editor("ann")).unwrap();
        assert!(matches!(again.delete("../x", editor("ann")), Err(ViewError::Unknown)));
    }
}
