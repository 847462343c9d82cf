//! `fit_sync auth`: log in where it is needed, take sessions over, show what there is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::domain::nearest;
use crate::manifest::{Account, Manifest};
use crate::platform::login::{LoginError, TokenFile, TokenForm};
use crate::platform::session_provider::{Force, Opened, SessionProvider};
use crate::platform::{self, OpenError, Opening};
use crate::render::{self, SessionState};
use crate::vault::Session;

use super::super::args::{Auth, Import};
use super::super::ask::{self, Person};
use super::super::context::Context;
use super::super::env::OtherTool;
use super::super::exit::Exit;
use super::super::failure::{self, Failure};
use super::super::sessions::{has_login, session_row};

/// More than any token file.
const MAX_BYTES: u64 = 1024 * 1024;

/// Logs in, or shows.
pub async fn run(context: &Context, args: &Auth) -> Result<Exit, Failure> {
    let manifest = context.checked_manifest()?;
    let accounts = chosen(&manifest, args)?;
    if args.status {
        return show(context, &accounts, args.json);
    }
    let tokens = tokens(context, args)?;
    if tokens.is_some() && accounts.len() != 1 {
        let happened = "the tokens of one session go to one account";
        return Err(Failure::new(Exit::Usage, happened, "name one --account"));
    }
    context.home()?;
    let person = if context.env.interactive { Person::Here } else { Person::Away };
    let opening = context.opening(person);
    let mut exits = Vec::new();
    for account in accounts {
        let opened = open(account, &opening, args, tokens.as_ref()).await;
        exits.push(match opened {
            Ok(opened) => {
                context.printer.product(&report(account, opened.as_ref(), args));
                Exit::Done
            }
            Err(failure) => {
                context.printer.error(&failure.text());
                failure.exit
            }
        });
    }
    Ok(Exit::worst(exits))
}

/// The accounts that are meant, in the manifest's order; without names all that have a login.
fn chosen<'a>(manifest: &'a Manifest, args: &Auth) -> Result<Vec<&'a Account>, Failure> {
    let names: BTreeSet<&str> = args.accounts.iter().map(String::as_str).collect();
    for name in &names {
        if !manifest.accounts.keys().any(|known| known.as_str() == *name) {
            let known = manifest.accounts.keys().map(|known| known.as_str());
            let next = nearest(name, known).map_or("name one of the manifest's".to_owned(), |n| {
                format!("did you mean '{n}'?")
            });
            return Err(Failure::new(Exit::Invalid, format!("there is no account '{name}'"), next));
        }
    }
    let is_meant = |account: &&Account| {
        names.contains(account.name.as_str()) || (names.is_empty() && has_login(account))
    };
    Ok(manifest.accounts.values().filter(is_meant).collect())
}

/// Opens one account; `None` if it needs no login.
async fn open(
    account: &Account,
    opening: &Opening,
    args: &Auth,
    tokens: Option<&TokenFile>,
) -> Result<Option<Opened>, Failure> {
    let sessions =
        platform::session_provider(account, opening).map_err(|error| unopened(account, &error))?;
    let Some(sessions) = sessions else {
        return Ok(None);
    };
    let opened = opened(&sessions, args, tokens).await;
    opened.map(Some).map_err(|error| failure::login(&account.name, &error))
}

async fn opened(
    sessions: &SessionProvider,
    args: &Auth,
    tokens: Option<&TokenFile>,
) -> Result<Opened, LoginError> {
    if let Some(tokens) = tokens {
        return sessions.open_by_tokens(tokens).await;
    }
    if args.browser {
        return sessions.open_by_browser().await;
    }
    sessions.open_interactive(if args.force { Force::Yes } else { Force::No }).await
}

fn unopened(account: &Account, error: &OpenError) -> Failure {
    let (exit, next) = match error {
        OpenError::NoClient { .. } => (Exit::Invalid, "check the account's proxy and ca_file"),
        OpenError::NotYet { .. } | OpenError::Unknown { .. } | OpenError::NoPath { .. } => {
            (Exit::Failed, "log in to the other accounts with --account")
        }
    };
    Failure::new(exit, format!("{}: {error}", account.name), next)
}

