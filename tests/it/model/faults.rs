//! An account of which a script says what goes wrong, as long as it is listened to.

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::support::memory::{DownloadFault, Fault, ListFault, Memory, Operation, UploadFault};
use async_trait::async_trait;
use fit_sync::domain::{Activity, Capabilities, Details, Profile, RemoteId};
use fit_sync::platform::{
    FitFile, ListRequest, Original, Page, Platform, PlatformError, UploadStatus, UploadTicket,
    Uploaded,
};
use proptest::prelude::*;

/// The n-th call of its kind at an account goes wrong.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) account: usize,
    /// Calls of its kind that pass before.
    pub(super) after: usize,
    pub(super) fault: Fault,
}

pub(super) fn trouble() -> impl Strategy<Value = Trouble> {
    let operation = prop::sample::select(vec![
        Operation::List,
        Operation::Download,
        Operation::Upload,
        Operation::Delete,
        Operation::Details,
        Operation::SetDetails,
    ]);
    let error = prop::sample::select(vec![
        PlatformError::Transient("down".to_owned()),
        PlatformError::RateLimited { retry_after: None },
        PlatformError::Permanent("odd".to_owned()),
    ]);
    let written = prop::sample::select(vec![Operation::Upload, Operation::Delete]);
    let upload = prop::sample::select(vec![
        UploadFault::ListedLate(1),
        UploadFault::ListedLate(9),
        UploadFault::NamesDeleted,
        UploadFault::NamesDuplicate(None),
        UploadFault::Processes(2),
        UploadFault::ProcessesUnnamed(2),
    ]);
    let fault = prop_oneof![
        3 => (operation.clone(), error).prop_map(|(operation, error)| Fault::Fails(operation, error)),
        4 => written.prop_map(Fault::LosesAnswer),
        4 => upload.prop_map(Fault::Upload),
        1 => Just(Fault::Download(DownloadFault::Truncated)),
        1 => Just(Fault::List(ListFault::Incomplete)),
        1 => operation.prop_map(Fault::EndsSession),
    ];
    (0usize..3, 0usize..4, fault).prop_map(|(account, after, fault)| Trouble {
        account,
        after,
        fault,
    })
}

/// An account that has trouble.
pub(super) struct Troubled {
    pub(super) memory: Memory,
    script: Mutex<VecDeque<Trouble>>,
}

impl Troubled {
    pub(super) fn new(memory: Memory) -> Self {
        Self { memory, script: Mutex::default() }
    }

    pub(super) fn trouble(&self, troubles: impl Iterator<Item = Trouble>) {
        *self.script.lock().unwrap() = troubles.collect();
    }

    pub(super) fn heal(&self) {
        self.script.lock().unwrap().clear();
        self.memory.log_in();
    }

    /// Has the account suffer what is due at this call.
    fn asked(&self, operation: Operation) {
        let mut script = self.script.lock().unwrap();
        let Some(place) = script.iter().position(|next| next.fault.operation() == operation) else {
            return;
        };
        if script[place].after > 0 {
            script[place].after -= 1;
        } else if let Some(due) = script.remove(place) {
            self.memory.script(due.fault);
        }
    }
}

#[async_trait]
impl Platform for Troubled {
    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }

    async fn whoami(&self) -> Result<Profile, PlatformError> {
        self.memory.whoami().await
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<Page, PlatformError> {
        self.asked(Operation::List);
        self.memory.list(request).await
    }

    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        self.asked(Operation::Download);
        self.memory.download(activity).await
    }

    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        self.asked(Operation::Upload);
        self.memory.upload(file).await
    }

    async fn upload_status(&self, ticket: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        self.memory.upload_status(ticket).await
    }

    async fn delete(&self, activity: &Activity) -> Result<(), PlatformError> {
        self.asked(Operation::Delete);
        self.memory.delete(activity).await
    }

    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError> {
        self.asked(Operation::Details);
        self.memory.details(id).await
    }

    async fn set_details(&self, id: &RemoteId, details: &Details) -> Result<(), PlatformError> {
        self.asked(Operation::SetDetails);
        self.memory.set_details(id, details).await
    }
}
