//! Where output goes: the product to stdout, everything else to stderr, and silence decided here.

use std::io::{ErrorKind, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use anstream::{AutoStream, ColorChoice};

use super::args::{Color, Global};

/// How much is told on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// What a person should know.
    Normal,
    /// What is read, too.
    Verbose,
}

/// Prints. A closed pipe is no error: whoever reads has seen enough.
#[derive(Clone)]
pub struct Printer {
    choice: ColorChoice,
    verbosity: Verbosity,
    bars: Option<Arc<indicatif::MultiProgress>>,
    /// Why a part of the product did not arrive.
    unwritten: Arc<Mutex<Option<String>>>,
}

impl Printer {
    /// As the global options say.
    pub fn new(global: &Global, stderr_is_terminal: bool) -> Self {
        let choice = match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        };
        let shows = stderr_is_terminal && verbosity != Verbosity::Quiet;
        let bars = shows.then(|| Arc::new(indicatif::MultiProgress::new()));
        Self { choice, verbosity, bars, unwritten: Arc::default() }
    }

    /// How much is told on stderr.
    pub fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Progress bars, where stderr is a terminal.
    pub fn bars(&self) -> Option<&indicatif::MultiProgress> {
        self.bars.as_deref()
    }

    /// Whether text on stderr is coloured.
    pub fn colours_stderr(&self) -> bool {
        self.colours(AutoStream::choice(&std::io::stderr()))
    }

    /// Whether there is colour where `auto` is what the stream itself would choose.
    fn colours(&self, auto: ColorChoice) -> bool {
        match self.choice {
            ColorChoice::Never => false,
            ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
            ColorChoice::Auto => auto != ColorChoice::Never,
        }
    }

    /// Whether text on stdout may lead to pages.
    pub fn shows_links(&self) -> bool {
        self.colours(AutoStream::choice(&std::io::stdout()))
            && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout)
    }

    /// Prints the product.
    pub fn product(&self, text: &str) {
        let mut out = AutoStream::new(std::io::stdout(), self.choice);
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
                unwritten.get_or_insert(error.to_string());
            }
            Ok(()) | Err(_) => {}
        }
    }

    /// Why a part of the product did not arrive, other than that nobody wanted it.
    pub fn unwritten(&self) -> Option<String> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells a person something on stderr.
    pub fn note(&self, text: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.error(text);
        }
    }

    /// Tells what is being done, with `-v`.
    pub fn detail(&self, text: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.error(text);
        }
    }

    /// Tells what went wrong, whatever the verbosity.
    pub fn error(&self, text: &str) {
        let write = || {
            let mut err = AutoStream::new(std::io::stderr(), self.choice);
            let newline = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
            let _ = err.write_all(format!("{text}{newline}").as_bytes());
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}
