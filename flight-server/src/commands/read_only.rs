//! What clients read who want to change something that this server does not change.

use tonic::Status;

use crate::status::excerpt;

/// What a client reads whose statement does `what`, on a server that writes tables of the lake or none at all.
pub(super) fn refused(writable: bool, what: &str) -> Status {
    let what = excerpt(what);
    Status::permission_denied(match writable {
        false => format!(
            "{what} is not allowed: this server only reads; use SELECT, SHOW, DESCRIBE or EXPLAIN, and write tables \
             with `tithe sql` on the lake itself"
        ),
        true => format!(
            "{what} is not allowed: of what changes something, this server has CREATE TABLE … AS SELECT, INSERT INTO \
             and DROP TABLE"
        ),
    })
}
