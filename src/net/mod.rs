//! HTTP for the platforms: one client per account, to the account's own hosts and no others.
//!
//! Requests are paced, answers are capped, redirects are followed only for reading and only to the
//! same hosts, and nothing is repeated unless the caller says that it may be. Knows no platform, no
//! session and no prompt; what it writes to the log holds no secrets.

mod client;
mod flow;
mod hosts;
mod pace;
pub mod redact;
mod request;
mod retry;

pub use client::{Client, Settings, Timeouts};
pub use hosts::{Hosts, origin};
pub use pace::{Gap, Pace, Pacing, Urgency};
pub use request::{Answer, Body, Headers, NetError, Part, Redirects, Request};
pub use reqwest::Method;
pub use retry::{DEFAULT_WAIT, MAX_WAIT, Retry, RetryPolicy, retry_after};
pub use url::Url;
