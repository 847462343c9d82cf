//! The client of an account.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::cookie::Jar;
use reqwest::header::{HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Proxy, multipart, redirect, retry};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::hosts::{is_loopback, origin};
use super::request::{Answer, Body, NetError, Redirects, Request, ShownPath};
use super::retry::DEFAULT_WAIT;
use super::{Hosts, Pace, Urgency, redact};

/// Sites send a client on a few times, not many.
const MAX_REDIRECTS: usize = 10;

/// How long an account's hosts are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a host is reached.
    pub connect: Duration,
    /// Between two pieces of an answer; lines across borders are slow.
    pub read: Duration,
    /// For a whole answer, however many pieces it comes in.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            read: Duration::from_secs(60),
            whole: Duration::from_secs(15 * 60),
        }
    }
}

/// How an account reaches its hosts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// In place of what the environment says.
    pub proxy: Option<SecretString>,
    /// PEM file with certificate authorities besides the machine's.
    pub ca_file: Option<PathBuf>,
    /// Where it may go.
    pub hosts: Hosts,
    /// How long it waits.
    pub timeouts: Timeouts,
}

/// Sends an account's requests.
#[derive(Clone)]
pub struct Client {
    settings: Settings,
    pace: Arc<Pace>,
    routes: Routes,
}

impl Client {
    /// A client without cookies.
    ///
    /// # Errors
    /// If the proxy or the certificates cannot be used.
    pub fn new(settings: Settings, pace: Arc<Pace>) -> Result<Self, NetError> {
        let routes = Routes::build(&settings, None)?;
        Ok(Self { settings, pace, routes })
    }

    /// The same with cookies of its own, which are gone when it is dropped.
    ///
    /// # Errors
    /// If the proxy or the certificates cannot be used.
    pub fn with_cookies(&self) -> Result<Self, NetError> {
        let routes = Routes::build(&self.settings, Some(&Arc::new(Jar::default())))?;
        Ok(Self { settings: self.settings.clone(), pace: Arc::clone(&self.pace), routes })
    }

    /// Sends nothing for so long, and less often for the rest of the run: the account asked to wait.
    /// After a wait that is too long, sends nothing more.
    pub fn slow_down(&self, wait: Option<Duration>) {
        self.pace.slow_down(wait.unwrap_or(DEFAULT_WAIT));
    }

    /// Sends a request once, and follows the answer's redirects if it may.
    ///
    /// # Errors
    /// If there is no whole answer; any status is an answer.
    pub async fn send(&self, request: Request) -> Result<Answer, NetError> {
        let follows = request.redirects == Redirects::Follow;
        let (headers, max_bytes, path) = (request.headers.clone(), request.max_bytes, request.path);
        let mut reads = request.method == Method::GET;
        let mut answer = self.send_once(request).await?;
        for _ in 0..MAX_REDIRECTS {
            let Some(next) = redirect_of(&answer, reads).filter(|_| follows) else {
                return Ok(answer);
            };
            reads = true;
            let mut onward = Request::new(Method::GET, next).at_most(max_bytes);
            onward.headers.clone_from(&headers);
            onward.path = path;
            // What was begun is finished.
            onward.urgency = Urgency::Final;
            answer = self.send_once(onward).await?;
        }
        Err(NetError::Lost(format!("{} sends on without end", host(&answer.url))))
    }

    async fn send_once(&self, request: Request) -> Result<Answer, NetError> {
        let url = request.url.clone();
        if !self.settings.hosts.allow(&url) {
            return Err(NetError::ForeignHost(host(&url)));
        }
        let (method, max_bytes, path) = (request.method.clone(), request.max_bytes, request.path);
        let (gap, urgency) = (request.gap, request.urgency);
        let client = if is_loopback(&url) { &self.routes.near } else { &self.routes.far };
        let Some(client) = client else {
            return Err(NetError::ForeignHost(host(&url)));
        };
        let ready = prepared(client, request)?;
        let _slot = self.pace.enter(gap, urgency).await?;
        let place = match path {
            ShownPath::Shown => redact::url(&url),
            ShownPath::Secret => format!("{}/<hidden>", origin(&url)),
        };
        let shown = format!("{method} {place}");
        log_begun(&shown);
        let answer = match ready.send().await {
            Ok(response) => read(response, url, max_bytes).await,
            Err(error) => Err(failed(&url, &error)),
        };
        log_ended(&shown, &answer);
        answer
    }
}

fn log_begun(shown: &str) {
    tracing::debug!("{shown}");
}

fn log_ended(shown: &str, answer: &Result<Answer, NetError>) {
    match answer {
        Ok(answer) => tracing::info!("{shown}: {}", answer.status),
        Err(error) => tracing::info!("{shown}: {error}"),
    }
}

