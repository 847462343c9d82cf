//! Garmin Connect as data.

use crate::domain::{
    Capabilities, Editable, PlatformSpec, RegionSpec, ReplaceProtocol, RequestSpec, Unlisted,
};

const REGIONS: &[RegionSpec] = &[
    RegionSpec {
        id: "global",
        implied_by: "garmin_us",
        uploads: true,
        activity_url: Some("https://connect.garmin.com/modern/activity/{id}"),
    },
    RegionSpec {
        id: "cn",
        implied_by: "garmin_cn",
        uploads: true,
        activity_url: Some("https://connect.garmin.cn/modern/activity/{id}"),
    },
];

/// One request at a time, at most two or three a second and one change, as those advise who were
/// banned for more.
pub(super) const REQUESTS: RequestSpec = RequestSpec {
    max_parallel: 1,
    min_gap_ms: 400,
    change_gap_ms: 1000,
    download: 1,
    // The file, and what became of it.
    upload: 2,
    // Its file, its details, a look; the deletion; the upload, and what became of it; the new one's
    // file and details.
    replace: 8,
};

/// What Garmin Connect is and can do.
pub(in crate::platform) const SPEC: PlatformSpec = PlatformSpec {
    id: "garmin",
    name: "Garmin Connect",
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
        "upload_as_import",
        "endpoints",
    ],
    endpoints: &["sso", "connectapi", "diauth", "connect"],
    requests: Some(REQUESTS),
    capabilities: Capabilities {
        upload: true,
        delete: true,
        lists_bytes: false,
        // A second activity of the same start is answered with 409 (2026-08).
        replace: ReplaceProtocol::DeleteThenUpload,
        editable: Editable { title: true, description: true, kind: true, privacy: true },
        // Limit of the web import (garmin-uploader#35).
        max_upload_bytes: Some(25 * 1024 * 1024),
        parallel: 1,
        // As many as are sent while the first one is worked on.
        steps_per_request: 12,
        settle_s: 60,
        unlisted: Unlisted::Refused,
        loses_on_replace: &["photos", "comments"],
    },
};
