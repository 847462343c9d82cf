//! Where a page finds its style.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// By it a page of this program is known.
pub const GENERATOR: &str = "<meta name=\"generator\" content=\"fit_sync\">";
/// The page in its folder.
pub const PAGE_FILE: &str = "index.html";
/// The style in its folder.
pub const STYLE_FILE: &str = "fit_sync.css";
/// The style of every page.
pub const STYLE: &str = include_str!("templates/fit_sync.css");

/// Where a page finds its style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// In [`STYLE_FILE`] beside it.
    Beside,
    /// In its own link: a page on stdout has no folder.
    Within,
}

impl Style {
    pub(super) fn address(self) -> String {
        match self {
            Self::Beside => STYLE_FILE.to_owned(),
            Self::Within => format!("data:text/css;base64,{}", BASE64_STANDARD.encode(STYLE)),
        }
    }
}
