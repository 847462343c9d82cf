//! The two straight lines, from a manifest to a plan and from a plan to a changed world.
//!
//! This room orchestrates: it opens accounts, reads them into the state, hands values to `plan`, and
//! lets platforms do what the plan says. It decides nothing and prints nothing; what happens goes
//! out as events.

mod accounts;
mod apply;
mod cause;
mod clear;
mod cost;
mod decide;
mod diff;
mod download;
mod error;
mod explain;
mod identify;
mod import;
mod listing;
mod lock;
mod originals;
mod overview;
mod plan;
mod refresh;
mod retry;
mod session;
mod standing;
mod touched;

pub use accounts::OpenAccount;
pub use apply::{
    Approved, Cause, Foreign, Pace, Restore, Resumed, RunReport, StepReport, Unresumed,
    UnresumedReason, apply, check_accounts, failed_restores, foreign_steps, plan_restore, restore,
    resume,
};
pub use clear::{Cleared, Clearing, Kind, clear};
pub use cost::{Cost, cost};
pub use decide::{Subject, decide, find_subject};
pub use diff::{Fetched, Pairing, diff};
pub use download::{Downloaded, Keep, Origin, Unfetched, download};
pub use error::{EngineError, RestoreObstacle};
pub use explain::{Evidence, Explanation, InForce, explain};
pub use identify::Uncompared;
pub use import::{Imported, NotTaken, import};
pub use listing::{Freshness, Listing, Unlisted, listing};
pub use lock::{LockRequest, check_locks, lock, lock_account};
pub use overview::{Overview, overview};
pub use plan::{PlanRequest, Planned, plan};
pub use refresh::Refresh;
pub use session::{Open, Places, Session};
pub use standing::{Standing, Word};
pub use touched::{Awaited, Deeds, Touched, awaited, deeds_since, failed_for_good, touched};
