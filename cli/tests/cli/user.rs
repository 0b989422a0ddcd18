//! `tithe user add`.

use std::os::unix::fs::PermissionsExt;

use crate::support::Place;

#[test]
fn a_user_is_added_once() {
    let place = Place::new();
    let add = |name: &str, password: &str| {
        place.run_on(["user", "add", name, "--users", "users.toml"], format!("{password}\n"))
    };
    let ran = add("王小明", "correct horse 電池");
    assert_eq!((ran.code, ran.stdout(), ran.stderr.as_str()), (Some(0), "", "王小明 is in users.toml\n"));
    let text = place.read("users.toml");
    assert!(text.starts_with("[[user]]\nname = \"王小明\"\npassword_hash = \"$argon2"), "{text}");
    assert!(!text.contains("horse"), "{text}");
    assert_eq!(place.path("users.toml").metadata().expect("a file").permissions().mode() & 0o777, 0o600);

    let message = add("王小明", "another password").failure(2);
    assert_eq!(
        message,
        "error: the users file users.toml has the user \"王小明\" already: remove the entry first"
    );
    assert_eq!(place.read("users.toml"), text);

    assert_eq!(add("lee", "a second password").code, Some(0));
    let both = place.read("users.toml");
    assert!(both.starts_with(&text) && both.matches("[[user]]").count() == 2, "{both}");
    assert_eq!(place.names(), ["users.toml"]);
}

#[test]
fn remarks_and_permissions_of_the_file_stay() {
    let place = Place::new();
    let path = place.write("users.toml", "# who may log in\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("permissions");
    assert_eq!(
        place.run_on(["user", "add", "lee", "--users", "users.toml"], "a long password\n").code,
        Some(0)
    );
    assert!(place.read("users.toml").starts_with("# who may log in\n\n[[user]]\nname = \"lee\"\n"));
    assert_eq!(path.metadata().expect("a file").permissions().mode() & 0o777, 0o640);
}

#[test]
fn what_cannot_be_a_user() {
    let place = Place::new();
    let refused = |name: &str, input: &str| {
        place.run_on(["user", "add", name, "--users", "users.toml"], input).failure(2)
    };
    assert!(refused("a:b", "a long password\n").contains("must not be empty or contain a colon"));
    assert!(refused("", "a long password\n").contains("must not be empty"));
    assert!(refused("lee", "").starts_with("error: "));
    assert!(refused("lee", "\n").starts_with("error: "));
    assert_eq!(place.names(), Vec::<String>::new());
    place.write("users.toml", "[[user]\n");
    assert!(
        refused("lee", "a long password\n")
            .starts_with("error: the users file users.toml is not understood: ")
    );
    let message =
        place.run_on(["user", "add", "lee", "--users", "none/users.toml"], "a long password\n").failure(2);
    assert!(message.starts_with("error: cannot write the users file none/users.toml: "), "{message}");
}
