//! Servers of a fake on this machine: one per host, on a thread of their own.

use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use axum::Router;
use tokio::sync::oneshot;

/// Ports that are taken, with nobody answering yet.
pub(crate) struct Ports(Vec<TcpListener>);

impl Ports {
    /// So many free ones, or that many in a row from the first.
    pub(crate) fn take(hosts: usize, first: u16) -> Self {
        let port = |number| if first == 0 { 0 } else { first + number };
        let bind = |number| TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port(number))));
        Self((0..).take(hosts).map(|number| bind(number).unwrap()).collect())
    }

    /// The base URL of each.
    pub(crate) fn bases(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|listener| format!("http://{}", listener.local_addr().unwrap()))
    }

    /// Has each answered by its routes.
    pub(crate) fn serve(self, routes: impl IntoIterator<Item = Router>) -> Servers {
        let apps: Vec<(TcpListener, Router)> = self.0.into_iter().zip(routes).collect();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                for (listener, app) in apps {
                    listener.set_nonblocking(true).unwrap();
                    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                    tokio::spawn(async move { axum::serve(listener, app).await });
                }
                let _ = stopped.await;
            });
        });
        Servers { stop: Some(stop), thread: Some(thread) }
    }
}

/// Running servers; they end when this is dropped.
pub(crate) struct Servers {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Servers {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
