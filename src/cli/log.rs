//! The log: warnings always, requests with `-vv`, more with `-vvv`. It goes the way of all words to
//! stderr, and only what this program writes is in it: libraries may log headers.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::domain::neutralise;

use super::args::Global;
use super::printer::Printer;

/// Begins logging for this process.
pub fn begin(global: &Global, printer: &Printer) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::OFF,
        (false, 0 | 1) => LevelFilter::WARN,
        (false, 2) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    let lines = Lines { printer: printer.clone() }.with_filter(ours);
    // Somebody else in this process logs already: then they do.
    let _ = registry().with(lines).try_init();
}

/// One line per event.
struct Lines {
    printer: Printer,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let prefix = match *event.metadata().level() {
            Level::ERROR | Level::WARN => "warning: ",
            Level::INFO | Level::DEBUG | Level::TRACE => "",
        };
        self.printer.error(&neutralise(&format!("{prefix}{}", message.0)));
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}
