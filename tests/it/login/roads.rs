//! How hosts are reached: proxies, certificates, redirects, sizes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, any};
use fit_sync::cancellation::Cancellation;
use fit_sync::clock::ManualClock;
use fit_sync::net::{
    Body, Client, Hosts, Method, NetError, Pace, Pacing, Request, Settings, Timeouts, Url,
};
use secrecy::SecretString;

use crate::support::fake_garmin::Switches;

use super::stage::Stage;

#[test]
fn proxies_of_the_environment_are_not_for_this_machine_but_the_account_s_own_is() {
    let mut stage = Stage::new(Switches::of("garmin.com"));
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"] {
        stage.cli.set(variable, "http://127.0.0.1:1");
    }
    stage.cli.run("auth").ok();
    stage.fake.take_counts();
    stage.account("password: right, proxy: 'http://me:Zk9proxy@127.0.0.1:1'");
    let ran = stage.cli.run("auth --force -vvv").exits(5);
    assert!(!ran.stderr.contains("Zk9"), "{ran:#?}");
    assert_eq!(stage.fake.take_counts(), [0; 4]);
}

#[test]
fn certificates_that_are_none_are_said_before_anything_is_sent() {
    let stage = Stage::new(Switches::of("garmin.com"));
    stage.cli.put("authorities.pem", "no certificate");
    for (path, says) in [("authorities.pem", "no certificate"), ("nowhere.pem", "nowhere.pem")] {
        let path = stage.cli.path(path);
        stage.account(&format!("password: right, ca_file: '{}'", path.display()));
        stage.cli.run("auth").exits(3).tells(says).tells("ca_file");
    }
    assert_eq!(stage.fake.take_counts(), [0; 4]);
}

/// A server that answers everything alike, and counts.
async fn server(status: StatusCode, location: String, body: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let answer = any(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        async move { (status, [(header::LOCATION, location)], body).into_response() }
    });
    (serve(answer).await, asked)
}

async fn serve(answer: MethodRouter) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    base
}

fn client(bases: &[&str]) -> Client {
    client_until(bases, Cancellation::default())
}

fn client_until(bases: &[&str], stop: Cancellation) -> Client {
    let clock = Arc::new(ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap()));
    let pacing = Pacing { max_parallel: 2, min_gap: Duration::ZERO, change_gap: Duration::ZERO };
    let hosts = Hosts::of(bases.iter().copied());
    let timeouts = Timeouts::default();
    let settings = Settings { proxy: None, ca_file: None, hosts, timeouts };
    Client::new(settings, Arc::new(Pace::new(pacing, clock, stop))).unwrap()
}

fn secret(method: Method, base: &str) -> Request {
    let fields = vec![("password", SecretString::from("right"))];
    let request = Request::new(method, Url::parse(base).unwrap())
        .header("authorization", "Bearer secret")
        .following();
    request.body(Body::Form(fields))
}

#[tokio::test]
async fn no_redirect_leads_to_another_host() {
    let (there, asked_there) = server(StatusCode::OK, String::new(), Vec::new()).await;
    let (here, asked_here) = server(StatusCode::FOUND, there.clone(), Vec::new()).await;
    for method in [Method::GET, Method::POST] {
        let error = client(&[&here]).send(secret(method, &here)).await.unwrap_err();
        assert!(matches!(error, NetError::ForeignHost(_)), "{error}");
    }
    assert_eq!(asked_there.load(Ordering::Relaxed), 0);
    let answer = client(&[&here, &there]).send(secret(Method::GET, &here)).await.unwrap();
    assert_eq!(answer.status, 200, "one of the account's own is fine");
    assert_eq!(asked_here.load(Ordering::Relaxed), 3);
    assert_eq!(asked_there.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_write_is_never_sent_on_and_circles_end() {
    let (there, asked_there) = server(StatusCode::OK, String::new(), Vec::new()).await;
    let (here, _) = server(StatusCode::TEMPORARY_REDIRECT, there.clone(), Vec::new()).await;
    let hosts = [here.as_str(), there.as_str()];
    let answer = client(&hosts).send(secret(Method::POST, &here)).await.unwrap();
    assert_eq!((answer.status, asked_there.load(Ordering::Relaxed)), (307, 0));
    let (circle, asked) = server(StatusCode::FOUND, "/again".to_owned(), Vec::new()).await;
    let error = client(&[&circle]).send(secret(Method::GET, &circle)).await.unwrap_err();
    assert!(matches!(error, NetError::Lost(_)), "{error}");
    assert!(asked.load(Ordering::Relaxed) < 20);
}

#[tokio::test]
async fn what_was_begun_before_a_stop_is_followed_to_its_end_and_nothing_is_begun_after_it() {
    let (there, asked) = server(StatusCode::OK, String::new(), Vec::new()).await;
    let stop = Cancellation::default();
    let (location, meanwhile) = (there.clone(), stop.clone());
    let here = serve(any(move || {
        meanwhile.request();
        async move { (StatusCode::FOUND, [(header::LOCATION, location)]).into_response() }
    }))
    .await;
    let client = client_until(&[&here, &there], stop);
    assert_eq!(client.send(secret(Method::GET, &here)).await.unwrap().status, 200);
    let error = client.send(secret(Method::GET, &there)).await.unwrap_err();
    assert_eq!((error, asked.load(Ordering::Relaxed)), (NetError::Cancelled, 1));
}

#[tokio::test]
async fn answers_have_a_largest_size_and_requests_their_hosts() {
    let (here, asked) = server(StatusCode::OK, String::new(), vec![7; 5000]).await;
    let request = |most| Request::new(Method::GET, Url::parse(&here).unwrap()).at_most(most);
    assert_eq!(client(&[&here]).send(request(5000)).await.unwrap().body.len(), 5000);
    let error = client(&[&here]).send(request(4999)).await.unwrap_err();
    assert!(matches!(error, NetError::TooLarge { most: 4999, .. }), "{error}");
    let error = client(&["https://other.example"]).send(request(1)).await.unwrap_err();
    assert!(matches!(error, NetError::ForeignHost(_)), "{error}");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}
