//! The file host and the object store, which believe no request that is not signed.

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::Sha256;

use super::super::fit;
use super::{Shared, Trouble, World, imports, locked, text};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/fit/{user}/{file}", get(file))
        .route("/{bucket}/fit_zip/{user}/{file}", put(object))
        .layer(DefaultBodyLimit::max(64 * 1024 * 1024))
}

async fn file(State(world): State<Shared>, Path((user, file)): Path<(String, String)>) -> Response {
    let mut world = locked(&world);
    assert_eq!(user, world.switches.user);
    let found = world.activities.iter().find(|row| format!("{}.fit", row.id) == file);
    let Some(mut bytes) = found.and_then(|row| row.file.clone()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if world.switches.exports_anew {
        let seconds = world.draw() % 256;
        bytes = fit::exported_again(&bytes, u8::try_from(seconds).unwrap());
    }
    Body::from(bytes).into_response()
}

async fn object(
    State(world): State<Shared>,
    Path((bucket, user, file)): Path<(String, String, String)>,
    Extension(trouble): Extension<Option<Trouble>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut world = locked(&world);
    let (own, service, region) = world.switches.storage();
    let key = format!("fit_zip/{user}/{file}");
    let is_signed = match service {
        "aws" => is_signed_for_amazon(&world, &headers, &format!("/{bucket}/{key}"), region, &body),
        _ => is_signed_for_aliyun(&world, &headers, &format!("/{bucket}/{key}"), &body),
    };
    if bucket != own || !is_signed {
        let words = "<Error><Code>SignatureDoesNotMatch</Code><Secret>x</Secret></Error>";
        return (StatusCode::FORBIDDEN, words).into_response();
    }
    let key = format!("{bucket}/{key}");
    if world.switches.forbids_overwrite && world.objects.contains_key(&key) {
        let words = "<Error><Code>FileAlreadyExists</Code></Error>";
        return (StatusCode::CONFLICT, words).into_response();
    }
    // Of what is put the answer says nothing: it is the object that is not whole.
    let kept = match trouble {
        Some(Trouble::Halved) => body.slice(..body.len() / 2),
        Some(Trouble::Spoilt) => body.iter().map(|byte| !byte).collect(),
        _ => body,
    };
    world.objects.insert(key, kept.to_vec());
    StatusCode::OK.into_response()
}

fn is_signed_for_aliyun(world: &World, headers: &HeaderMap, path: &str, body: &[u8]) -> bool {
    let (md5, date) = (text(headers, "content-md5"), text(headers, "date"));
    let (kind, token) = (text(headers, "content-type"), text(headers, "x-oss-security-token"));
    let signed = format!("PUT\n{md5}\n{kind}\n{date}\nx-oss-security-token:{token}\n{path}");
    let mut mac = Hmac::<Sha1>::new_from_slice(imports::secret(world).as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    md5 == STANDARD.encode(Md5::digest(body))
        && date.ends_with(" GMT")
        && token == imports::session(world)
        && text(headers, "authorization") == format!("OSS STS.FAKE:{signature}")
}

fn is_signed_for_amazon(
    world: &World,
    headers: &HeaderMap,
    path: &str,
    region: &str,
    body: &[u8],
) -> bool {
    let hash = hex::encode(Sha256::digest(body));
    let authorization = text(headers, "authorization");
    let part = |name: &str| {
        authorization.split([' ', ',']).find_map(|part| part.strip_prefix(name)).unwrap().to_owned()
    };
    let names = part("SignedHeaders=");
    for name in ["host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"] {
        assert!(names.split(';').any(|signed| signed == name), "{name} is signed");
    }
    let lines: String =
        names.split(';').map(|name| format!("{name}:{}\n", text(headers, name))).collect();
    let canonical = format!("PUT\n{path}\n\n{lines}\n{names}\n{hash}");
    let date = text(headers, "x-amz-date");
    let scope = format!("{}/{region}/s3/aws4_request", &date[..8]);
    let hashed = hex::encode(Sha256::digest(canonical));
    let mac = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let key = format!("AWS4{}", imports::secret(world)).into_bytes();
    let key = scope.split('/').fold(key, |key, part| mac(&key, part));
    let signature = hex::encode(mac(&key, &format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}")));
    hash == text(headers, "x-amz-content-sha256")
        && text(headers, "x-amz-security-token") == imports::session(world)
        && part("Credential=") == format!("AKIDFAKE/{scope}")
        && part("Signature=") == signature
}
