//! Faults that were found once, each with the switches that show it: what was mended stays mended.

use super::switches::Switch;
use super::weather::Question;
#[cfg(not(test))]
use super::{Failure, Simulator};

/// A fault that an engine had.
pub(crate) struct Finding {
    /// What went wrong.
    pub(crate) name: &'static str,
    /// What is turned on.
    pub(crate) switches: &'static [Switch],
    /// What a short story of it cannot do without.
    pub(crate) needs: &'static [Switch],
    /// The promise that it breaks.
    pub(crate) question: Question,
}

/// A finding whose switches are all needed.
const fn finding(name: &'static str, question: Question, switches: &'static [Switch]) -> Finding {
    Finding { name, switches, needs: switches, question }
}

/// A finding that shows in a world without oddities.
const fn plain(name: &'static str, question: Question) -> Finding {
    Finding { name, switches: &[Switch::Pages], needs: &[], question }
}

use Question::{Claim, Doubled, Lost, NotEmpty, Silent, Unended, Visible, Words};
use Switch::{
    ClockBack, CountsOnly, Devices, Down, Dropped, EmptyPage, ForgottenLate, Kill, ListedLate,
    ListedVeryLate, LongWait, LostState, MissingFile, PeopleAdd, PeopleCorrect, PeopleHide,
    PeopleRemove, PeopleRename, PeopleSwap, PoisonFile, PrivacyIgnored, PrivacyRefused, Private,
    Refused, Restore, RowsHidePrivacy, SavedPlan, SecondName, Twins,
};

/// All findings.
pub(crate) const FINDINGS: &[Finding] = &[
    finding("what took an old one's place is not seen where a count fits", Lost, &[CountsOnly]),
    finding(
        "an import by hand is not seen where a count fits",
        Doubled,
        &[CountsOnly, PeopleRemove, PeopleAdd],
    ),
    finding(
        "another file under a known id is not seen where a count fits",
        Lost,
        &[CountsOnly, PeopleSwap],
    ),
    finding("one missing file, and the activity is never copied", Lost, &[MissingFile]),
    finding("one missing file, and the run ends well", Silent, &[MissingFile]),
    finding("a private activity is public while others are sent", Visible, &[Private]),
    finding(
        "a source that is made private is public while others are sent",
        Visible,
        &[PeopleHide],
    ),
    finding(
        "an edit of privacy fails, and all is said to be well",
        Visible,
        &[Private, PrivacyRefused],
    ),
    finding(
        "an edit of privacy is not kept, and all is said to be well",
        Visible,
        &[Private, PrivacyIgnored],
    ),
    finding(
        "a row that does not say who may see it counts as public",
        Visible,
        &[Private, RowsHidePrivacy],
    ),
    plain("two accounts share the words of one backup", Words),
    finding("a corrected file is not taken to the second destination", Silent, &[PeopleCorrect]),
    finding("another file is sent than the approved one", Claim, &[PeopleSwap]),
    finding("refused with unknown words, the old one is never put back", Lost, &[PoisonFile]),
    finding("a refused file keeps its step open for good", Unended, &[PoisonFile]),
    finding("a refused file is sent day after day", NotEmpty, &[PoisonFile]),
    finding("own removals look like an account that fails", Lost, &[Refused]),
    finding("what is put back is replaced again", Claim, &[Restore]),
    finding("what is put back late is replaced again", Claim, &[Restore, ListedLate]),
    finding("put back without a state, both stay", Doubled, &[Restore, LostState]),
    finding("put back without a state, nothing is put back", Claim, &[Restore, LostState]),
    finding("one account under two names", Doubled, &[SecondName]),
    finding("a clock set back ends the settling time", Doubled, &[Kill, ClockBack, ListedLate]),
    finding("state lost before the upload was listed", Doubled, &[Kill, LostState, ListedLate]),
    finding("a long wait is obeyed", Unended, &[LongWait]),
    finding("a fault while comparing ends well", Silent, &[Down]),
    finding("a new recording under an old id is taken for the old one", Lost, &[PeopleSwap]),
    finding("a replaced source is not looked for at the destination", Doubled, &[PeopleSwap]),
    finding("an empty first page, and all is sent again", Doubled, &[EmptyPage]),
    finding("a saved plan asks what the plan did not", Claim, &[SavedPlan, Devices]),
    finding(
        "a title written while a replace waits is lost",
        Words,
        &[ListedVeryLate, PeopleRename],
    ),
    finding("a gap is given up", Silent, &[Dropped]),
    finding("equal bytes go over twice", Doubled, &[Twins]),
    finding("a second device is sent to one that refuses it, day after day", NotEmpty, &[Devices]),
    finding("what is not listed yet is unknown to the next plan", Doubled, &[ListedVeryLate]),
    finding("what was just removed goes onward", Doubled, &[ForgottenLate]),
];

#[cfg(not(test))]
impl Finding {
    /// The first world in which it shows, told; `None` if the engine is free of it.
    pub(crate) fn shown(&self, simulator: &mut Simulator, seeds: u64) -> Option<Failure> {
        (0..seeds).find_map(|seed| {
            let broken = simulator.seed(seed, self.switches)?;
            if broken.question != self.question {
                return None;
            }
            let (short, story) = simulator.short(seed, self.switches);
            let has_all = self.needs.iter().all(|switch| short.switches().contains(switch));
            has_all.then_some(Failure { seed, question: broken.question, story })
        })
    }
}
