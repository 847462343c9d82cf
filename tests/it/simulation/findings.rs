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
    /// So many worlds show it surely while the guard is missing.
    pub(crate) seeds: u64,
}

/// A finding whose switches are all needed.
const fn finding(
    name: &'static str,
    question: Question,
    switches: &'static [Switch],
    seeds: u64,
) -> Finding {
    Finding { name, switches, needs: switches, question, seeds }
}

/// A finding that shows in a world without oddities.
const fn plain(name: &'static str, question: Question, seeds: u64) -> Finding {
    Finding { name, switches: &[Switch::Pages], needs: &[], question, seeds }
}

use Question::{Claim, Doubled, Lost, NotEmpty, Silent, Unended, Visible, Words};
use Switch::{
    AnswerLost, ClockBack, CountsOnly, Devices, Down, Dropped, EmptyPage, ForgottenLate, Kill,
    ListedLate, ListedVeryLate, LongWait, LostState, MissingFile, PeopleAdd, PeopleCorrect,
    PeopleHide, PeopleRemove, PeopleRename, PeopleSwap, PoisonFile, PrivacyIgnored, PrivacyRefused,
    Private, Refused, Restore, RowsHidePrivacy, SavedPlan, SecondName, Twins,
};

/// All findings.
pub(crate) const FINDINGS: &[Finding] = &[
    finding(
        "what took an old one's place is not seen where a count fits",
        Lost,
        &[CountsOnly],
        500,
    ),
    finding(
        "an import by hand is not seen where a count fits",
        Doubled,
        &[CountsOnly, PeopleRemove, PeopleAdd],
        20_000,
    ),
    finding(
        "another file under a known id is not seen where a count fits",
        Lost,
        &[CountsOnly, PeopleSwap],
        5_000,
    ),
    finding("one missing file, and the activity is never copied", Lost, &[MissingFile], 500),
    finding("one missing file, and the run ends well", Silent, &[MissingFile], 500),
    finding("a private activity is public while others are sent", Visible, &[Private], 100),
    finding(
        "a source that is made private is public while others are sent",
        Visible,
        &[PeopleHide],
        500,
    ),
    finding(
        "an edit of privacy fails, and all is said to be well",
        Visible,
        &[Private, PrivacyRefused],
        2_000,
    ),
    finding(
        "an edit of privacy is not kept, and all is said to be well",
        Visible,
        &[Private, PrivacyIgnored],
        2_000,
    ),
    finding(
        "a row that does not say who may see it counts as public",
        Visible,
        &[Private, RowsHidePrivacy],
        2_000,
    ),
    plain("one step's end takes the bytes of another", Doubled, 5_000),
    plain("two accounts share the words of one backup", Words, 5_000),
    finding(
        "a corrected file is not taken to the second destination",
        Silent,
        &[PeopleCorrect],
        2_000,
    ),
    finding("another file is sent than the approved one", Claim, &[PeopleSwap], 1_000),
    finding("refused with unknown words, the old one is never put back", Lost, &[PoisonFile], 500),
    finding("a refused file keeps its step open for good", Unended, &[PoisonFile], 500),
    finding("a refused file is sent day after day", NotEmpty, &[PoisonFile], 500),
    finding("own removals look like an account that fails", Lost, &[Refused], 2_000),
    finding("what is put back is replaced again", Claim, &[Restore], 2_000),
    finding("what is put back late is replaced again", Claim, &[Restore, ListedLate], 5_000),
    finding("put back without a state, both stay", Doubled, &[Restore, LostState], 5_000),
    finding("put back without a state, nothing is put back", Claim, &[Restore, LostState], 5_000),
    finding("one account under two names", Doubled, &[SecondName], 100),
    finding(
        "a clock set back ends the settling time",
        Doubled,
        &[Kill, ClockBack, ListedLate],
        20_000,
    ),
    finding(
        "an answer lost and a clock set back",
        Doubled,
        &[AnswerLost, ClockBack, ListedLate],
        20_000,
    ),
    finding(
        "state lost before the upload was listed",
        Doubled,
        &[Kill, LostState, ListedLate],
        20_000,
    ),
    finding("a long wait is obeyed", Unended, &[LongWait], 500),
    finding("a fault while comparing ends well", Silent, &[Down], 2_000),
    finding("a new recording under an old id is taken for the old one", Lost, &[PeopleSwap], 1_000),
    finding(
        "a replaced source is not looked for at the destination",
        Doubled,
        &[PeopleSwap],
        1_000,
    ),
    finding("an empty first page, and all is sent again", Doubled, &[EmptyPage], 1_000),
    finding("a saved plan asks what the plan did not", Claim, &[SavedPlan, Devices], 20_000),
    finding(
        "a title written while a replace waits is lost",
        Words,
        &[ListedVeryLate, PeopleRename],
        2_000,
    ),
    finding("a gap is given up", Silent, &[Dropped], 1_000),
    finding("equal bytes go over twice", Doubled, &[Twins], 500),
    finding(
        "a second device is sent to one that refuses it, day after day",
        NotEmpty,
        &[Devices],
        500,
    ),
    finding(
        "what is not listed yet is unknown to the next plan",
        Doubled,
        &[ListedVeryLate],
        5_000,
    ),
    finding("what was just removed goes onward", Doubled, &[ForgottenLate], 5_000),
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
