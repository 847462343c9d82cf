//! COROS as data.

use crate::domain::{
    Capabilities, Editable, PlatformSpec, RegionSpec, ReplaceProtocol, RequestSpec, Unlisted,
};

const fn region(id: &'static str, implied_by: &'static str, uploads: bool) -> RegionSpec {
    RegionSpec { id, implied_by, uploads, activity_url: None }
}

const REGIONS: &[RegionSpec] = &[
    region("us", "coros_us", true),
    region("cn", "coros_cn", true),
    region("eu", "coros_eu", true),
    // Its file storage is not known.
    region("sg", "coros_sg", false),
];

/// No limit is published; this is what careful clients do.
pub(super) const REQUESTS: RequestSpec = RequestSpec {
    max_parallel: 3,
    min_gap_ms: 250,
    change_gap_ms: 250,
    // Where the file is, and the file.
    download: 2,
    // The storage's credentials, the file, its registration, and what became of it.
    upload: 4,
    // Two looks, its file; the upload, its title; the deletion.
    replace: 10,
};

/// What COROS is and can do.
pub(in crate::platform) const SPEC: PlatformSpec = PlatformSpec {
    id: "coros",
    name: "COROS",
    regions: REGIONS,
    account_keys: &[
        "email",
        "password",
        "password_env",
        "password_file",
        "password_command",
        "mfa_command",
        "proxy",
        "ca_file",
        "max_parallel",
        "min_gap_ms",
        "settle_s",
        "allow_login",
        "endpoints",
    ],
    endpoints: &["api", "hub", "store"],
    requests: Some(REQUESTS),
    capabilities: Capabilities {
        upload: true,
        delete: true,
        lists_bytes: false,
        // Accounts hold several rows of equal start.
        replace: ReplaceProtocol::UploadThenDelete,
        editable: Editable { title: true, description: false, kind: false, privacy: false },
        // What clients take for the limit; COROS documents none.
        max_upload_bytes: Some(50 * 1024 * 1024),
        parallel: 1,
        steps_per_request: 1,
        settle_s: 60,
        unlisted: Unlisted::Named,
        loses_on_replace: &["photos", "comments"],
    },
};
