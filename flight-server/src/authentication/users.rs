//! The users file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::password;

/// A users file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// It cannot be read.
    #[error("cannot read the users file {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or has an unknown or missing key.
    #[error("the users file {} is wrong in line {line}: {reason}", path.display())]
    Parse {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Nobody could log in.
    #[error(
        "the users file {} names no user: add [[user]] with name and password_hash", path.display()
    )]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// A name that cannot be sent as a login.
    #[error("the users file {} has the user name {name:?}: it must not be empty or contain a colon", path.display())]
    Name {
        /// Which.
        path: PathBuf,
        /// As written.
        name: String,
    },
    /// A name appears more than once.
    #[error("the users file {} names the user {name:?} twice: remove one", path.display())]
    Twice {
        /// Which.
        path: PathBuf,
        /// Who.
        name: String,
    },
    /// Not the hash of a password.
    #[error(
        "the users file {} has for {name:?} a password_hash that is not an Argon2 hash (it begins with $argon2id$)",
        path.display()
    )]
    Hash {
        /// Which.
        path: PathBuf,
        /// Whose.
        name: String,
    },
}

/// Names and password hashes.
pub(crate) struct Users {
    hashes: BTreeMap<String, String>,
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.hashes.keys()).finish()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    user: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    password_hash: String,
}

impl Users {
    /// Reads and checks the file.
    pub(crate) fn load(path: &Path) -> Result<Self, UsersError> {
        let path = path.to_path_buf();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(UsersError::Read { path, source }),
        };
        let file: File = match toml::from_str(&text) {
            Ok(file) => file,
            Err(error) => {
                // Its Display quotes the line, which may hold a hash.
                let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                return Err(UsersError::Parse { path, line, reason: error.message().to_owned() });
            }
        };
        let mut hashes = BTreeMap::new();
        for Entry { name, password_hash } in file.user {
            if name.is_empty() || name.contains(':') {
                return Err(UsersError::Name { path, name });
            }
            if !password::is_hash(&password_hash) {
                return Err(UsersError::Hash { path, name });
            }
            if hashes.insert(name.clone(), password_hash).is_some() {
                return Err(UsersError::Twice { path, name });
            }
        }
        if hashes.is_empty() {
            return Err(UsersError::Empty { path });
        }
        Ok(Self { hashes })
    }

    /// True when the file names this user.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.hashes.contains_key(name)
    }

    /// True when the user exists and this is their password; an unknown name takes as long as a wrong password.
    pub(crate) fn verify(&self, name: &str, password: &str) -> bool {
        if let Some(hash) = self.hashes.get(name) {
            return password::matches(hash, password);
        }
        if let Some(any) = self.hashes.values().next() {
            password::matches(any, password);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$SWrsaeWfnBv0wKS4jfPAD8NqrnqdOcrX4zvzRTFdyJI";

    fn load(text: &str) -> Result<Users, UsersError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        std::fs::write(&path, text).unwrap();
        Users::load(&path)
    }

    fn check(text: &str, expected: &str) {
        let error = load(&text.replace("HASH", HASH)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains('\n') && !error.contains("argon2id$v"), "{error}");
    }

    #[test]
    fn a_good_file_knows_its_users() {
        let hash = password::hash_password("秘密").unwrap();
        let users = load(&format!("[[user]]\nname = \"王小明\"\npassword_hash = \"{hash}\"\n")).unwrap();
        assert!(users.verify("王小明", "秘密"));
        assert!(!users.verify("王小明", "secret"));
        assert!(!users.verify("lin", "秘密"));
        assert_eq!(format!("{users:?}"), "{\"王小明\"}");
    }

    #[test]
    fn a_bad_file_is_refused_and_says_why() {
        check("", "names no user");
        check("[[user]]\nname = \"a\"\n", "missing field `password_hash`");
        check("[[user]]\nname = \"a\"\npassword_hsh = \"HASH\"\n", "line 3: unknown field `password_hsh`");
        check("[users]\n", "unknown field `users`");
        check("[[user]\n", "line 1");
        check("[[user]]\nname = \"\"\npassword_hash = \"HASH\"\n", "must not be empty");
        check("[[user]]\nname = \"a:b\"\npassword_hash = \"HASH\"\n", "colon");
        check("[[user]]\nname = \"a\"\npassword_hash = \"secret\"\n", "not an Argon2 hash");
        let twice = "[[user]]\nname = \"a\"\npassword_hash = \"HASH\"\n";
        check(&twice.repeat(2), "\"a\" twice");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Users::load(Path::new("/nowhere/users.toml")).unwrap_err().to_string();
        assert!(error.contains("cannot read the users file /nowhere/users.toml"), "{error}");
    }
}
