//! Which commands write into the project's folder; the others only read.

use super::{Command, PlainStage};
use crate::serving::ReleaseCommand;
use crate::{drill, features, monitor, recommend};

impl Command {
    /// Its name, where it writes into the project's folder; the others only read.
    pub(super) fn writes(&self) -> Option<&'static str> {
        Some(match self {
            Self::Run(_) => "run",
            Self::Stage(PlainStage(stage)) => stage.name,
            Self::Features(_) => features::STAGE.name,
            Self::Recommend(_) => recommend::STAGE.name,
            Self::Monitor(_) => monitor::STAGE.name,
            Self::Drill(_) => drill::STAGE.name,
            Self::Track(_) => "track",
            Self::Diff(_) => "diff",
            Self::Test(args) if !args.record.is_empty() => "test --record",
            Self::Release(ReleaseCommand::Build) => "release build",
            Self::New(_)
            | Self::Check(_)
            | Self::Who(_)
            | Self::Serve(_)
            | Self::Release(_)
            | Self::Compare(_)
            | Self::Replay(_)
            | Self::Key(_)
            | Self::Completions(_)
            | Self::Audit
            | Self::Lint(_)
            | Self::Test(_)
            | Self::Plan(_)
            | Self::Lineage(_)
            | Self::Why(_)
            | Self::WhyNot(_)
            | Self::Sql(_) => {
                return None;
            }
        })
    }
}
