//! What a source lists twice: only the files tell whether both are one recording, and that one goes
//! over once.

use crate::domain::{Activity, Content, Refusal, RefusalReason, RemoteId, Sha256};
use crate::fit;
use crate::plan::reconcile::{Cause, GivenUp, Outcome, Why};
use crate::plan::{SkipReason, is_same_recording};
use crate::platform::PlatformError;

use super::super::super::cause::cause;
use super::super::super::error::EngineError;
use super::super::run::Run;
use super::super::task::Task;

impl Run<'_> {
    /// Gives a step up if its recording goes over, or went over, as another activity of its source.
    pub(super) async fn leave_to_twin(
        &self,
        task: &mut Task,
        activity: &Activity,
        (bytes, content): (&[u8], &Content),
    ) -> Result<(), EngineError> {
        if task.state.is_touched() {
            return Ok(());
        }
        for twin in self.twins_before(task, activity) {
            if self.was_sent_as(task, &twin, bytes) {
                return self.leave_out(task, RefusalReason::SameBytesInSource, &twin.id);
            }
            let found = match self.cached_original(&task.step.source.account, &twin).await {
                Ok(other) if !self.is_readable(task, &twin, &other) => {
                    let message = format!("{}, which is listed alike, came broken", twin.id);
                    self.give_up(task, Why::NotFetched { message }, Cause::Other);
                    return Ok(());
                }
                Ok(other) => same(bytes, content, &other),
                Err(PlatformError::NotFound | PlatformError::Broken { .. })
                    if self.was_refused_as(task, &twin) =>
                {
                    None
                }
                Err(error) => {
                    let message = format!("{}, which is listed alike: {error}", twin.id);
                    self.give_up(task, Why::NotFetched { message }, cause(&error));
                    return Ok(());
                }
            };
            if let Some(reason) = found {
                return self.leave_out(task, reason, &twin.id);
            }
        }
        Ok(())
    }

    /// Whether these very bytes went over under a twin's id.
    fn was_sent_as(&self, task: &Task, twin: &Activity, bytes: &[u8]) -> bool {
        let (from, to) = (&task.step.source.account, &task.step.destination.account);
        let mut links = self.memory.links_between(from, to).iter();
        links.any(|link| link.source.id == twin.id && link.source.sha256 == Some(Sha256::of(bytes)))
    }

    /// Whether an earlier look found something against a twin.
    fn was_refused_as(&self, task: &Task, twin: &Activity) -> bool {
        let (from, to) = (&task.step.source.account, &task.step.destination.account);
        self.memory.refusal(from, to, twin).is_some()
    }

    /// Whether a file tells something: whole, or known to be none.
    fn is_readable(&self, task: &Task, twin: &Activity, bytes: &[u8]) -> bool {
        fit::read(bytes).is_ok() || self.was_refused_as(task, twin)
    }

    fn leave_out(
        &self,
        task: &mut Task,
        reason: RefusalReason,
        twin: &RemoteId,
    ) -> Result<(), EngineError> {
        let message = format!("the source holds it as {twin}, too");
        let found = self.refusal(task, reason, &message).without_looks();
        self.note_refusal(task, Refusal { candidate: Some(twin.clone()), ..found })?;
        let outcome = Outcome::Skipped { reason: SkipReason::from(reason) };
        let why = Why::Against { message };
        task.run.given_up = Some(GivenUp { outcome, why, cause: None });
        Ok(())
    }

    /// Those of a step's source that are listed alike and come first.
    fn twins_before(&self, task: &Task, activity: &Activity) -> Vec<Activity> {
        let views = self.views.borrow();
        let (Some(view), Some(start)) = (views.get(&task.step.source.account), activity.start)
        else {
            return Vec::new();
        };
        let rows = view.near(start, 0).into_iter();
        rows.filter(|row| row.id != activity.id && row.is_listed_as(activity))
            .filter(|row| self.comes_first(task, row))
            .map(|row| Activity::clone(&row))
            .collect()
    }

    /// Whether a twin stands for both: it is linked, on its way or refused, or else it is wanted, too,
    /// and has the smaller id.
    fn comes_first(&self, task: &Task, twin: &Activity) -> bool {
        let (from, to) = (&task.step.source.account, &task.step.destination.account);
        let links = self.memory.links_between(from, to);
        let own = (task.row.source, twin.id.clone());
        let refusal = self.memory.refusal(from, to, twin);
        let is_refused = refusal.is_some_and(|refusal| !refusal.is_twin());
        let pairs = self.counterparts.borrow();
        links.iter().any(|link| link.source.id == twin.id)
            || pairs.iter().any(|((account, _), source)| account == to && *source == own)
            || self.memory.is_in_flight(from, to, &twin.id)
            || self.memory.is_unsettled(from, &twin.id)
            || is_refused
            || (twin.id < task.step.source.id && self.is_wanted(from, to, &twin.id))
    }
}

/// What a file has in common with another one, if it is the same recording: of one device, and equal
/// but for when it was written.
fn same(bytes: &[u8], content: &Content, other: &[u8]) -> Option<RefusalReason> {
    if Sha256::of(bytes) == Sha256::of(other) {
        return Some(RefusalReason::SameBytesInSource);
    }
    let other = fit::read(other).ok()?;
    is_same_recording(content, &other).then_some(RefusalReason::SameRecordingInSource)
}
