//! The questions at the end: all is there, once, seen by those who may, and nothing is left to do.

use fit_sync::domain::{Address, RuleName};
use fit_sync::plan::{ConflictReason, SkipReason};
use jiff::Timestamp;

use super::driver::{PlanFacts, StepFacts};
use super::ledger::{By, Copy};
use super::recordings::Recording;
use super::switches::Switch;
use super::view::View;
use super::weather::{Question, Weather};
use super::world::{Act, Quirk, Rule, World, Wrong};

/// Whether no later run will say something else about it.
pub(crate) fn is_final(reason: SkipReason) -> bool {
    !matches!(
        reason,
        SkipReason::NoOriginal
            | SkipReason::Unreadable
            | SkipReason::RejectedByDestination
            | SkipReason::TooLarge
            | SkipReason::NotCompared
    )
}

/// Whether it is about a look that found a reason, and will be looked at again.
pub(crate) fn is_refusal(reason: &SkipReason) -> bool {
    matches!(
        reason,
        SkipReason::NoOriginal
            | SkipReason::Unreadable
            | SkipReason::NotCompared
            | SkipReason::RejectedByDestination
    )
}

/// After quiet weather all is there, once, and nothing is left to do.
pub(crate) fn at_the_end(
    weather: &Weather,
    world: &World,
    plan: Option<&PlanFacts>,
    open: &[String],
) {
    let mut state = weather.state();
    let mut wrong: Vec<(Question, String)> = Vec::new();
    {
        let view = View { ledger: &state.ledger, world };
        view.refusals_rest(&state.refusals, &mut wrong);
        view.restored_stays(&state.restored, &mut wrong);
        let is_believed = !(0..world.accounts.len()).any(|account| view.is_emptied(account));
        if let Some(plan) = plan.filter(|_| is_believed) {
            view.plan_is_empty(plan, &mut wrong);
            view.all_is_there(plan, &mut wrong);
        }
        let open = open.iter().filter(|step| is_believed && !view.waits_for_good(step));
        wrong.extend(open.map(|step| (Question::Unended, format!("still open: {step}"))));
        for account in 0..world.accounts.len() {
            view.nothing_twice(account, &mut wrong);
            view.nothing_exposed(account, &mut wrong);
            view.own_words(account, &mut wrong);
        }
    }
    wrong.sort();
    if let Some((question, how)) = wrong.into_iter().next() {
        state.breaks(question, |_| how);
    }
}

