//! The plan as a document: its id, its bytes, and reading it back.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::context::Context;
use super::model::{Action, Body, Document, FORMAT, Meta, PlanId};

/// Why a file is not a plan that may be executed.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON, or not of a plan's shape.
    #[error("not a plan: {0}")]
    Shape(#[from] serde_json::Error),
    /// Another format, perhaps of a newer version.
    #[error("a plan of format '{found}', and this version reads '{FORMAT}'")]
    Format {
        /// What the file says.
        found: String,
    },
    /// The body was changed after it was planned.
    #[error("the plan was changed after it was made: its id is {stated}, its content has {actual}")]
    Altered {
        /// What the file says.
        stated: String,
        /// What its body amounts to.
        actual: String,
    },
    /// A step lacks what its action needs.
    #[error("step {address} is not complete: {missing}")]
    Step {
        /// Which.
        address: String,
        /// What it lacks.
        missing: &'static str,
    },
}

impl Document {
    /// Seals a body: the id is taken over it, the context is only for people.
    pub fn seal(body: Body, context: Context) -> Result<Self, DocumentError> {
        let id = id_of(&body.accounts, &body.steps)?;
        Ok(Self { format: FORMAT.to_owned(), id, body, context, meta: None })
    }

    /// The same plan with a note of when and by what it was made.
    pub fn with_meta(mut self, meta: Meta) -> Self {
        self.meta = Some(meta);
        self
    }

    /// The same plan without the titles of its activities; another body, and so another id.
    pub fn without_titles(mut self) -> Result<Self, DocumentError> {
        for step in &mut self.body.steps {
            step.source.title = None;
        }
        let context = &mut self.context;
        for conflict in &mut context.conflicts {
            let rows = std::iter::once(&mut conflict.source).chain(&mut conflict.candidates);
            rows.for_each(|row| row.title = None);
        }
        for pair in context.in_sync.iter_mut().flatten() {
            let rows = std::iter::once(&mut pair.source).chain(&mut pair.destination);
            rows.for_each(|row| row.title = None);
        }
        self.id = id_of(&self.body.accounts, &self.body.steps)?;
        Ok(self)
    }

    /// The document as JSON with a newline at its end.
    pub fn to_json(&self) -> Result<String, DocumentError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a saved plan; an altered or incomplete one is refused.
    pub fn read(text: &str) -> Result<Self, DocumentError> {
        let raw: Value = serde_json::from_str(text)?;
        let format = raw.get("format").and_then(Value::as_str).unwrap_or_default();
        if format != FORMAT {
            return Err(DocumentError::Format { found: format.to_owned() });
        }
        let document: Self = serde_json::from_str(text)?;
        let actual = id_of(rows(&raw, "accounts"), rows(&raw, "steps"))?;
        if actual != document.id {
            return Err(DocumentError::Altered { stated: document.id.0, actual: actual.0 });
        }
        document.check_steps()?;
        Ok(document)
    }

    fn check_steps(&self) -> Result<(), DocumentError> {
        for step in &self.body.steps {
            let missing = match step.action {
                Action::Upload => None,
                Action::Replace if step.destination.id.is_none() => Some("destination.id"),
                Action::Replace if step.destination.fingerprint.is_none() => {
                    Some("destination.fingerprint")
                }
                Action::Replace if step.protocol.is_none() => Some("protocol"),
                Action::Replace => None,
            };
            if let Some(missing) = missing {
                let address = step.address.to_string();
                return Err(DocumentError::Step { address, missing });
            }
        }
        Ok(())
    }
}

/// A list of the body as it stands in the file, with whatever a reader of this version might drop.
fn rows<'v>(raw: &'v Value, member: &str) -> &'v [Value] {
    let rows = raw.get("body").and_then(|body| body.get(member)?.as_array());
    rows.map(Vec::as_slice).unwrap_or_default()
}

/// sha256 of the canonical form (RFC 8785) of `{"accounts": …, "steps": …}`, one row after the
/// other: the text of a first plan of many years would be larger than the plan.
fn id_of<A: Serialize, S: Serialize>(accounts: &[A], steps: &[S]) -> Result<PlanId, DocumentError> {
    let mut hasher = Sha256::new();
    hasher.update(br#"{"accounts":"#);
    hash_rows(&mut hasher, accounts)?;
    hasher.update(br#","steps":"#);
    hash_rows(&mut hasher, steps)?;
    hasher.update(b"}");
    Ok(PlanId(hex::encode(hasher.finalize())))
}

fn hash_rows(hasher: &mut Sha256, rows: &[impl Serialize]) -> Result<(), DocumentError> {
    let mut before = "[";
    for row in rows {
        hasher.update(before);
        hasher.update(canonical(row)?);
        before = ",";
    }
    hasher.update(if rows.is_empty() { "[]" } else { "]" });
    Ok(())
}

/// Sorted members and no white space. For plans, whose numbers are integers and whose members have
/// ASCII names, that is the form of RFC 8785.
fn canonical(row: &impl Serialize) -> Result<Vec<u8>, DocumentError> {
    Ok(serde_json::to_vec(&serde_json::to_value(row)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Document {
        Document::seal(Body::default(), Context::default()).unwrap()
    }

    #[test]
    fn a_sealed_document_reads_back() {
        let document = sealed();
        assert_eq!(Document::read(&document.to_json().unwrap()).unwrap(), document);
    }

    #[test]
    fn the_id_is_of_the_canonical_body() {
        // sha256 of {"accounts":[],"steps":[]}
        let expected = hex::encode(Sha256::digest(br#"{"accounts":[],"steps":[]}"#));
        assert_eq!(sealed().id.0, expected);
        assert_eq!(sealed().id.short().len(), 14);
    }

    #[test]
    fn rows_hash_like_the_whole_canonical_body() {
        let row = |name: &str| serde_json::json!({"platform": "a", "name": name, "n": 3});
        let odd = "\u{0}\u{8}\u{1f}\t\n\"\\/\u{7f}\u{e9}\u{2028}\u{1F3C3}";
        let (accounts, steps) = ([row("x")], [row("y"), row(odd)]);
        let whole = serde_json::json!({"steps": steps, "accounts": accounts});
        let expected = hex::encode(Sha256::digest(serde_jcs::to_vec(&whole).unwrap()));
        assert_eq!(id_of(&accounts, &steps).unwrap().0, expected);
    }

    #[test]
    fn alterations_unknown_and_duplicate_members_are_refused() {
        let text = sealed().to_json().unwrap();
        let unknown = text.replacen("\"accounts\": []", "\"accounts\": [], \"extra\": 1", 1);
        assert!(matches!(Document::read(&unknown), Err(DocumentError::Shape(_))));
        let twice = text.replacen("\"accounts\": []", "\"accounts\": [], \"accounts\": []", 1);
        assert!(matches!(Document::read(&twice), Err(DocumentError::Shape(_))));
        let zeros = "0".repeat(64);
        let id = text.replacen(&sealed().id.0, &zeros, 1);
        assert!(matches!(Document::read(&id), Err(DocumentError::Altered { .. })));
        let format = text.replacen("plan/1", "plan/9", 1);
        assert!(matches!(Document::read(&format), Err(DocumentError::Format { .. })));
        assert!(matches!(Document::read("[]"), Err(DocumentError::Format { .. })));
        assert!(matches!(Document::read("no"), Err(DocumentError::Shape(_))));
    }
}
