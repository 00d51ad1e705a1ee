//! Typed reading of a document's tree, with the path in every error.
//!
//! An absent key is `None`; a value of another type is an error, never a default.

use crate::document::{DocumentError, Scalar, Tree};
use std::collections::BTreeMap;
use std::str::FromStr;

/// One map of a document.
pub(crate) struct Reader<'a> {
    map: Option<&'a BTreeMap<String, Tree>>,
    path: String,
}

impl<'a> Reader<'a> {
    pub(crate) fn root(tree: &'a Tree) -> Self {
        let map = match tree {
            Tree::Map(map) => Some(map),
            _ => None,
        };
        Self {
            map,
            path: String::new(),
        }
    }

    /// The map under `key`; an absent one reads as empty.
    pub(crate) fn map(&self, key: &str) -> Result<Self, DocumentError> {
        let map = match self.tree(key) {
            None => None,
            Some(Tree::Map(map)) => Some(map),
            Some(_) => return Err(self.malformed(key)),
        };
        Ok(Self {
            map,
            path: self.path_of(key),
        })
    }

    /// The maps in the map under `key`.
    pub(crate) fn entries(
        &self,
        key: &str,
    ) -> Result<impl Iterator<Item = Result<Self, DocumentError>> + 'a, DocumentError> {
        let container = self.map(key)?;
        let path = container.path;
        Ok(container
            .map
            .into_iter()
            .flatten()
            .map(move |(key, tree)| match tree {
                Tree::Map(map) => Ok(Self {
                    map: Some(map),
                    path: format!("{path}/{key}"),
                }),
                _ => Err(DocumentError::Malformed {
                    path: format!("{path}/{key}"),
                }),
            }))
    }

    /// The last key of this map's path, read as an id.
    pub(crate) fn id<T: FromStr>(&self) -> Result<T, DocumentError> {
        let key = self.path.rsplit('/').next().unwrap_or_default();
        key.parse().map_err(|_| DocumentError::Malformed {
            path: self.path.clone(),
        })
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, DocumentError> {
        match self.tree(key) {
            None => Ok(None),
            Some(Tree::Scalar(Scalar::Str(text))) => Ok(Some(text.clone())),
            Some(_) => Err(self.malformed(key)),
        }
    }

    pub(crate) fn required_text(&self, key: &str) -> Result<String, DocumentError> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }

    pub(crate) fn int(&self, key: &str) -> Result<Option<i64>, DocumentError> {
        match self.tree(key) {
            None => Ok(None),
            Some(Tree::Scalar(Scalar::Int(number))) => Ok(Some(*number)),
            Some(_) => Err(self.malformed(key)),
        }
    }

    pub(crate) fn required_int(&self, key: &str) -> Result<i64, DocumentError> {
        self.int(key)?.ok_or_else(|| self.missing(key))
    }

    pub(crate) fn required_u32(&self, key: &str) -> Result<u32, DocumentError> {
        u32::try_from(self.required_int(key)?).map_err(|_| self.malformed(key))
    }

    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, DocumentError> {
        match self.tree(key) {
            None => Ok(None),
            Some(Tree::Scalar(Scalar::Bool(flag))) => Ok(Some(*flag)),
            Some(_) => Err(self.malformed(key)),
        }
    }

    pub(crate) fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, DocumentError> {
        match self.tree(key) {
            None => Ok(None),
            Some(Tree::Scalar(Scalar::Bytes(bytes))) => Ok(Some(bytes.clone())),
            Some(_) => Err(self.malformed(key)),
        }
    }

    /// Text parsed as an id, a word or a code.
    pub(crate) fn optional<T: FromStr>(&self, key: &str) -> Result<Option<T>, DocumentError> {
        match self.text(key)? {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| self.malformed(key)),
        }
    }

    pub(crate) fn required<T: FromStr>(&self, key: &str) -> Result<T, DocumentError> {
        self.optional(key)?.ok_or_else(|| self.missing(key))
    }

    /// All texts of the map under `key`.
    pub(crate) fn texts(&self, key: &str) -> Result<BTreeMap<String, String>, DocumentError> {
        let container = self.map(key)?;
        container
            .keys()
            .map(|key| Ok((key.to_owned(), container.required_text(key)?)))
            .collect()
    }

    /// All flags of the map under `key`.
    pub(crate) fn flags(&self, key: &str) -> Result<BTreeMap<String, bool>, DocumentError> {
        let container = self.map(key)?;
        container
            .keys()
            .map(|key| Ok((key.to_owned(), container.flag(key)?.unwrap_or(false))))
            .collect()
    }

    fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.map
            .into_iter()
            .flat_map(|map| map.keys().map(String::as_str))
    }

    fn tree(&self, key: &str) -> Option<&'a Tree> {
        self.map.and_then(|map| map.get(key))
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}/{key}", self.path)
        }
    }

    fn malformed(&self, key: &str) -> DocumentError {
        DocumentError::Malformed {
            path: self.path_of(key),
        }
    }

    fn missing(&self, key: &str) -> DocumentError {
        DocumentError::Missing {
            path: self.path_of(key),
        }
    }
}
