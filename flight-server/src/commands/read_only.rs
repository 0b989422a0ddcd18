//! What clients read who want to change something: the server's sessions are read only.

use tonic::Status;

use crate::status::excerpt;

/// What a client reads whose statement does `what`, which would change something.
pub(super) fn refused(what: &str) -> Status {
    Status::permission_denied(format!(
        "{} is not allowed: this server only reads; use SELECT, SHOW, DESCRIBE or EXPLAIN, and write tables with \
         `tithe sql` on the lake itself",
        excerpt(what)
    ))
}
