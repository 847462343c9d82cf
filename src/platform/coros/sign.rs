//! How uploads to object stores are signed: Amazon's Signature Version 4 and Aliyun's Version 1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// A key of an object store and its secret.
pub(super) struct Key<'a> {
    pub(super) id: &'a str,
    pub(super) secret: &'a str,
}

/// A request to Amazon as it is signed: every header that is named here, in lower case and in order.
pub(super) struct Amazon<'a> {
    pub(super) method: &'static str,
    /// Encoded as sent.
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'static str, &'a str)],
    pub(super) payload_sha256: &'a str,
    pub(super) region: &'a str,
    pub(super) at: Timestamp,
}

impl Amazon<'_> {
    /// The `authorization` of the request.
    pub(super) fn authorization(&self, key: &Key<'_>) -> String {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let (method, path, payload) = (self.method, self.path, self.payload_sha256);
        let canonical = format!("{method}\n{path}\n\n{headers}\n{names}\n{payload}");
        let day = self.at.to_zoned(TimeZone::UTC).strftime("%Y%m%d").to_string();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let hashed = hex::encode(Sha256::digest(canonical));
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hashed}", amz_date(self.at));
        let mut signing = format!("AWS4{}", key.secret).into_bytes();
        for part in [day.as_str(), self.region, "s3", "aws4_request"] {
            signing = sha256_mac(&signing, part);
        }
        let signature = hex::encode(sha256_mac(&signing, &text));
        let id = key.id;
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope},SignedHeaders={names},Signature={signature}"
        )
    }
}

/// `20130524T000000Z`.
pub(super) fn amz_date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// `Thu, 17 Nov 2005 18:49:58 GMT`.
pub(super) fn http_date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A request to Aliyun as it is signed.
pub(super) struct Aliyun<'a> {
    pub(super) method: &'static str,
    pub(super) content_md5: &'a str,
    pub(super) content_type: &'a str,
    pub(super) date: &'a str,
    /// Those that begin with `x-oss-`, in lower case and in order.
    pub(super) headers: &'a [(&'static str, &'a str)],
    /// `/<bucket>/<key>`.
    pub(super) resource: &'a str,
}

impl Aliyun<'_> {
    /// The `authorization` of the request.
    pub(super) fn authorization(&self, key: &Key<'_>) -> String {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let Self { method, content_md5, content_type, date, resource, .. } = self;
        let text = format!("{method}\n{content_md5}\n{content_type}\n{date}\n{headers}{resource}");
        let signature = STANDARD.encode(sha1_mac(key.secret.as_bytes(), &text));
        format!("OSS {}:{signature}", key.id)
    }
}

fn sha256_mac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length will do.
    Hmac::<Sha256>::new_from_slice(key)
        .map_or_else(|_| Vec::new(), |mac| mac.chain_update(text).finalize().into_bytes().to_vec())
}

fn sha1_mac(key: &[u8], text: &str) -> Vec<u8> {
    Hmac::<Sha1>::new_from_slice(key)
        .map_or_else(|_| Vec::new(), |mac| mac.chain_update(text).finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazon_s_own_example_is_signed_as_they_say() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let headers = [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", empty),
            ("x-amz-date", "20130524T000000Z"),
        ];
        let request = Amazon {
            method: "GET",
            path: "/test.txt",
            headers: &headers,
            payload_sha256: empty,
            region: "us-east-1",
            at: "2013-05-24T00:00:00Z".parse().unwrap(),
        };
        let key =
            Key { id: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
        assert_eq!(
            request.authorization(&key),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
             Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
    }

    #[test]
    fn aliyun_s_own_example_is_signed_as_they_say() {
        let at: Timestamp = "2005-11-17T18:49:58Z".parse().unwrap();
        let date = http_date(at);
        assert_eq!(date, "Thu, 17 Nov 2005 18:49:58 GMT");
        let request = Aliyun {
            method: "PUT",
            content_md5: "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=",
            content_type: "text/html",
            date: &date,
            headers: &[("x-oss-magic", "abracadabra"), ("x-oss-meta-author", "foo@bar.com")],
            resource: "/oss-example/nelson",
        };
        let key =
            Key { id: "44CF9590006BF252F707", secret: "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV" };
        assert_eq!(
            request.authorization(&key),
            "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA="
        );
    }
}
