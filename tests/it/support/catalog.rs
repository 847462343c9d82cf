//! A catalog that tests rely on, whatever the real one becomes.

use fit_sync::domain::{
    Capabilities, Catalog, Editable, PlatformSpec, RegionSpec, ReplaceProtocol, Unlisted,
};

const fn region(id: &'static str, implied_by: &'static str, uploads: bool) -> RegionSpec {
    RegionSpec { id, implied_by, uploads, activity_url: None }
}

const fn capabilities(delete: bool) -> Capabilities {
    Capabilities {
        upload: true,
        delete,
        lists_bytes: false,
        replace: ReplaceProtocol::UploadThenDelete,
        editable: Editable { title: false, description: false, kind: false, privacy: false },
        max_upload_bytes: None,
        parallel: 1,
        steps_per_request: 1,
        settle_s: 0,
        unlisted: Unlisted::Silent,
        loses_on_replace: &[],
    }
}

const COROS: &[RegionSpec] = &[
    region("us", "coros_us", true),
    region("cn", "coros_cn", true),
    region("eu", "coros_eu", true),
    region("sg", "coros_sg", false),
];
const GARMIN: &[RegionSpec] =
    &[region("global", "garmin_us", true), region("cn", "garmin_cn", true)];

/// Garmin and COROS with their regions, directories, and an archive that deletes nothing.
pub(crate) fn catalog() -> Catalog {
    let spec = |id, name, regions, account_keys, endpoints, delete| PlatformSpec {
        id,
        name,
        regions,
        account_keys,
        endpoints,
        requests: None,
        capabilities: capabilities(delete),
    };
    Catalog {
        platforms: vec![
            spec("coros", "COROS", COROS, &["email", "password"], &["api", "hub", "store"], true),
            spec("directory", "Directory", &[], &["path"], &[], true),
            spec(
                "garmin",
                "Garmin Connect",
                GARMIN,
                &["email", "password"],
                &["sso", "connectapi", "diauth", "connect"],
                true,
            ),
            spec("worm", "Worm archive", &[], &["path"], &[], false),
        ],
    }
}
