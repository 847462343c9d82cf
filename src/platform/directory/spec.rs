//! Directories as data.

use crate::domain::{Capabilities, Editable, PlatformSpec, ReplaceProtocol, Unlisted};

/// What a directory is and can do.
pub(in crate::platform) const SPEC: PlatformSpec = PlatformSpec {
    id: "directory",
    name: "Directory",
    regions: &[],
    account_keys: &["path"],
    endpoints: &[],
    requests: None,
    capabilities: Capabilities {
        upload: true,
        delete: true,
        lists_bytes: true,
        replace: ReplaceProtocol::UploadThenDelete,
        editable: Editable { title: false, description: false, kind: false, privacy: false },
        max_upload_bytes: None,
        parallel: 4,
        steps_per_request: 1,
        settle_s: 0,
        unlisted: Unlisted::Silent,
        loses_on_replace: &[],
    },
};
