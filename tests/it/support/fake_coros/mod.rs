//! COROS on this machine: API, website, file host and object store of one region, with a switch for
//! everything that is only guessed about the real one.

mod account;
mod activities;
mod imports;
mod store;
mod switches;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json as value};
use tokio::sync::oneshot;

pub(crate) use activities::Stored;
pub(crate) use imports::Import;
pub(crate) use switches::{Switches, Trouble};

/// COROS' hosts, as `endpoints` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    Api,
    Hub,
    Store,
}

impl Host {
    pub(crate) const ALL: [Self; 3] = [Self::Api, Self::Hub, Self::Store];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Hub => "hub",
            Self::Store => "store",
        }
    }
}

/// What the handlers share.
pub(crate) struct World {
    pub(crate) switches: Switches,
    pub(crate) activities: Vec<Stored>,
    pub(crate) imports: Vec<Import>,
    /// By bucket and key.
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    /// Tokens that are accepted.
    pub(crate) tokens: BTreeSet<String>,
    /// Logins that wait for a code.
    pub(crate) tickets: BTreeSet<String>,
    pub(crate) codes_sent: u32,
    /// `POST /account/login`, in order.
    pub(crate) seen: Vec<(Host, String)>,
    /// Listings so far, for rows that show late.
    pub(crate) listings: u64,
    drawn: u64,
    bases: BTreeMap<Host, String>,
}

impl World {
    pub(crate) fn base(&self, host: Host) -> &str {
        &self.bases[&host]
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }
}

pub(crate) type Shared = Arc<Mutex<World>>;

pub(crate) fn locked(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running fake; it ends when it is dropped.
pub(crate) struct FakeCoros {
    world: Shared,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeCoros {
    /// Starts one on free ports.
    pub(crate) fn start(switches: Switches) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (started, start) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(serve(switches, started, stopped));
        });
        let world = start.recv().unwrap();
        Self { world, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.world)
    }

    /// Changes switches between runs.
    pub(crate) fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.world().switches);
    }

    /// `{ api: …, … }`, as a manifest has it.
    pub(crate) fn endpoints(&self) -> String {
        let world = self.world();
        let pairs = Host::ALL.map(|host| format!("{}: '{}'", host.word(), world.base(host)));
        format!("{{ {} }}", pairs.join(", "))
    }

    /// The requests since the last call, in order, without their hosts.
    pub(crate) fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut self.world().seen).into_iter().map(|(_, what)| what).collect()
    }

    /// How many requests there were at a path since the last look, which this is none of.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.world().seen.iter().filter(|(_, what)| what.ends_with(path)).count()
    }
}

impl Drop for FakeCoros {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(switches: Switches, started: mpsc::Sender<Shared>, stopped: oneshot::Receiver<()>) {
    let mut listeners = Vec::new();
    let mut bases = BTreeMap::new();
    for host in Host::ALL {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = tokio::net::TcpListener::bind(any).await.unwrap();
        bases.insert(host, format!("http://{}", listener.local_addr().unwrap()));
        listeners.push((host, listener));
    }
    let world = World {
        switches,
        activities: Vec::new(),
        imports: Vec::new(),
        objects: BTreeMap::new(),
        tokens: BTreeSet::new(),
        tickets: BTreeSet::new(),
        codes_sent: 0,
        seen: Vec::new(),
        listings: 0,
        drawn: 0,
        bases,
    };
    let world: Shared = Arc::new(Mutex::new(world));
    started.send(Arc::clone(&world)).unwrap();
    for (host, listener) in listeners {
        let routes = match host {
            Host::Api => account::routes().merge(activities::routes()).merge(imports::routes()),
            Host::Hub => imports::hub_routes(),
            Host::Store => store::routes(),
        };
        let app = routes
            .fallback(|| async { StatusCode::NOT_FOUND })
            .layer(middleware::from_fn_with_state((host, Arc::clone(&world)), watched))
            .with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, app).await });
    }
    let _ = stopped.await;
}

/// Notes every request, and that no token goes where it does not belong.
async fn watched(
    State((host, world)): State<(Host, Shared)>,
    request: Request,
    next: Next,
) -> Response {
    let what = format!("{} {}", request.method(), request.uri().path());
    if host == Host::Store {
        let names = ["accesstoken", "cookie", "yfheader", "referer", "origin"];
        let told = names.iter().find(|name| request.headers().contains_key(**name));
        assert_eq!(told, None, "{what}: this is no host of the account's");
        let world = locked(&world);
        let all = format!("{:?} {}", request.headers(), request.uri());
        assert!(world.tokens.iter().all(|token| !all.contains(token)), "{what}: a token");
    }
    locked(&world).seen.push((host, what));
    next.run(request).await
}

/// Success.
pub(crate) fn fine(data: Option<Value>) -> Response {
    let mut answer = value!({ "apiCode": "C33BB719", "message": "OK", "result": "0000" });
    if let Some(data) = data {
        answer["data"] = data;
    }
    json(200, &answer)
}

/// A refusal, which comes with HTTP 200 and lacks everything else.
pub(crate) fn refused(result: &str, message: &str) -> Response {
    json(200, &value!({ "result": result, "tlogId": "16321230787789248", "message": message }))
}

pub(crate) fn json(status: u16, value: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// What a switch says goes wrong.
pub(crate) fn trouble(trouble: &Trouble) -> Option<Response> {
    Some(match trouble {
        Trouble::None => return None,
        Trouble::Status(status) => {
            let status = StatusCode::from_u16(*status).unwrap();
            let page = [(header::CONTENT_TYPE, "text/html")];
            (status, page, "<html><title>Error</title></html>").into_response()
        }
        Trouble::Result(result, message) => refused(result, message),
        Trouble::Lost => lost(),
    })
}

/// What keeps a request from being answered: a trouble, or its token.
pub(crate) fn barred(world: &World, headers: &HeaderMap, at: &Trouble) -> Option<Response> {
    let known = world.tokens.contains(text(headers, "accesstoken"));
    trouble(at).or_else(|| (!known).then(|| refused("1019", "Access token is invalid")))
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
