//! The questions after each run: of the ledger, whatever the run says.

use fit_sync::domain::{Address, RemoteId};
use fit_sync::plan::SkipReason;
use jiff::SignedDuration;

use super::driver::{Exit, PlanFacts, Ran, Report};
use super::last_questions::{is_refusal, rule_name};
use super::ledger::{By, Copy, Ledger};
use super::recordings::Recording;
use super::switches::Switch;
use super::view::View;
use super::weather::{Question, State, Weather};
use super::world::{Account, Act, Quirk, World};

/// How long a run of a small world may take: an account's longest wait, and some.
const LONGEST: SignedDuration = SignedDuration::from_hours(2);

/// No run waits for a day.
pub(crate) fn after_any_run(weather: &Weather) {
    let mut state = weather.state();
    let took = state.run.began.map(|began| weather.time.now().duration_since(began));
    if took.is_some_and(|took| took > LONGEST) {
        state.breaks(Question::Unended, |_| "the run waits for hours".to_owned());
    }
}

/// A run that ends well leaves nothing undone, open or visible without a word.
pub(crate) fn after_run(weather: &Weather, world: &World, report: &Report) {
    let mut state = weather.state();
    let exit = report.exit;
    if exit < Exit::Decide {
        return;
    }
    if let (Exit::Done, Some(plan)) = (exit, &report.plan) {
        let run = state.run.since;
        let view = View { ledger: &state.ledger, world };
        let undone = view
            .undone(plan, &report.skipped, run)
            .or_else(|| view.unlike(plan, report, run).filter(|_| !report.is_saved));
        if let Some(how) = undone {
            state.breaks(Question::Silent, |_| format!("{how}, and the run ends well"));
        }
    }
    let ledger = &state.ledger;
    let gap = (0..ledger.copies.len()).find_map(|account| Some((account, gap(ledger, account)?)));
    if let Some((account, gone)) = gap {
        state.breaks(Question::Silent, |ledger| {
            format!(
                "{} is removed, nothing takes its place, and the run ends well",
                ledger.told(account, &gone)
            )
        });
    }
    let exposed = (0..state.ledger.copies.len()).find_map(|account| {
        let exposed = state.ledger.exposed(account).next()?;
        Some((account, exposed.id.clone()))
    });
    if let (Some((account, id)), Exit::Done) = (exposed, exit) {
        state.breaks(Question::Visible, |ledger| {
            format!("{} is public, and the run ends well", ledger.told(account, &id))
        });
    }
}

/// A saved plan that asks nothing is carried out if nothing has happened since.
pub(crate) fn after_saved(weather: &Weather, world: &World, ran: &Ran) {
    let takes_all = |account: &Account| !account.refuses_duplicates && account.quirks.is_empty();
    let is_done = matches!(ran, Ran::Ended(Report { exit: Exit::Done, .. }));
    if !is_done && world.accounts.iter().all(takes_all) {
        let how = "apply FILE does not do what plan said, and nothing has happened".to_owned();
        weather.state().breaks(Question::Claim, |_| how);
    }
}

/// What is said to be put back is there, to the byte.
pub(crate) fn after_restore(
    weather: &Weather,
    (account, recording): (usize, Recording),
    ran: &Ran,
) {
    let mut state = weather.state();
    let is_it = |copy: &Copy| copy.recording == recording;
    let is_there = state.ledger.there(account).any(is_it);
    let is_back = state.ledger.there(account).any(|copy| is_it(copy) && copy.is_restored);
    match ran {
        Ran::Ended(report) if is_back || (is_there && report.exit == Exit::Done) => {
            let tick = state.ledger.next_tick();
            state.restored.push((account, recording, tick));
        }
        Ran::Ended(Report { exit: Exit::Done, .. }) => state.breaks(Question::Claim, |_| {
            format!("{} is said to be put back, and is not there", recording.name())
        }),
        // The next run goes on with it, and what was put back before gives way.
        Ran::Killed => state.restored.clear(),
        // What was put back before has given way already.
        Ran::Ended(_) => {
            let State { restored, ledger, .. } = &mut *state;
            restored.retain(|(account, recording, _)| {
                ledger.there(*account).any(|copy| copy.recording == *recording)
            });
        }
        Ran::Refused(_) => {}
    }
}

