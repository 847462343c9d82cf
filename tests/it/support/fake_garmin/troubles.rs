//! What goes wrong between a request to the API and its answer.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use super::api::unauthorized;
use super::sso::trouble;
use super::{Shared, Switches, Trouble, locked, lost};

/// What the API is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    List,
    Download,
    Upload,
    Status,
    Details,
    Edit,
    Delete,
}

impl Place {
    fn of(method: &Method, path: &str) -> Option<Self> {
        let one = || match *method {
            Method::PUT => Self::Edit,
            Method::DELETE => Self::Delete,
            _ => Self::Details,
        };
        [
            ("/activitylist-service/", Self::List),
            ("/download-service/", Self::Download),
            ("/upload-service/", Self::Upload),
            ("/activity-service/activity/status/", Self::Status),
            ("/activity-service/activity/", one()),
        ]
        .into_iter()
        .find_map(|(begin, place)| path.starts_with(begin).then_some(place))
    }
}

impl Switches {
    /// The trouble of a place.
    pub(crate) fn at(&mut self, place: Place) -> &mut Trouble {
        match place {
            Place::List => &mut self.list,
            Place::Download => &mut self.download,
            Place::Upload => &mut self.upload,
            Place::Status => &mut self.status,
            Place::Details => &mut self.details,
            Place::Edit => &mut self.edit,
            Place::Delete => &mut self.delete,
        }
    }

    /// The trouble of the next request there.
    fn take(&mut self, place: Place) -> Trouble {
        match self.at(place) {
            Trouble::First(0, _) => Trouble::None,
            Trouble::First(times, trouble) => {
                *times -= 1;
                (**trouble).clone()
            }
            Trouble::After(0, trouble) => (**trouble).clone(),
            Trouble::After(times, _) => {
                *times -= 1;
                Trouble::None
            }
            trouble => trouble.clone(),
        }
    }
}

/// Has go wrong what shall go wrong.
pub(super) async fn troubled(
    State(world): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let Some(place) = Place::of(request.method(), request.uri().path()) else {
        return next.run(request).await;
    };
    let now = locked(&world).switches.take(place);
    match now {
        Trouble::None => next.run(request).await,
        Trouble::Dies => {
            locked(&world).die();
            std::future::pending().await
        }
        Trouble::Hangs => std::future::pending().await,
        // Unwinds through the connection, which closes without an answer.
        Trouble::Resets => std::panic::resume_unwind(Box::new("reset")),
        Trouble::LostBefore => lost(),
        Trouble::Lost => {
            next.run(request).await;
            lost()
        }
        Trouble::Half => {
            changed(next.run(request).await, |bytes| bytes.truncate(bytes.len() / 2)).await
        }
        Trouble::Flipped => {
            let flip = |bytes: &mut Vec<u8>| {
                let middle = bytes.len() / 2;
                bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 0xff);
            };
            changed(next.run(request).await, flip).await
        }
        Trouble::Refused => unauthorized(),
        Trouble::First(..)
        | Trouble::After(..)
        | Trouble::Status(_)
        | Trouble::Wait(..)
        | Trouble::Says(..)
        | Trouble::Kind(..)
        | Trouble::InBody(_)
        | Trouble::Titled(..) => trouble(&now).unwrap(),
    }
}

/// An answer with another body, whole as far as its length tells.
async fn changed(answer: Response, change: impl FnOnce(&mut Vec<u8>)) -> Response {
    let (mut head, body) = answer.into_parts();
    let bytes: Bytes = to_bytes(body, usize::MAX).await.unwrap();
    let mut bytes = bytes.to_vec();
    change(&mut bytes);
    head.headers.remove("content-length");
    Response::from_parts(head, Body::from(bytes))
}
