use std::collections::HashMap;
use std::num::NonZeroUsize;

use super::*;
use fit_sync::domain::{
    Activity, ActivityType, Details, Fingerprint, Key, RemoteId, Sha256, Unusable,
};
use fit_sync::platform::{
    AuthFailure, FitFile, ListRequest, Platform, PlatformError, UploadStatus, Uploaded, Urgency,
    Window,
};

fn file(start: &str) -> FitFile {
    FitFile {
        urgency: Urgency::Normal,
        bytes: start.as_bytes().to_vec(),
        sha256: Sha256::of(start.as_bytes()),
        key: Key { start: start.parse().unwrap(), elapsed_s: Some(60) },
        kind: ActivityType::opaque("running"),
        title: None,
        local_offset_s: None,
    }
}

fn account() -> Memory {
    let mut settings = Settings::new("b");
    settings.facts = Facts::Requested;
    Memory::new(settings)
}

/// As much of an activity as the account needs to know which one is meant.
fn row(id: &RemoteId) -> Activity {
    Activity::unusable(id.clone(), Fingerprint::new(""), Unusable::NoOriginal)
}

async fn all(account: &Memory) -> Vec<Activity> {
    let mut rows = Vec::new();
    let mut page = None;
    loop {
        let request = ListRequest { window: Window::default(), page, known: &HashMap::new() };
        let answer = account.list(request).await.unwrap();
        rows.extend(answer.activities);
        page = answer.next;
        if page.is_none() {
            return rows;
        }
    }
}

async fn stored(account: &Memory, start: &str) -> RemoteId {
    match account.upload(&file(start)).await.unwrap() {
        Uploaded::Stored(id) => id,
        Uploaded::Processing(ticket) => panic!("{ticket:?}"),
    }
}

const MONDAY: &str = "2026-11-16T06:00:00Z";
const TUESDAY: &str = "2026-11-17T06:00:00Z";
const WEDNESDAY: &str = "2026-11-18T06:00:00Z";

#[tokio::test]
async fn what_is_uploaded_is_listed_newest_first_in_pages() {
    let account = account();
    for day in [TUESDAY, MONDAY, WEDNESDAY] {
        stored(&account, day).await;
    }
    account.configure(|settings| settings.page_size = NonZeroUsize::new(2));
    let starts: Vec<String> =
        all(&account).await.iter().map(|row| row.start.unwrap().to_string()).collect();
    assert_eq!(starts, [WEDNESDAY, TUESDAY, MONDAY]);
}

#[tokio::test]
async fn a_window_means_local_days() {
    let account = account();
    let mut late = file("2026-11-16T23:30:00Z");
    late.local_offset_s = Some(3600);
    account.upload(&late).await.unwrap();
    let window = Window { first: Some("2026-11-17".parse().unwrap()), last: None };
    let known = HashMap::new();
    let request = ListRequest { window, page: None, known: &known };
    assert_eq!(account.list(request).await.unwrap().activities.len(), 1);
}

#[tokio::test]
async fn a_lost_answer_hides_what_was_done() {
    let account = account();
    account.script(Fault::LosesAnswer(Operation::Upload));
    let error = account.upload(&file(MONDAY)).await.unwrap_err();
    assert!(matches!(error, PlatformError::Unconfirmed(_)));
    let history = account.history();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].ids.len(), 1);
    assert_eq!(history[0].happening.answer, Err(error));
}

#[tokio::test]
async fn faults_wait_for_their_turn_and_do_nothing() {
    let account = account();
    let limited = PlatformError::RateLimited { retry_after: None };
    account.script(Fault::Passes(Operation::Upload));
    account.script(Fault::Fails(Operation::Upload, limited.clone()));
    stored(&account, MONDAY).await;
    assert_eq!(account.upload(&file(TUESDAY)).await, Err(limited));
    stored(&account, TUESDAY).await;
    assert_eq!(account.ids().len(), 2);
}

#[tokio::test]
async fn a_deletion_that_has_not_settled_refuses_the_same_start() {
    let account = account();
    account.configure(|settings| {
        settings.unsettled_deletions = 2;
        settings.duplicates = Duplicates::Refused;
    });
    let id = stored(&account, MONDAY).await;
    let refused = || Err(PlatformError::Duplicate { existing: Some(id.clone()) });
    assert_eq!(account.upload(&file(MONDAY)).await, refused());
    account.delete(&row(&id)).await.unwrap();
    assert_eq!(account.upload(&file(MONDAY)).await, refused());
    assert_eq!(account.upload(&file(MONDAY)).await, refused());
    assert_ne!(stored(&account, MONDAY).await, id);
    assert_eq!(account.delete(&row(&id)).await, Err(PlatformError::NotFound));
    assert_eq!(account.bytes(&id).unwrap(), MONDAY.as_bytes());
}