/// An activity that a run removed and in whose place there is none.
fn gap(ledger: &Ledger, account: usize) -> Option<RemoteId> {
    let removed = ledger.of(account).iter().filter(|copy| copy.gone == Some(By::Run));
    let is_gap = |gone: &&Copy| {
        let here = |copy: &&Copy| copy.recording.may_be(gone.recording);
        let by_hand = |copy: &Copy| copy.gone == Some(By::Person);
        // A person gave its source to another recording, and the rule replaces what changes.
        let mut of_it = ledger.of(account).iter().filter(here);
        let is_wanted = of_it.any(|copy| ledger.is_replaced_by_another(account, copy));
        !is_wanted
            && !ledger.of(account).iter().filter(here).any(|copy| copy.is_there() || by_hand(copy))
    };
    let mut gaps = removed.filter(is_gap);
    gaps.next().map(|copy| copy.id.clone())
}

impl View<'_> {
    /// A step of the plan of a run of which nothing came.
    fn undone(&self, plan: &PlanFacts, skipped: &[Address], run: u64) -> Option<String> {
        let steps = plan.steps.iter().filter(|step| !skipped.contains(&step.address));
        steps.into_iter().find_map(|step| {
            let rule = self.world.rules.iter().find(|rule| {
                World::name(rule.source) == step.source.0.as_str()
                    && World::name(rule.destination) == step.destination.as_str()
            })?;
            let mut there = self.ledger.there(rule.source);
            let is_seen = |copy: &Copy| !copy.is_swapped || self.is_read(rule.source);
            let is_it = |copy: &&Copy| copy.id == step.source.1 && copy.changed < run;
            let copy = there.find(is_it).filter(|copy| is_seen(copy))?;
            let may_be = |it: &Copy| it.recording.may_be(copy.recording);
            let arrived = self.ledger.there(rule.destination).any(may_be);
            let excused = self.is_taken_away(*rule, copy) || self.is_poison(*rule, copy);
            let told = || format!("nothing came of {}", self.ledger.told(rule.source, &copy.id));
            (!arrived && !excused).then(told)
        })
    }

    /// Where counts are believed, a change is seen within two days.
    fn is_read(&self, account: usize) -> bool {
        let quirks = self.world.accounts.get(account).map(|account| account.quirks.as_slice());
        !quirks.unwrap_or_default().contains(&Quirk::CountsOnly)
    }

    /// A pair that a rule shall make alike and that never was.
    fn unlike(&self, plan: &PlanFacts, report: &Report, run: u64) -> Option<String> {
        let is_plain = |act: &Act| !matches!(act, Act::Restore(..));
        // What a person brings in the place of what an account dropped is taken for that.
        let is_dropped = self.world.switches().contains(&Switch::Dropped);
        if is_dropped || !self.world.acts.iter().all(is_plain) {
            return None;
        }
        let rules = self.world.rules.iter().filter(|rule| rule.replaces);
        let rules =
            rules.filter(|rule| self.is_read(rule.source) && self.is_read(rule.destination));
        rules.into_iter().find_map(|rule| {
            let here = self.ledger.there(rule.source);
            let here = here.filter(|copy| {
                copy.changed < run && copy.made < run && !self.is_poison(*rule, copy)
            });
            here.into_iter().find_map(|copy| {
                let is_same = |it: &&Copy| it.recording.is_same(copy.recording);
                let mut ever = self.ledger.of(rule.destination).iter().filter(is_same);
                let (first, others) = (ever.next()?, ever.next());
                let is_old = first.by == By::Person
                    && first.is_there()
                    && first.changed < run
                    && first.changed == first.made;
                let owns = self.owns(*rule, copy) && others.is_none();
                // Until the next day the plan says that it was refused, and leaves it; what is a copy
                // of it replaces nothing; and what the plan's list lacked is compared by the next one.
                let is_reason = |it: &SkipReason| is_refusal(it) || *it == SkipReason::IsOurCopy;
                let address = Address::of_start(&rule_name(*rule), copy.recording.start(), 1);
                let is_told = self.skips(plan, &rule_name(*rule), copy).iter().any(is_reason)
                    || [&report.skipped, &report.adopted]
                        .into_iter()
                        .any(|it| it.contains(&address));
                (is_old && owns && !is_told && first.recording != copy.recording).then(|| {
                    let it = self.ledger.told(rule.destination, &first.id);
                    format!("{it} is not replaced by {}", copy.recording.name())
                })
            })
        })
    }
}
