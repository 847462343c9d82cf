//! The row of an activity whose bytes are at hand.

use crate::domain::{Activity, Content, Fingerprint, Part, RemoteId, Sha256, Unusable};
use crate::fit;

/// All that the bytes tell; a title is not theirs.
pub fn of_bytes(id: &RemoteId, bytes: &[u8]) -> Activity {
    let sha256 = Sha256::of(bytes);
    let fingerprint = Fingerprint::of_bytes(&sha256);
    let mut row = match fit::read(bytes) {
        Ok(content) => of_content(id, fingerprint, content),
        Err(reason) => Activity::unusable(id.clone(), fingerprint, reason),
    };
    row.sha256 = Some(sha256);
    row
}

fn of_content(id: &RemoteId, fingerprint: Fingerprint, content: Content) -> Activity {
    let key = content.key();
    Activity {
        id: id.clone(),
        fingerprint,
        start: key.map(|(key, _)| key.start),
        weak_start: key.is_some_and(|(_, weak)| weak),
        elapsed_s: key.and_then(|(key, _)| key.elapsed_s),
        timer_s: content.timer_s(),
        local_offset_s: content.parts.iter().find_map(|part| part.local_offset_s),
        kind: content.kind(),
        title: None,
        distance_m: content.distance_m(),
        device: content.parts.iter().find_map(device),
        sha256: None,
        unusable: fit::several_activities(&content).then_some(Unusable::SeveralActivities),
        content: Some(content),
        private: None,
        hint: None,
    }
}

/// The device's name, else the numbers of maker and product.
fn device(part: &Part) -> Option<String> {
    fit::device_name(part).or_else(|| {
        let (maker, product) = (part.manufacturer?, part.product?);
        Some(format!("{maker}/{product}"))
    })
}
