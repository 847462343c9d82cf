//! What a plan of today does beyond an approved one, for people.

use crate::domain::{Address, RemoteId, neutralise};
use crate::plan::{Difference, Part, Step};

/// Addresses of uploads that are named one by one.
const MAX_NAMED: usize = 20;

/// A line per difference: its subject, and what is the matter.
pub fn differences(differences: &[Difference]) -> Vec<(String, String)> {
    differences.iter().flat_map(rows).collect()
}

fn rows(difference: &Difference) -> Vec<(String, String)> {
    match difference {
        Difference::Unplanned { step } => {
            let old = step.destination.id.as_ref();
            vec![row(&step.address, &format!("replaces {}: not in the plan", shown(old)))]
        }
        Difference::Changed { step, approved, parts } => {
            let words: Vec<String> =
                parts.iter().map(|part| words(*part, step, approved)).collect();
            let old = step.destination.id.as_ref();
            vec![row(&step.address, &format!("replaces {}: {}", shown(old), words.join(", ")))]
        }
        Difference::TooManyUploads { planned, allowed, beyond } => {
            let all = ("uploads".to_owned(), format!("{planned} planned, {allowed} allowed"));
            let named = beyond.iter().take(MAX_NAMED);
            let more = beyond.len().saturating_sub(MAX_NAMED);
            let more = (more > 0).then(|| ("uploads".to_owned(), format!("and {more} more")));
            let named = named.map(|address| row(address, "uploaded: not in the plan"));
            std::iter::once(all).chain(named).chain(more).collect()
        }
    }
}

fn words(part: Part, step: &Step, approved: &Step) -> String {
    match part {
        Part::Source => format!(
            "by {}, approved was {}",
            shown(Some(&step.source.id)),
            shown(Some(&approved.source.id))
        ),
        Part::SourceContent => "the source has changed since".to_owned(),
        Part::Destination => format!("approved was {}", shown(approved.destination.id.as_ref())),
        Part::DestinationContent => "that has changed since".to_owned(),
    }
}

fn shown(id: Option<&RemoteId>) -> String {
    neutralise(id.map_or("nothing", RemoteId::as_str))
}

fn row(address: &Address, words: &str) -> (String, String) {
    (neutralise(address.as_str()), words.to_owned())
}
