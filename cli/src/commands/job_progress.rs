//! How far a job is: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tithe_engine::JobProgress;

/// How often a line is written where nobody watches a bar.
const EVERY: Duration = Duration::from_secs(10);

/// Progress on standard error.
pub(super) struct Progress {
    bar: ProgressBar,
    is_watched: bool,
    job: String,
    said: Mutex<Instant>,
}

impl Progress {
    pub(super) fn start(job: String) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let is_watched = std::io::stderr().is_terminal();
        Self { bar, is_watched, job, said: Mutex::new(Instant::now()) }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say_now_and_then(&self) {
        if self.is_watched {
            return;
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.elapsed() >= EVERY {
            *said = Instant::now();
            eprintln!(
                "{}: {} of {} partitions, {:.1} a second, about {} left",
                self.job,
                self.bar.position(),
                self.bar.length().unwrap_or_default(),
                self.bar.per_sec(),
                HumanDuration(self.bar.eta())
            );
        }
    }

    fn tell(&self, line: &str) {
        match self.is_watched {
            true => self.bar.println(line),
            false => eprintln!("{line}"),
        }
    }
}

impl JobProgress for Progress {
    fn begins(&self, partitions: usize, there: usize) {
        let (partitions, there) = (partitions as u64, there as u64);
        self.bar.set_length(partitions);
        // What is there already is no measure of how fast this run is.
        self.bar.set_position(there);
        self.bar.reset_eta();
        let style = ProgressStyle::with_template(
            "{bar:40} {pos} of {len} partitions  {per_sec}  about {eta} left  {msg}",
        );
        if let Ok(style) = style {
            self.bar.set_style(style);
        }
    }

    fn done(&self, partition: &str, _rows: u64) {
        self.bar.set_message(partition.to_owned());
        self.bar.inc(1);
        self.say_now_and_then();
    }

    fn failed(&self, partition: &str, reason: &str, again: bool) {
        let next = if again { "it is tried again" } else { "it is given up" };
        self.tell(&format!("{}: {partition}: {reason}; {next}", self.job));
    }
}
