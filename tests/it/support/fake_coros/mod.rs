//! COROS on this machine: API, website, file host and object store of one region, with a switch for
//! everything that is only guessed about the real one.

mod account;
mod activities;
mod faults;
mod imports;
mod store;
mod switches;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json as value};

use super::reaper::Reaper;
use super::server::{Ports, Servers};

pub(crate) use activities::Stored;
pub(crate) use faults::{Fault, Place, Trouble};
pub(crate) use imports::Import;
pub(crate) use switches::{Duplicates, Switches, Unreadable};

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
    /// Kills who asks, if a test wants that.
    pub(crate) reaper: Reaper,
    /// What was asked and should not have been.
    pub(crate) unexpected: Vec<String>,
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

/// A running fake; it ends when it is dropped, and says what should not have been asked.
pub(crate) struct FakeCoros {
    world: Shared,
    _servers: Servers,
}

impl FakeCoros {
    /// Starts one on free ports.
    pub(crate) fn start(switches: Switches) -> Self {
        Self::start_at(switches, 0)
    }

    /// Starts one on three ports in a row, of which this is the first.
    pub(crate) fn start_at(switches: Switches, port: u16) -> Self {
        let ports = Ports::take(Host::ALL.len(), port);
        let world = World {
            switches,
            activities: Vec::new(),
            imports: Vec::new(),
            objects: BTreeMap::new(),
            tokens: BTreeSet::new(),
            tickets: BTreeSet::new(),
            codes_sent: 0,
            seen: Vec::new(),
            reaper: Reaper::default(),
            unexpected: Vec::new(),
            listings: 0,
            drawn: 0,
            bases: Host::ALL.into_iter().zip(ports.bases()).collect(),
        };
        let world: Shared = Arc::new(Mutex::new(world));
        let servers = ports.serve(Host::ALL.map(|host| routes(host, &world)));
        Self { world, _servers: servers }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.world)
    }

    /// Changes switches between runs.
    pub(crate) fn switch<T>(&self, change: impl FnOnce(&mut Switches) -> T) -> T {
        change(&mut self.world().switches)
    }

    /// Has something go wrong every time.
    pub(crate) fn fails(&self, place: Place, trouble: Trouble) {
        self.fails_for(u32::MAX, place, trouble);
    }

    /// Has something go wrong so often.
    pub(crate) fn fails_for(&self, times: u32, place: Place, trouble: Trouble) {
        self.switch(|switches| switches.faults.insert(place, Fault { trouble, left: times }));
    }

    /// Has everything go well again.
    pub(crate) fn heal(&self) {
        self.world().switches.faults.clear();
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
        if !std::thread::panicking() {
            assert_eq!(self.world().unexpected, Vec::<String>::new());
        }
    }
}

/// What a host answers.
fn routes(host: Host, world: &Shared) -> Router {
    let routes = match host {
        Host::Api => account::routes().merge(activities::routes()).merge(imports::routes()),
        Host::Hub => imports::hub_routes(),
        Host::Store => store::routes(),
    };
    routes
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(middleware::from_fn_with_state((host, Arc::clone(world)), faults::watched))
        .with_state(Arc::clone(world))
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

/// What keeps a request from being answered: its token.
pub(crate) fn barred(world: &World, headers: &HeaderMap) -> Option<Response> {
    let known = world.tokens.contains(text(headers, "accesstoken"));
    (!known).then(|| refused("1019", "Access token is invalid"))
}

/// A text header of a request.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
