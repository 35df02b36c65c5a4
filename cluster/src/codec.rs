//! Our operators on the wire.
//!
//! An operator travels as the plain plan in whose place it stands, over inputs without rows; where it arrives, its rule makes
//! it of that again, and its inputs, which travel beside it, are put back.  What is no operator of ours goes to Ballista's own
//! codec.

use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{AsExecutionPlan, PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use datafusion_proto::protobuf::PhysicalPlanNode;
use lookup_join::{LookupJoinExec, LookupJoinRule};
use point_in_time::{PointInTimeExec, PointInTimeRule, RangeJoinExec};
use selvedge_engine::point_in_time_rule;

use crate::VERSION;

/// What a message of ours begins with; Ballista's begin with a tag of protobuf, which is no letter.
const MARK: &[u8] = b"selvedge-operator ";

/// Which operator a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    PointInTime,
    Range,
    /// A range join of which every slice holds all of the source.
    SmallRange,
    Lookup,
}

const KINDS: [(u8, Kind); 4] =
    [(b'p', Kind::PointInTime), (b'r', Kind::Range), (b's', Kind::SmallRange), (b'l', Kind::Lookup)];

/// Puts plans with our operators into messages, and takes them out.
#[derive(Debug)]
pub struct Codec {
    others: BallistaPhysicalExtensionCodec,
    point_in_time: PointInTimeRule,
    version: String,
}

impl Default for Codec {
    fn default() -> Self {
        Self::of_version(&VERSION)
    }
}

impl Codec {
    /// The codec as programs of `version` have it.
    pub fn of_version(version: &str) -> Self {
        let others = BallistaPhysicalExtensionCodec::default();
        Self { others, point_in_time: point_in_time_rule(), version: version.to_owned() }
    }

    /// What comes before the plan: the mark, the version and the kind, each with an end that it does not hold itself.
    fn head(&self, kind: u8) -> Vec<u8> {
        [MARK, self.version.as_bytes(), b"\n", &[kind]].concat()
    }
}

/// The operator's kind, and the plain plan in whose place it stands.
fn ours(node: &Arc<dyn ExecutionPlan>) -> Result<Option<(Kind, Arc<dyn ExecutionPlan>)>> {
    if let Some(operator) = node.downcast_ref::<PointInTimeExec>() {
        return Ok(Some((Kind::PointInTime, operator.plain()?)));
    }
    if let Some(operator) = node.downcast_ref::<RangeJoinExec>() {
        let kind = if operator.is_small() { Kind::SmallRange } else { Kind::Range };
        return Ok(Some((kind, operator.plain()?)));
    }
    match node.downcast_ref::<LookupJoinExec>() {
        Some(operator) => Ok(Some((Kind::Lookup, operator.plain()?))),
        None => Ok(None),
    }
}

impl PhysicalExtensionCodec for Codec {
    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some((kind, plain)) = ours(&node)? else { return self.others.try_encode(node, buf, converter) };
        let letter = KINDS.iter().find(|(_, known)| *known == kind).map_or(b'?', |(letter, _)| *letter);
        buf.extend(self.head(letter));
        PhysicalPlanNode::try_from_physical_plan(plain, self)?.try_encode(buf)
    }

    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(message) = buf.strip_prefix(MARK) else {
            return self.others.try_decode(buf, inputs, context, converter);
        };
        let end = message.iter().position(|byte| *byte == b'\n').unwrap_or(message.len());
        let version = String::from_utf8_lossy(&message[..end]);
        if version != self.version {
            let ours = &self.version;
            return exec_err!("a plan was made by {version}, and this program is {ours}: all machines need the same");
        }
        let kind = message.get(end + 1).and_then(|letter| KINDS.iter().find(|(known, _)| known == letter));
        let Some((_, kind)) = kind else { return exec_err!("a plan has an operator that is not known here") };
        let plain = PhysicalPlanNode::try_decode(&message[end + 2..])?.try_into_physical_plan(context, self)?;
        let inputs = inputs.to_vec();
        match kind {
            Kind::PointInTime | Kind::Range => self.point_in_time.restored(plain, false, inputs),
            Kind::SmallRange => self.point_in_time.restored(plain, true, inputs),
            Kind::Lookup => LookupJoinRule.restored(&plain, inputs),
        }
    }
}
