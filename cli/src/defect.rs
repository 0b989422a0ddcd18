//! A panic is a defect of the program, and still gets one sentence.

use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

use crate::failure::Failure;

static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Keeps what a panic says for [`failure`], instead of printing it with a stack of addresses; `--log error` shows it
/// as it happens.
pub(crate) fn keep_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let told = told(panic);
        tracing::error!(backtrace = %std::backtrace::Backtrace::capture(), "{told}");
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
    }));
}

fn told(panic: &PanicHookInfo<'_>) -> String {
    let message = panic.payload_as_str().unwrap_or("no message");
    match panic.location() {
        Some(place) => format!("{message}, {}:{}", place.file(), place.line()),
        None => message.to_owned(),
    }
}

/// The failure that a panic means.
pub(crate) fn failure() -> Failure {
    let told = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
    let told = told.map(|told| format!(" ({told})")).unwrap_or_default();
    Failure::failed(format!(
        "a part of the program stopped unexpectedly{told}: this is a defect, please report it with the statement"
    ))
}
