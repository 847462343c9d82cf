//! The regions as rows: hosts, numbers, and where uploads are put. (State of 2026-11.)

use std::collections::{BTreeMap, BTreeSet};

use crate::net::{Hosts, Url, origin};

/// A region's facts.
#[derive(Debug)]
pub(super) struct Region {
    /// As in a manifest.
    pub(super) id: &'static str,
    /// As COROS numbers it.
    pub(super) number: &'static str,
    api: &'static str,
    hub: &'static str,
    /// Where uploads are put; `None` where that is not known.
    pub(super) storage: Option<Storage>,
}

/// A bucket for uploads.
#[derive(Debug)]
pub(super) struct Storage {
    pub(super) bucket: &'static str,
    pub(super) service: Service,
}

/// Whose object store it is, and with it how requests are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// Amazon S3, Signature Version 4.
    Aws,
    /// Aliyun OSS, Version 1.
    Aliyun,
}

impl Service {
    /// As COROS calls it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Aliyun => "aliyun",
        }
    }
}

const fn storage(bucket: &'static str, service: Service) -> Option<Storage> {
    Some(Storage { bucket, service })
}

const REGIONS: [Region; 4] = [
    Region {
        id: "us",
        number: "1",
        api: "https://teamapi.coros.com",
        hub: "https://training.coros.com",
        storage: storage("coros-s3", Service::Aws),
    },
    Region {
        id: "cn",
        number: "2",
        api: "https://teamcnapi.coros.com",
        hub: "https://trainingcn.coros.com",
        storage: storage("coros-oss", Service::Aliyun),
    },
    Region {
        id: "eu",
        number: "3",
        api: "https://teameuapi.coros.com",
        hub: "https://trainingeu.coros.com",
        storage: storage("eu-coros", Service::Aws),
    },
    Region {
        id: "sg",
        number: "4",
        api: "https://teamsgapi.coros.com",
        hub: "https://trainingsg.coros.com",
        storage: None,
    },
];

/// Where COROS keeps files and takes uploads.
const FILE_DOMAINS: &[&str] = &["coros.com", "aliyuncs.com", "amazonaws.com", "amazonaws.com.cn"];

/// The region of that id; the first where a manifest names none.
pub(super) fn region(id: Option<&str>) -> &'static Region {
    let [us, ..] = &REGIONS;
    REGIONS.iter().find(|region| id == Some(region.id)).unwrap_or(us)
}

/// The region of COROS' number.
pub(super) fn numbered(number: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.number == number)
}

/// Base URLs that an account's `endpoints` give in place of those of every region.
#[derive(Clone, Debug)]
pub(super) struct Endpoints(BTreeMap<String, String>);

impl Endpoints {
    pub(super) fn of(overrides: &BTreeMap<String, String>) -> Self {
        Self(overrides.clone())
    }

    /// Whether the region's own hosts are not to be contacted.
    pub(super) fn are_given(&self) -> bool {
        !self.0.is_empty()
    }

    /// Hosts that are not named stay on the API's.
    fn given(&self, name: &str) -> Option<&str> {
        let named = self.0.get(name).or_else(|| self.0.get("api"));
        named.or_else(|| self.0.values().next()).map(String::as_str)
    }

    /// Base of the API.
    pub(super) fn api(&self, region: &Region) -> String {
        self.given("api").unwrap_or(region.api).to_owned()
    }

    /// Base of the website.
    pub(super) fn hub(&self, region: &Region) -> String {
        self.given("hub").unwrap_or(region.hub).to_owned()
    }

    /// Base of files and uploads, if it is not named by each answer.
    pub(super) fn store(&self) -> Option<&str> {
        self.given("store")
    }

    /// Origins that tokens are sent to: an account's region is known only after its login.
    pub(super) fn token_hosts(&self) -> BTreeSet<String> {
        self.token_bases()
            .iter()
            .filter_map(|base| Url::parse(base).ok())
            .map(|u| origin(&u))
            .collect()
    }

    fn token_bases(&self) -> BTreeSet<String> {
        REGIONS.iter().flat_map(|region| [self.api(region), self.hub(region)]).collect()
    }

    /// Where the account's own requests may go.
    pub(super) fn hosts(&self) -> Hosts {
        Hosts::of(self.token_bases().iter().map(String::as_str))
    }

    /// Where files may be fetched from and put.
    pub(super) fn file_hosts(&self) -> Hosts {
        match self.store() {
            Some(base) => Hosts::of([base]),
            None => Hosts::below(FILE_DOMAINS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_known_by_its_id_and_its_number() {
        for (id, number) in [("us", "1"), ("cn", "2"), ("eu", "3"), ("sg", "4")] {
            assert_eq!(region(Some(id)).number, number);
            assert_eq!(numbered(number).unwrap().id, id);
        }
        assert!(numbered("101").is_none());
        assert!(region(Some("sg")).storage.is_none());
    }

    #[test]
    fn endpoints_leave_no_way_to_the_regions_hosts() {
        let overrides = BTreeMap::from([("api".to_owned(), "http://127.0.0.1:1".to_owned())]);
        let endpoints = Endpoints::of(&overrides);
        assert_eq!(endpoints.token_hosts().len(), 1);
        let elsewhere = Url::parse("https://s3.coros.com/x").unwrap();
        assert!(!endpoints.file_hosts().allow(&elsewhere));
        assert!(Endpoints::of(&BTreeMap::new()).file_hosts().allow(&elsewhere));
        assert_eq!(Endpoints::of(&BTreeMap::new()).token_hosts().len(), 8);
    }
}