#[tokio::test]
async fn uploads_are_listed_late_twice_or_never() {
    let account = account();
    account.script(Fault::Upload(UploadFault::ListedLate(1)));
    account.script(Fault::Upload(UploadFault::ListedTwice));
    account.script(Fault::Upload(UploadFault::Dropped));
    for day in [MONDAY, TUESDAY, WEDNESDAY] {
        stored(&account, day).await;
    }
    assert_eq!(all(&account).await.len(), 2);
    assert_eq!(all(&account).await.len(), 3);
    assert_eq!(account.ids().len(), 2);
}

#[tokio::test]
async fn an_upload_may_name_an_activity_that_it_did_not_make() {
    let account = account();
    let old = stored(&account, MONDAY).await;
    account.script(Fault::Upload(UploadFault::NamesStored(old.clone())));
    assert_eq!(stored(&account, TUESDAY).await, old);
    account.delete(&row(&old)).await.unwrap();
    for (fault, existing) in
        [(UploadFault::NamesDeleted, Some(old.clone())), (UploadFault::NamesDuplicate(None), None)]
    {
        account.script(Fault::Upload(fault));
        let answer = account.upload(&file(TUESDAY)).await;
        assert_eq!(answer, Err(PlatformError::Duplicate { existing }));
    }
    assert!(account.ids().is_empty());
}

#[tokio::test]
async fn a_ticket_is_answered_when_its_time_has_come() {
    let account = account();
    account.script(Fault::Upload(UploadFault::Processes(1)));
    let Uploaded::Processing(ticket) = account.upload(&file(MONDAY)).await.unwrap() else {
        panic!("stored at once");
    };
    let first = account.upload_status(&ticket).await;
    assert_eq!(first, Ok(UploadStatus::Processing));
    let second = account.upload_status(&ticket).await;
    assert!(matches!(second, Ok(UploadStatus::Stored(_))));
}

#[tokio::test]
async fn pages_drift_when_something_arrives_between_them() {
    let account = account();
    for day in [MONDAY, TUESDAY] {
        stored(&account, day).await;
    }
    let mut newest = all(&account).await[0].clone();
    newest.id = RemoteId::new("phone");
    newest.start = Some(WEDNESDAY.parse().unwrap());
    account.configure(|settings| settings.page_size = NonZeroUsize::new(1));
    account.script(Fault::List(ListFault::Arrives(Box::new(newest))));
    let ids: Vec<RemoteId> = all(&account).await.into_iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[0], ids[1], "the first row is repeated");
}

#[tokio::test]
async fn downloads_break_and_sessions_end() {
    let account = account();
    stored(&account, MONDAY).await;
    let row = all(&account).await.remove(0);
    account.script(Fault::Download(DownloadFault::Truncated));
    let broken = account.download(&row).await.unwrap().bytes;
    assert_eq!(broken.len(), MONDAY.len() / 2);
    assert_eq!(account.download(&row).await.unwrap().bytes, MONDAY.as_bytes());
    account.script(Fault::EndsSession(Operation::Delete));
    let ended = PlatformError::Auth(AuthFailure::Expired);
    assert_eq!(account.delete(&row).await, Err(ended.clone()));
    assert_eq!(account.whoami().await, Err(ended));
    account.log_in();
    assert_eq!(account.delete(&row).await, Ok(()));
}

#[tokio::test]
async fn details_are_set_where_the_account_can() {
    let account = account();
    let id = stored(&account, MONDAY).await;
    let details =
        Details { title: Some("Morning".to_owned()), private: Some(true), ..Details::default() };
    account.script(Fault::KeepsPrivacy);
    account.set_details(&id, &details).await.unwrap();
    let written = account.details(&id).await.unwrap();
    assert_eq!(written.title.as_deref(), Some("Morning"));
    assert_eq!(written.private, Some(false));
    account.configure(|settings| settings.capabilities.editable.privacy = false);
    let refused = account.set_details(&id, &details).await;
    assert_eq!(refused, Err(PlatformError::Unsupported));
}

#[tokio::test]
async fn what_is_no_activity_is_rejected_where_bytes_are_read() {
    let account = Memory::new(Settings::new("b"));
    let answer = account.upload(&file(MONDAY)).await;
    assert!(matches!(answer, Err(PlatformError::Rejected { .. })));
    let id = account.put_file(b"nonsense", Some("by hand"));
    assert_eq!(account.written(&id).unwrap().title.as_deref(), Some("by hand"));
}
