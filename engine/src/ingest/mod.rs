//! Raw files to checked, typed batches. Never decides names or permissions.