impl View<'_> {
    /// Whether a person has taken the last one out of an account: an empty list is not believed.
    fn is_emptied(&self, account: usize) -> bool {
        let mut by_hand = self.ledger.of(account).iter();
        let is_empty = self.ledger.there(account).next().is_none();
        is_empty && by_hand.any(|copy| copy.gone == Some(By::Person))
    }

    fn plan_is_empty(&self, plan: &PlanFacts, wrong: &mut Vec<(Question, String)>) {
        let is_look = |step: &&StepFacts| !self.is_look(step);
        let steps = plan.steps.iter().filter(is_look);
        let steps = steps.map(|step| format!("{} is planned once more", step.address));
        wrong.extend(steps.map(|how| (Question::NotEmpty, how)));
        let blocked = plan.blocked.iter().map(|blocked| format!("blocked: {blocked}"));
        wrong.extend(blocked.map(|how| (Question::NotEmpty, how)));
        let limits = plan.limits.iter().map(|limit| format!("limit: {limit}"));
        wrong.extend(limits.map(|how| (Question::NotEmpty, how)));
    }

    /// What was put back stays, unless a person thinks better of it, or its source was replaced since.
    fn restored_stays(
        &self,
        restored: &[(usize, Recording, u64)],
        wrong: &mut Vec<(Question, String)>,
    ) {
        let Some((account, recording, tick)) = restored.last() else { return };
        let is_plain = |act: &Act| !matches!(act, Act::Person(_));
        let is_calm = |act: &Act| match act {
            Act::Apply(run) | Act::Restore(_, run) => run.between.is_empty(),
            _ => true,
        };
        let is_edited = !self.world.acts.iter().all(|act| is_plain(act) && is_calm(act));
        let of = self.ledger.of(*account).iter();
        let is_there = of.clone().any(|copy| copy.is_there() && copy.recording == *recording);
        let mut into = self.world.rules.iter().filter(|rule| rule.destination == *account);
        let is_replaced = into.any(|rule| {
            let mut new = self.ledger.there(rule.source).filter(|copy| copy.made > *tick);
            new.any(|copy| copy.by == By::Run && copy.recording.may_be(*recording))
        });
        if !is_there && !is_edited && !is_replaced && *tick > 0 {
            let how = format!("{} was put back, and is gone again", recording.name());
            wrong.push((Question::Claim, how));
        }
    }

    /// Whether a step only looks once more whether a file is still refused.
    fn is_look(&self, step: &StepFacts) -> bool {
        self.world.rules.iter().any(|rule| {
            let is_its = World::name(rule.source) == step.source.0.as_str();
            let copy = self.ledger.copy(rule.source, &step.source.1);
            is_its && copy.is_some_and(|copy| self.is_poison(*rule, copy))
        })
    }

    /// A file that was refused on two days is left alone for a week.
    fn refusals_rest(
        &self,
        refusals: &[(usize, Recording, Timestamp)],
        wrong: &mut Vec<(Question, String)>,
    ) {
        let is_plain = |act: &Act| !matches!(act, Act::LoseState | Act::ClockBack { .. });
        // What is found for another reason begins the looks again, and what a dead run has heard is
        // not noted.
        let begins_again =
            |it: &Switch| matches!(it, Switch::MissingFile | Switch::Refused | Switch::Kill);
        if !self.world.acts.iter().all(is_plain) || self.world.switches().iter().any(begins_again) {
            return;
        }
        for rule in &self.world.rules {
            let of = |recording: Recording| {
                let of = refusals.iter().filter(move |(account, it, _)| {
                    *account == rule.destination && *it == recording
                });
                let mut days: Vec<i64> =
                    of.map(|(.., at)| at.as_second().div_euclid(24 * 3600)).collect();
                days.dedup();
                days
            };
            for copy in self.ledger.there(rule.source).filter(|copy| self.is_poison(*rule, copy)) {
                // Each source's own file has its own looks.
                let holds = |source: usize| {
                    self.ledger.there(source).any(|it| it.recording == copy.recording)
                };
                let into = self.world.rules.iter();
                let mut into = into.filter(|other| other.destination == rule.destination);
                let of_source = self.ledger.of(rule.source).iter();
                let mut gone = of_source.filter(|it| !it.is_there());
                // What was put back under another id is another activity, and a gap is tried to be
                // filled by every run.
                if into.any(|other| other.source != rule.source && holds(other.source))
                    || gone.any(|it| it.recording == copy.recording)
                    || self.is_refused_back(*rule, copy.recording)
                {
                    continue;
                }
                let days = of(copy.recording);
                // A first look may last for two days: a deletion that is not settled is waited for.
                let account = self.world.accounts.get(rule.destination);
                let first = 1 + usize::from(account.is_some_and(|it| it.refuses_duplicates));
                let later = days.iter().skip(first).zip(days.iter().skip(first + 1));
                if later.into_iter().any(|(second, third)| third - second < 7) {
                    let how = format!("{} is refused day after day", copy.recording.name());
                    wrong.push((Question::NotEmpty, how));
                }
            }
        }
    }

    fn all_is_there(&self, plan: &PlanFacts, wrong: &mut Vec<(Question, String)>) {
        for rule in &self.world.rules {
            for copy in self.ledger.there(rule.source) {
                if let Some(why) = self.missing(plan, *rule, copy) {
                    let it = self.ledger.told(rule.source, &copy.id);
                    wrong.push((
                        Question::Lost,
                        format!("{it} is not at {}: {why}", World::name(rule.destination)),
                    ));
                }
            }
        }
    }

    /// Why an activity of a source is not where a rule wants it, unless a person decides that.
    fn missing(&self, plan: &PlanFacts, rule: Rule, copy: &Copy) -> Option<String> {
        if copy.is_excused {
            return None;
        }
        let name = rule_name(rule);
        let asked = plan.conflicts.iter().find(|(of, id, _)| *of == name && *id == copy.id);
        if let Some((.., reason)) = asked {
            return self.false_question(rule, copy, *reason);
        }
        let pair = plan.in_sync.iter().find(|pair| pair.rule == name && pair.source == copy.id);
        if let Some(pair) = pair {
            let Some(id) = &pair.destination else {
                let told = || "still pending".to_owned();
                let is_blocked = self.is_refused_back(rule, copy.recording)
                    || self.is_place_taken(rule.destination, copy);
                return (!is_blocked).then(told);
            };
            let other = self.ledger.there(rule.destination).find(|there| there.id == *id);
            return match other {
                Some(other) if other.recording.may_be(copy.recording) => None,
                Some(other) if is_swapped_since(copy, other) => None,
                Some(other) => Some(format!("{} is taken for it", other.recording.name())),
                // Where only counts are looked at, it may have another id by now.
                None if self
                    .ledger
                    .there(rule.destination)
                    .any(|it| it.recording == copy.recording) =>
                {
                    None
                }
                None => Some(format!("{id} is taken for it and is not there")),
            };
        }
        if plan.steps.iter().any(|step| step.source.1 == copy.id) {
            return None;
        }
        let skips: Vec<SkipReason> = self.skips(plan, &name, copy);
        if skips.iter().any(|reason| self.is_justified(plan, *reason, rule, copy)) {
            return None;
        }
        let mut there = self.ledger.there(rule.destination);
        match skips.first() {
            Some(reason) => Some(format!("skipped as {reason}, which is not so")),
            // It got another id when it was listed for the plan.
            None if there.any(|it| it.recording == copy.recording) => None,
            None => Some("the plan does not say why".to_owned()),
        }
    }

    /// Whether what an account takes only once is there already: a person gave it the id of another
    /// activity, or its source holds it twice and has changed one of them.
    pub(super) fn is_place_taken(&self, account: usize, copy: &Copy) -> bool {
        let mut swapped = self.ledger.there(account).filter(|it| it.is_swapped);
        let refuses = self.world.accounts.get(account).is_some_and(|it| it.refuses_duplicates);
        let is_its = |it: &Copy| it.recording.start() == copy.recording.start();
        let holds = |recording: Recording| {
            let mut sources = self.ledger.sources(account).flat_map(|it| self.ledger.there(it));
            sources.any(|it| it.recording == recording)
        };
        let is_twin = |it: &Copy| {
            it.recording.is_same(copy.recording)
                && it.recording != copy.recording
                && holds(it.recording)
        };
        refuses
            && (swapped.any(|it| copy.is_swapped || is_its(it))
                || self.ledger.there(account).any(is_twin))
    }

    fn false_question(&self, rule: Rule, copy: &Copy, reason: ConflictReason) -> Option<String> {
        let mut there = self.ledger.there(rule.destination);
        let is_there = there.any(|it| it.by == By::Run && it.recording == copy.recording);
        // Of what a source held twice, one is there as the other's.
        let is_twice = self.ledger.of(rule.source).iter().filter(|it| it.id != copy.id);
        let is_twice = is_twice.into_iter().any(|it| it.recording.may_be(copy.recording));
        (reason == ConflictReason::NeverAppeared && is_there && !is_twice)
            .then(|| "asked as never_appeared, and it is there".to_owned())
    }

    /// The reasons for which activities of this start are skipped.
    pub(crate) fn skips(&self, plan: &PlanFacts, rule: &RuleName, copy: &Copy) -> Vec<SkipReason> {
        let first = Address::of_start(rule, copy.recording.start(), 1);
        let is_it = |address: &Address| {
            let rest = address.as_str().strip_prefix(first.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
        };
        let skips = plan.skips.iter().filter(|(of, address, _)| of == rule && is_it(address));
        skips.map(|(.., reason)| *reason).collect()
    }

    fn is_justified(&self, plan: &PlanFacts, reason: SkipReason, rule: Rule, copy: &Copy) -> bool {
        let may_be = |other: &Copy| other.recording.may_be(copy.recording);
        let there = || self.ledger.there(rule.destination).any(may_be);
        match reason {
            SkipReason::RejectedByDestination | SkipReason::TooLarge => {
                self.is_poison(rule, copy) || self.was_refused_twice(rule)
            }
            SkipReason::RemovedAtDestination => {
                // A swapped one is as long as the one that was taken away.
                self.is_taken_away(rule, copy)
                    || copy.is_swapped
                    || (there() && self.changes_ids(rule.destination))
            }
            SkipReason::IsOurCopy => {
                there() || copy.is_adopted || copy.is_swapped || self.is_copy(rule, copy)
            }
            SkipReason::CoveredByRule => {
                there()
                    || self.is_taken_away(rule, copy)
                    || self.is_asked(plan, rule, copy)
                    || self.is_noted(plan, rule, copy)
                    || self.is_refused_back(rule, copy.recording)
            }
            SkipReason::SameBytesInSource => {
                let twins =
                    self.ledger.there(rule.source).filter(|it| it.recording == copy.recording);
                twins.count() > 1
            }
            SkipReason::SameRecordingInSource => {
                let twins = self.ledger.there(rule.source);
                twins.filter(|it| it.recording.is_same(copy.recording)).count() > 1
            }
            SkipReason::NoOriginal
            | SkipReason::Unreadable
            | SkipReason::NotCompared
            | SkipReason::Ignored
            | SkipReason::NotAnActivity
            | SkipReason::ClockNotSet
            | SkipReason::UnsupportedByDestination
            | SkipReason::FilteredType
            | SkipReason::FilteredDate
            | SkipReason::Filtered => false,
        }
    }

    /// Whether it was brought, or equals to the byte what was.
    fn is_copy(&self, rule: Rule, copy: &Copy) -> bool {
        let mut brought = self.ledger.of(rule.source).iter().filter(|it| it.by == By::Run);
        brought.any(|it| it.recording == copy.recording)
    }

    /// Whether an account that must remove first refuses two replaces: it is left alone then.
    fn was_refused_twice(&self, rule: Rule) -> bool {
        let account = self.world.accounts.get(rule.destination);
        let troubles = self.world.acts.iter().flat_map(|act| match act {
            Act::Apply(run) => run.troubles.as_slice(),
            _ => &[],
        });
        let refused = troubles.filter(|it| it.wrong == Wrong::Refused);
        account.is_some_and(|it| it.refuses_duplicates) && refused.count() > 1
    }

    /// Whether the rule that owns an event asks about it.
    fn is_asked(&self, plan: &PlanFacts, rule: Rule, copy: &Copy) -> bool {
        let into = self.world.rules.iter().filter(|other| other.destination == rule.destination);
        into.into_iter().any(|owner| {
            let name = rule_name(*owner);
            let asked = plan.conflicts.iter().filter(|(of, ..)| *of == name);
            let mut asked = asked.filter_map(|(_, id, _)| self.ledger.copy(owner.source, id));
            asked.any(|it| it.recording.may_be(copy.recording))
        })
    }

    /// Whether the rule that owns an event holds its pair for it: a start that seems edited by hours is
    /// noted, and what was brought under the old one stays.
    fn is_noted(&self, plan: &PlanFacts, rule: Rule, copy: &Copy) -> bool {
        let into = self.world.rules.iter().filter(|other| other.destination == rule.destination);
        into.into_iter().any(|owner| {
            let name = rule_name(*owner);
            let pairs = plan.in_sync.iter().filter(|pair| pair.rule == name);
            pairs.into_iter().any(|pair| {
                let source = self.ledger.copy(owner.source, &pair.source);
                let there = pair.destination.as_ref();
                let there = there.and_then(|id| self.ledger.copy(rule.destination, id));
                source.zip(there).is_some_and(|(source, there)| {
                    let is_swapped = [copy, source].iter().any(|it| is_swapped_since(it, there));
                    source.recording.may_be(copy.recording) && is_swapped
                })
            })
        })
    }

    /// Whether an account may list what was brought there under another id by now.
    fn changes_ids(&self, account: usize) -> bool {
        let account = self.world.accounts.get(account);
        account.is_some_and(|account| account.quirks.contains(&Quirk::ChangesIds))
    }

    /// Of a recording that a run brought there is one.
    fn nothing_twice(&self, account: usize, wrong: &mut Vec<(Question, String)>) {
        let there: Vec<&Copy> = self.ledger.there(account).collect();
        for copy in
            there.iter().filter(|copy| copy.by == By::Run && copy.changed == 0 && !copy.is_excused)
        {
            // Nobody knows of it any more, and nobody wants it.
            let is_wanted =
                |source| self.ledger.there(source).any(|it| it.recording == copy.recording);
            if copy.state_lost && !self.ledger.sources(account).any(is_wanted) {
                continue;
            }
            let double = there.iter().find(|other| {
                other.id != copy.id
                    && !other.is_excused
                    && other.recording.is_same(copy.recording)
                    && (other.by == By::Run || other.since < copy.since)
            });
            // What a person changed meanwhile stays beside the new one, and so does what a person put
            // beside an earlier one of ours.
            let is_beside = |it: &Copy| {
                let mut ours = self.ledger.of(account).iter().filter(|it| it.by == By::Run);
                it.by == By::Person
                    && ours.any(|ours| ours.made < it.made && ours.recording.is_same(it.recording))
            };
            if double.is_some_and(|it| it.changed > it.made || is_beside(it)) {
                continue;
            }
            if let Some(double) = double {
                let (one, two) = (self.ledger.told(account, &copy.id), &double.id);
                wrong.push((Question::Doubled, format!("{one} is there as {two}, too")));
            }
        }
    }

    fn nothing_exposed(&self, account: usize, wrong: &mut Vec<(Question, String)>) {
        let exposed = self.ledger.exposed(account);
        let told = exposed.map(|copy| self.ledger.told(account, &copy.id));
        wrong.extend(told.map(|it| (Question::Visible, format!("{it} is public in the end"))));
    }

    /// A copy carries the words of its source, or of what was there before it.
    fn own_words(&self, account: usize, wrong: &mut Vec<(Question, String)>) {
        let brought = self.ledger.there(account).filter(|copy| copy.by == By::Run);
        for copy in brought.filter(|copy| !copy.is_renamed && copy.changed == 0) {
            wrong.extend(self.lost_words(account, copy).map(|how| (Question::Words, how)));
            let Some(title) = &copy.title else { continue };
            let rules = self.world.rules.iter();
            let into = rules
                .filter(|rule| self.ledger.owner(rule.destination) == self.ledger.owner(account));
            let sources = into.flat_map(|rule| self.ledger.of(rule.source));
            let mut own =
                sources.chain(self.ledger.of(account).iter().filter(|it| it.id != copy.id));
            if !own.any(|it| [&it.title, &it.former_title].contains(&&Some(title.clone()))) {
                let it = self.ledger.told(account, &copy.id);
                wrong.push((Question::Words, format!("{it} is called '{title}'")));
            }
        }
    }
}

