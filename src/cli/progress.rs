//! Events as a person follows them: a moving line where stderr is a terminal, plain lines with `-v`.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use crate::domain::neutralise;
use crate::event::{Event, Events, Phase};
use crate::render;

use super::printer::Printer;

/// Shows events on stderr.
pub struct Progress {
    printer: Printer,
    bar: Mutex<Option<ProgressBar>>,
}

impl Progress {
    /// Shows them through this printer.
    pub fn new(printer: Printer) -> Self {
        Self { printer, bar: Mutex::new(None) }
    }

    fn move_line(&self, text: String) {
        let Some(bars) = self.printer.bars() else {
            return;
        };
        let mut held = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = held.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{spinner} {msg}");
            let bar = bars.add(ProgressBar::new_spinner());
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        bar.set_message(text);
        bar.tick();
    }

    /// Clears the moving line, so that the product stands alone.
    pub fn clear(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

impl Events for Progress {
    fn emit(&self, event: Event) {
        match event {
            Event::RunStarted { run, steps } => {
                self.printer.detail(&format!("run {run}: {steps} steps"));
            }
            Event::Reading { account, read } => {
                self.move_line(format!("reading {account}: {read} activities"));
            }
            Event::Refreshed { account, count, complete } => {
                let part = if complete { "" } else { ", only in part" };
                self.printer.detail(&format!("read {account}: {count} items{part}"));
            }
            Event::Comparing { done, of } => self.move_line(format!("comparing {done} of {of}")),
            Event::Fetching { account, done, of } => {
                self.move_line(format!("fetching from {account}: {done} of {of}"));
            }
            Event::Noted { account, note } => {
                self.printer.detail(&format!("{account}: {}", neutralise(&note.to_string())));
            }
            Event::Settling { account, steps, until } => {
                let words = render::settling(steps, until);
                self.printer.note(&neutralise(&format!("{account}: {words}")));
            }
            Event::Waiting { account, holder } => {
                let line = format!("waiting for another run that writes to {account}: {holder}");
                self.printer.note(&neutralise(&line));
            }
            Event::Step { address, phase, detail, .. } => {
                let words = if detail.is_empty() { String::new() } else { format!(": {detail}") };
                let line = neutralise(&format!("{address} {}{words}", phase.as_str()));
                match phase {
                    Phase::Failed
                    | Phase::Held
                    | Phase::Unknown
                    | Phase::Restored
                    | Phase::Stale => {
                        self.printer.note(&line);
                    }
                    Phase::Intent
                    | Phase::Fetched
                    | Phase::BackedUp
                    | Phase::Removed
                    | Phase::Sent
                    | Phase::Adopted
                    | Phase::Confirmed
                    | Phase::Pending
                    | Phase::Skipped
                    | Phase::NotTried => {
                        self.move_line(line.clone());
                        self.printer.detail(&line);
                    }
                }
            }
        }
    }
}