/// Returns what is said about an account that was opened.
fn report(account: &Account, opened: Option<&Opened>, args: &Auth) -> String {
    let name = &account.name;
    let Some(opened) = opened else {
        return format!("{name}: needs no login\n");
    };
    let end = opened.session().ends_at.map_or(String::new(), |end| {
        format!("; it lasts until {} and longer with each use", end.strftime("%Y-%m-%d"))
    });
    let done = match opened {
        Opened::Reused(_) => "the stored session works",
        Opened::LoggedIn(_) if args.import.is_some() || args.token_stdin => {
            "the session is taken over"
        }
        Opened::LoggedIn(_) => "logged in",
    };
    let warning = if shares_tokens(opened.session()) {
        "  The other tool shares its token with fit_sync now: with the first renewal its own copy \
         ends, so let only one of them go on.\n"
    } else {
        ""
    };
    format!("{name}: {done}{end}\n{warning}")
}

/// Whether another tool holds the same rotating token.
fn shares_tokens(session: &Session) -> bool {
    session.obtained_by == "import garminconnect" && session.renewed_at == session.obtained_at
}

/// The tokens that the command line or stdin gives.
fn tokens(context: &Context, args: &Auth) -> Result<Option<TokenFile>, Failure> {
    if args.token_stdin {
        // A token file may take more lines than one; a bare token is its line.
        let whole = |text: &str| {
            let begun = text.trim_start();
            let is_file = begun.is_empty() || begun.starts_with('{') || begun.starts_with('[');
            !is_file || serde_json::from_str::<serde_json::Value>(text).is_ok()
        };
        let text = ask::lines_until(whole);
        return Ok(Some(TokenFile { form: None, files: vec![("stdin".to_owned(), text)] }));
    }
    let Some(Import { form, path }) = &args.import else {
        return Ok(None);
    };
    let place = match (path, form) {
        (Some(path), _) => Some(OtherTool::Path(context.env.absolute(path))),
        (None, TokenForm::GarminConnect) => {
            context.env.of_other_tool("GARMINTOKENS", ".garminconnect")
        }
        (None, TokenForm::Garth) => context.env.of_other_tool("GARTH_HOME", ".garth"),
    };
    let files = match place {
        Some(OtherTool::Path(path)) => files(&path, *form)?,
        Some(OtherTool::Text(text)) => vec![("environment".to_owned(), text)],
        None => return Err(no_tokens("there is no home folder to look in")),
    };
    Ok(Some(TokenFile { form: Some(*form), files }))
}

/// The token files at a path: itself, or those that the tool keeps in a folder.
fn files(path: &Path, form: TokenForm) -> Result<Vec<(String, SecretString)>, Failure> {
    let pair = ["oauth1_token.json", "oauth2_token.json"];
    let named = path.file_name().is_some_and(|name| pair.iter().any(|known| name == *known));
    let folder: Option<PathBuf> = if path.is_dir() {
        Some(path.to_path_buf())
    } else if named {
        path.parent().map(Path::to_path_buf)
    } else {
        None
    };
    let paths: Vec<PathBuf> = match (folder, form) {
        (Some(folder), TokenForm::GarminConnect) => vec![folder.join("garmin_tokens.json")],
        (Some(folder), TokenForm::Garth) => {
            pair.iter().map(|name| folder.join(name)).filter(|path| path.exists()).collect()
        }
        (None, _) => vec![path.to_path_buf()],
    };
    if paths.is_empty() {
        return Err(no_tokens(&format!("{} holds no token files", path.display())));
    }
    paths.iter().map(|path| Ok((path.display().to_string(), read(path)?))).collect()
}

fn read(path: &Path) -> Result<SecretString, Failure> {
    let failed = |why: String| no_tokens(&format!("{}: {why}", path.display()));
    let metadata = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if metadata.len() > MAX_BYTES {
        return Err(failed("too large for a token file".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("no text".to_owned()))?;
    Ok(SecretString::from(text))
}

fn no_tokens(happened: &str) -> Failure {
    Failure::new(Exit::Failed, happened, "name the file or folder: --import FORMAT:PATH")
}

fn show(context: &Context, accounts: &[&Account], json: bool) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for account in accounts.iter().filter(|account| has_login(account)) {
        rows.push(session_row(context, account)?);
    }
    let text = if json {
        render::json(&render::sessions_json(&rows))
    } else {
        render::sessions(&rows, context.clock.now())
    };
    context.printer.product(&text);
    let usable = rows.iter().all(|row| row.state == SessionState::Ok);
    Ok(if usable { Exit::Done } else { Exit::Login })
}
