//! Exit codes, as pipelines know them.

/// How a run ended. The numbers are part of the outside contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// A failure that fits none of the others.
    Failed,
    /// `plan --detailed-exitcode`: there are changes.
    Changes,
    /// The manifest, or what the arguments mean, is invalid.
    Invalid,
    /// Login needed.
    Login,
    /// A platform cannot be reached; nothing half done.
    Unavailable,
    /// A person must decide.
    Decide,
    /// The saved plan was altered, is of other accounts, or wholly stale.
    StalePlan,
    /// Somebody else holds the lock.
    Locked,
    /// The state cannot be used.
    State,
    /// Apply ended with at least one step not done.
    Partly,
    /// Interrupted and closed cleanly.
    Interrupted,
    /// The command line is wrong.
    Usage,
    /// A bug.
    Bug,
}

impl Exit {
    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Invalid => 3,
            Self::Login => 4,
            Self::Unavailable => 5,
            Self::Decide => 6,
            Self::StalePlan => 7,
            Self::Locked => 8,
            Self::State => 9,
            Self::Partly => 10,
            Self::Interrupted => 11,
            Self::Usage => 64,
            Self::Bug => 70,
        }
    }

    /// The word for it in reports and events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Changes => "changes",
            Self::Invalid => "invalid",
            Self::Login => "login",
            Self::Unavailable => "unavailable",
            Self::Decide => "decide",
            Self::StalePlan => "stale_plan",
            Self::Locked => "locked",
            Self::State => "state",
            Self::Partly => "partly",
            Self::Interrupted => "interrupted",
            Self::Usage => "usage",
            Self::Bug => "bug",
        }
    }

    /// Of several, the one that a pipeline should act on first: what is wrong before what is only
    /// unfinished, and nothing is hidden by a question to a person.
    pub fn worst(exits: impl IntoIterator<Item = Self>) -> Self {
        exits.into_iter().min_by_key(|exit| exit.rank()).unwrap_or(Self::Done)
    }

    /// Its place in that order; of those that the contract names, as it names them.
    fn rank(self) -> u8 {
        match self {
            Self::Bug => 0,
            Self::Usage => 1,
            Self::Invalid => 2,
            Self::Interrupted => 3,
            Self::State => 4,
            Self::Login => 5,
            Self::StalePlan => 6,
            Self::Locked => 7,
            Self::Partly => 8,
            Self::Failed => 9,
            Self::Unavailable => 10,
            Self::Decide => 11,
            Self::Changes => 12,
            Self::Done => 13,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn of_several_the_contracts_first_wins() {
        assert_eq!(Exit::worst([Exit::Decide, Exit::Unavailable]), Exit::Unavailable);
        assert_eq!(Exit::worst([Exit::Partly, Exit::Login, Exit::Decide]), Exit::Login);
        assert_eq!(Exit::worst([Exit::Done, Exit::Failed]), Exit::Failed);
        assert_eq!(Exit::worst([]), Exit::Done);
        let contract = [
            Exit::State,
            Exit::Login,
            Exit::StalePlan,
            Exit::Locked,
            Exit::Partly,
            Exit::Unavailable,
            Exit::Decide,
        ];
        for (place, first) in contract.into_iter().enumerate() {
            let rest = contract.into_iter().skip(place).rev();
            assert_eq!(Exit::worst(rest), first);
        }
    }

    #[test]
    fn nothing_is_hidden_by_what_can_wait() {
        for wrong in [Exit::Failed, Exit::Bug, Exit::Interrupted, Exit::Invalid] {
            for waits in [Exit::Decide, Exit::Unavailable, Exit::Changes, Exit::Done] {
                assert_eq!(Exit::worst([waits, wrong]), wrong);
                assert_eq!(Exit::worst([wrong, waits]), wrong);
            }
        }
    }
}
