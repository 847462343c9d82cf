//! Garmin Connect on this machine: login, tokens and API of one region, each host on a port of its
//! own, with a switch for everything that is only guessed about the real one.

mod account;
mod activities;
mod api;
mod sso;
mod switches;
mod tokens;
mod troubles;
mod widget;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;

use super::reaper::Reaper;

pub(crate) use account::Account;
pub(crate) use activities::Stored;
pub(crate) use switches::{Code, Duplicates, Renewal, Switches, Trouble};
pub(crate) use troubles::Place;

/// Garmin's hosts, as `endpoints` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    Sso,
    Connectapi,
    Diauth,
    Connect,
}

impl Host {
    pub(crate) const ALL: [Self; 4] = [Self::Sso, Self::Connectapi, Self::Diauth, Self::Connect];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Sso => "sso",
            Self::Connectapi => "connectapi",
            Self::Diauth => "diauth",
            Self::Connect => "connect",
        }
    }
}

/// A request that came in: `POST /mobile/api/login`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) host: Host,
    pub(crate) what: String,
}

/// What the handlers share.
pub(crate) struct World {
    pub(crate) switches: Switches,
    pub(crate) account: Account,
    pub(crate) activities: Vec<Stored>,
    pub(crate) seen: Vec<Seen>,
    /// What requests have changed, in order.
    pub(crate) changes: Vec<Change>,
    /// Kills who asks, if a test wants that.
    pub(crate) reaper: Reaper,
    /// Most requests at a time so far.
    pub(crate) busiest: usize,
    busy: usize,
    /// What was removed and still stands in the way of its like.
    removed: Vec<Stored>,
    next_id: u64,
    bases: BTreeMap<Host, String>,
    stop: Option<oneshot::Sender<()>>,
}

/// A change that a request has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Stored(u64),
    Edited(u64),
    Removed(u64),
}

impl World {
    fn die(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    pub(crate) fn base(&self, host: Host) -> &str {
        &self.bases[&host]
    }
}

pub(crate) type Shared = Arc<Mutex<World>>;

pub(crate) fn locked(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running fake; it ends when it is dropped.
pub(crate) struct FakeGarmin {
    world: Shared,
    thread: Option<JoinHandle<()>>,
}

impl FakeGarmin {
    /// Starts one on free ports.
    pub(crate) fn start(switches: Switches) -> Self {
        Self::start_at(switches, 0)
    }

    /// Starts one on four ports in a row, of which this is the first.
    pub(crate) fn start_at(switches: Switches, port: u16) -> Self {
        let mut bases = BTreeMap::new();
        let mut listeners = Vec::new();
        for (number, host) in (0..).zip(Host::ALL) {
            let port = if port == 0 { 0 } else { port + number };
            let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
            bases.insert(host, format!("http://{}", listener.local_addr().unwrap()));
            listeners.push((host, listener));
        }
        let world = World {
            switches,
            account: Account::new(),
            activities: Vec::new(),
            seen: Vec::new(),
            changes: Vec::new(),
            reaper: Reaper::default(),
            busiest: 0,
            busy: 0,
            removed: Vec::new(),
            next_id: 21_482_825_000,
            bases,
            stop: None,
        };
        let mut fake = Self { world: Arc::new(Mutex::new(world)), thread: None };
        fake.run(listeners);
        fake
    }

    fn run(&mut self, listeners: Vec<(Host, TcpListener)>) {
        let (stop, stopped) = oneshot::channel();
        self.world().stop = Some(stop);
        let world = Arc::clone(&self.world);
        self.thread = Some(std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(serve(&world, listeners, stopped));
        }));
    }

    /// Starts it again where it was, with what it knew, after it has died.
    pub(crate) fn revive(&mut self) {
        self.end();
        let bases = self.world().bases.clone();
        let listeners = bases.into_iter().map(|(host, base)| {
            let address: SocketAddr = base.strip_prefix("http://").unwrap().parse().unwrap();
            (host, TcpListener::bind(address).unwrap())
        });
        self.run(listeners.collect());
    }

    fn end(&mut self) {
        self.world().die();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.world)
    }

    /// Changes switches between runs.
    pub(crate) fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.world().switches);
    }

    /// `{ sso: …, … }`, as a manifest has it.
    pub(crate) fn endpoints(&self) -> String {
        let world = self.world();
        let pairs = Host::ALL.map(|host| format!("{}: '{}'", host.word(), world.base(host)));
        format!("{{ {} }}", pairs.join(", "))
    }

    /// The requests since the last call, in order.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.world().seen)
    }

    /// How many requests each host got since the last call: login, tokens, API, website.
    pub(crate) fn take_counts(&self) -> [usize; 4] {
        let seen = self.take_seen();
        let of = |host| seen.iter().filter(|seen| seen.host == host).count();
        [of(Host::Sso), of(Host::Diauth), of(Host::Connectapi), of(Host::Connect)]
    }
}

impl Drop for FakeGarmin {
    fn drop(&mut self) {
        self.end();
    }
}

async fn serve(
    world: &Shared,
    listeners: Vec<(Host, TcpListener)>,
    stopped: oneshot::Receiver<()>,
) {
    for (host, listener) in listeners {
        let routes = match host {
            Host::Sso => sso::routes().merge(widget::routes()),
            Host::Diauth => tokens::routes(),
            Host::Connectapi => api::routes()
                .merge(activities::routes())
                .layer(middleware::from_fn_with_state(Arc::clone(world), troubles::troubled)),
            Host::Connect => Router::new(),
        };
        let app = routes
            .fallback(|| async { StatusCode::NOT_FOUND })
            .layer(middleware::from_fn_with_state((host, Arc::clone(world)), watched))
            .with_state(Arc::clone(world));
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
    }
    let _ = stopped.await;
}

/// Notes every request, so that tests can count them.
async fn watched(
    State((host, world)): State<(Host, Shared)>,
    request: Request,
    next: Next,
) -> Response {
    let what = format!("{} {}", request.method(), request.uri().path());
    let _busy = Busy::new(&world, Seen { host, what });
    let latency = locked(&world).switches.latency;
    if !latency.is_zero() {
        #[expect(clippy::disallowed_methods, reason = "a server far away takes its time")]
        tokio::time::sleep(latency).await;
    }
    let reaper = locked(&world).reaper.clone();
    if reaper.takes_at_request() {
        return lost();
    }
    let answer = next.run(request).await;
    if reaper.takes_at_answer() { lost() } else { answer }
}

/// A request that is being worked on.
struct Busy(Shared);

impl Busy {
    fn new(shared: &Shared, seen: Seen) -> Self {
        let mut world = locked(shared);
        world.seen.push(seen);
        world.busy += 1;
        world.busiest = world.busiest.max(world.busy);
        Self(Arc::clone(shared))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        locked(&self.0).busy -= 1;
    }
}

/// A page with a title.
pub(crate) fn page(status: u16, title: &str, body: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let text = format!("<!DOCTYPE html><html><head><title>{title}</title></head>\n{body}</html>");
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

/// JSON with a status.
pub(crate) fn json(status: u16, value: &serde_json::Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// A text header of a request.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The answer begins and never ends: the client loses it.
pub(crate) fn lost() -> Response {
    let broken = futures_util::stream::once(async {
        Err::<Vec<u8>, std::io::Error>(std::io::Error::other("the line is cut"))
    });
    axum::body::Body::from_stream(broken).into_response()
}
