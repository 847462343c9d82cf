//! The arguments of `auth`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::platform::login::TokenForm;

#[derive(Debug, ClapArgs)]
pub struct Auth {
    /// Only this account; may be given several times
    #[arg(long = "account", value_name = "NAME")]
    pub accounts: Vec<String>,
    /// Show the sessions; contacts nothing
    #[arg(long, conflicts_with_all = ["force", "browser", "import", "token_stdin"])]
    pub status: bool,
    /// With --status: print as JSON
    #[arg(long, requires = "status")]
    pub json: bool,
    /// Log in although the session works
    #[arg(long)]
    pub force: bool,
    /// Log in with your own browser: prints an address, reads what the browser shows afterwards
    #[arg(long, conflicts_with_all = ["import", "token_stdin"])]
    pub browser: bool,
    /// Take over the session of another tool: garminconnect[:PATH] or garth[:PATH]
    #[arg(long, value_name = "FORMAT[:PATH]", requires = "accounts", value_parser = parse_import)]
    pub import: Option<Import>,
    /// Take over the tokens on stdin, in the form of one of those tools
    #[arg(long, requires = "accounts", conflicts_with = "import")]
    pub token_stdin: bool,
}

/// Whose tokens are taken over, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub form: TokenForm,
    pub path: Option<PathBuf>,
}

fn parse_import(text: &str) -> Result<Import, String> {
    let (form, path) = match text.split_once(':') {
        Some((form, path)) => (form, Some(PathBuf::from(path))),
        None => (text, None),
    };
    let form = match form {
        "garminconnect" => TokenForm::GarminConnect,
        "garth" => TokenForm::Garth,
        _ => return Err(format!("'{form}' is neither garminconnect nor garth")),
    };
    if path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        return Err("there is no path after the ':'".to_owned());
    }
    Ok(Import { form, path })
}
