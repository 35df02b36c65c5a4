//! The rules: what each is called, why it matters, and how to write it instead.

/// What a finding breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    NoTimeBound,
    TimeBoundNotStrict,
    FrameTouchesPeers,
    WindowLooksAhead,
    WholeTableAggregate,
    VolatileFunction,
    UnorderedPick,
    OpenFloatSum,
    OrderWithTies,
    AllowWithoutReason,
    AllowWithoutUse,
    AllowOfNoRule,
}

impl Rule {
    pub const ALL: [Self; 12] = [
        Self::NoTimeBound,
        Self::TimeBoundNotStrict,
        Self::FrameTouchesPeers,
        Self::WindowLooksAhead,
        Self::WholeTableAggregate,
        Self::VolatileFunction,
        Self::UnorderedPick,
        Self::OpenFloatSum,
        Self::OrderWithTies,
        Self::AllowWithoutReason,
        Self::AllowWithoutUse,
        Self::AllowOfNoRule,
    ];

    /// The name that stands in messages and in `-- lint: allow`; it never changes.
    pub fn id(self) -> &'static str {
        match self {
            Self::NoTimeBound => "no-time-bound",
            Self::TimeBoundNotStrict => "time-bound-not-strict",
            Self::FrameTouchesPeers => "frame-touches-peers",
            Self::WindowLooksAhead => "window-looks-ahead",
            Self::WholeTableAggregate => "whole-table-aggregate",
            Self::VolatileFunction => "volatile-function",
            Self::UnorderedPick => "unordered-pick",
            Self::OpenFloatSum => "open-float-sum",
            Self::OrderWithTies => "order-with-ties",
            Self::AllowWithoutReason => "allow-without-reason",
            Self::AllowWithoutUse => "allow-without-use",
            Self::AllowOfNoRule => "allow-of-no-rule",
        }
    }

    /// The rule that `id` names, if it is one that can be allowed.
    pub fn allowable(id: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|rule| rule.id() == id);
        known.filter(|rule| !matches!(rule, Self::AllowWithoutReason | Self::AllowWithoutUse | Self::AllowOfNoRule))
    }

    /// Why it matters.
    pub fn why(self) -> &'static str {
        match self {
            Self::NoTimeBound => {
                "rows from after the moment reach the feature: in training it knows what nobody can know"
            }
            Self::TimeBoundNotStrict => "what happens at the moment itself is not yet known when the feature is needed",
            Self::FrameTouchesPeers => "rows of the same moment are in the frame, and they are not yet known",
            Self::WindowLooksAhead => "the window takes rows that come later in time",
            Self::WholeTableAggregate => "it counts the whole table, so every row holds something of the future",
            Self::VolatileFunction => "the answer is another one on every run, and no run can be repeated",
            Self::UnorderedPick => "which row is taken is left to chance, so two runs can differ",
            Self::OpenFloatSum => "floats add up differently in another order, so the last bits change between runs",
            Self::OrderWithTies => "rows of one time stand in any order, so two runs can take different ones",
            Self::AllowWithoutReason => "the next reader cannot know whether it still holds",
            Self::AllowWithoutUse => "it allows nothing, and would hide a finding that comes later",
            Self::AllowOfNoRule => "a mistyped rule allows nothing",
        }
    }

    /// How to write it instead.
    pub fn instead(self) -> &'static str {
        match self {
            Self::NoTimeBound => "add a strict bound to the join: AND t.event_time < g.as_of",
            Self::TimeBoundNotStrict => {
                "write < instead of <=, =  or BETWEEN, and compare days with days: day < date_trunc('day', g.as_of)"
            }
            Self::FrameTouchesPeers => {
                "end the frame before the moment: RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL '1 microsecond' PRECEDING"
            }
            Self::WindowLooksAhead => {
                "bound the rows by the moment first and put g.as_of into PARTITION BY, or order by time ascending with LAG"
            }
            Self::WholeTableAggregate => {
                "start from the grain, join with a strict time bound, and group by the grain's key, as_of included"
            }
            Self::VolatileFunction => "use g.as_of, or $exported_at for the day of the export",
            Self::UnorderedPick => "add an ORDER BY that ends in a unique column, such as the source's key",
            Self::OpenFloatSum => {
                "add DECIMALs up and cast the sums to DOUBLE; take MEDIAN or PERCENTILE_CONT, not APPROX_*"
            }
            Self::OrderWithTies => "end the ORDER BY in the source's key: ORDER BY t.event_time, t.transaction_id",
            Self::AllowWithoutReason => "write -- lint: allow <rule> because <reason>",
            Self::AllowWithoutUse => "remove the comment, or put it on the line of the finding or right above it",
            Self::AllowOfNoRule => "write the rule as it stands in the finding; `selvedge lint --help` lists them",
        }
    }
}