/// How hosts are reached. What no host of the account needs is not built: certificates take time.
#[derive(Clone)]
struct Routes {
    /// By way of the proxy, if there is one.
    far: Option<reqwest::Client>,
    /// To this machine; by way of the account's own proxy only.
    near: Option<reqwest::Client>,
}

impl Routes {
    fn build(settings: &Settings, jar: Option<&Arc<Jar>>) -> Result<Self, NetError> {
        let route = |reach, needed: bool| needed.then(|| build(settings, jar, reach)).transpose();
        Ok(Self {
            far: route(Reach::Far, settings.hosts.any_far())?,
            near: route(Reach::Near, settings.hosts.any_near())?,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Near,
    Far,
}

fn build(
    settings: &Settings,
    jar: Option<&Arc<Jar>>,
    reach: Reach,
) -> Result<reqwest::Client, NetError> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(settings.timeouts.connect)
        .read_timeout(settings.timeouts.read)
        .timeout(settings.timeouts.whole)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false);
    if let Some(jar) = jar {
        builder = builder.cookie_provider(Arc::clone(jar));
    }
    builder = match &settings.proxy {
        Some(proxy) => {
            let setup = |_| NetError::Setup("the account's proxy cannot be used".to_owned());
            builder.proxy(Proxy::all(proxy.expose_secret()).map_err(setup)?)
        }
        None if reach == Reach::Near => builder.no_proxy(),
        None => builder,
    };
    if let Some(path) = &settings.ca_file {
        let setup = |why: String| NetError::Setup(format!("{}: {why}", path.display()));
        let pem = std::fs::read(path).map_err(|error| setup(error.to_string()))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if authorities.is_empty() {
            return Err(setup("holds no certificate in PEM form".to_owned()));
        }
        builder = builder.tls_certs_merge(authorities);
    } else if reach == Reach::Near && settings.proxy.is_none() && settings.hosts.near_is_plain() {
        // Reading the machine's certificates takes longer than all the rest.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| {
        let why = deepest(&error);
        NetError::Setup(format!("no HTTP client: {}", redact::text(&why)))
    })
}

fn prepared(
    client: &reqwest::Client,
    request: Request,
) -> Result<reqwest::RequestBuilder, NetError> {
    let mut ready = client.request(request.method.clone(), request.url.clone());
    for (name, value) in request.header_values() {
        let setup = |_| NetError::Setup(format!("header {name} cannot be sent"));
        let mut value = HeaderValue::from_str(value).map_err(setup)?;
        value.set_sensitive(true);
        ready = ready.header(HeaderName::from_static(name), value);
    }
    Ok(match request.body {
        Body::Empty => ready,
        Body::Json(value) => ready.json(&value),
        Body::Form(fields) => {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (*name, value.expose_secret())).collect();
            ready.form(&fields)
        }
        Body::File(part) => {
            let file = multipart::Part::bytes(part.bytes).file_name(part.file_name);
            ready.multipart(multipart::Form::new().part(part.field, file))
        }
        Body::Fields(fields) => {
            let form = fields
                .into_iter()
                .fold(multipart::Form::new(), |form, (name, value)| form.text(name, value));
            ready.multipart(form)
        }
        Body::Bytes(bytes) => ready.body(bytes),
    })
}

async fn read(mut response: reqwest::Response, url: Url, most: usize) -> Result<Answer, NetError> {
    let status = response.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers =
        response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    let headers = headers.collect();
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| lost(&url, &error))? {
        if body.len() + piece.len() > most {
            return Err(NetError::TooLarge { host: host(&url), most });
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer { status, headers, body, url })
}

/// Where an answer sends the client to read on; a write is never repeated elsewhere.
fn redirect_of(answer: &Answer, reads: bool) -> Option<Url> {
    let onward = match answer.status {
        301..=303 => true,
        307 | 308 => reads,
        _ => false,
    };
    if !onward {
        return None;
    }
    answer.url.join(answer.header(LOCATION.as_str())?).ok()
}

fn failed(url: &Url, error: &reqwest::Error) -> NetError {
    if error.is_connect() || error.is_builder() {
        return NetError::Unreachable(format!(
            "{} cannot be reached: {}",
            host(url),
            deepest(error)
        ));
    }
    lost(url, error)
}

fn lost(url: &Url, error: &reqwest::Error) -> NetError {
    let why = if error.is_timeout() { "no answer in time".to_owned() } else { deepest(error) };
    NetError::Lost(format!("{}: {}", host(url), redact::text(&why)))
}

/// The words at the root of an error: those above repeat the address.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or("the host").to_owned()
}