/// Whether a person gave the id of one of a pair to another recording: a change that rules note and
/// leave alone.
fn is_swapped_since(source: &Copy, destination: &Copy) -> bool {
    (source.is_swapped && source.made > destination.made)
        || (destination.is_swapped && destination.made > source.made)
}

impl View<'_> {
    /// The words that a person gave to what a copy replaced, if they are gone.
    fn lost_words(&self, account: usize, copy: &Copy) -> Option<String> {
        // What a plan said of an id holds for what stood under it then, and for what its source was.
        let is_meant = |old: &Copy| old.recording.may_be(copy.recording);
        let replaced = |old: &&Copy| {
            old.gone == Some(By::Run)
                && is_meant(old)
                && old.made < copy.made
                && self.ledger.makes_room(account, &old.id, copy.recording)
        };
        let mut before = self.ledger.of(account).iter().rev();
        let old = before.find(replaced).filter(|old| old.is_renamed)?;
        // A person gave the id of its successor away.
        let of = self.ledger.of(account).iter();
        let mut since = of.filter(|it| old.made < it.made && it.made < copy.made);
        if since.any(|it| it.recording == copy.recording && it.gone == Some(By::Person)) {
            return None;
        }
        let told = || format!("'{}' is lost", old.title.clone().unwrap_or_default());
        // Of two versions that a source holds, one has taken its place.
        let is_its = |it: &Copy| it.recording.may_be(copy.recording) && it.title == old.title;
        let is_there = self.ledger.there(account).any(is_its);
        (!is_there && !copy.is_restored).then(told)
    }
}

pub(crate) fn rule_name(rule: Rule) -> RuleName {
    RuleName::new(format!("{}-to-{}", World::name(rule.source), World::name(rule.destination)))
}
