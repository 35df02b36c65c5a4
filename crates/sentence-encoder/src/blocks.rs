//! Which texts share a block.

use std::collections::BTreeMap;

/// Tokens of a block: with fewer, the weights are fetched more often; with many more, what the layers make leaves the
/// processor.
pub const BLOCK: usize = 384;

/// Packs texts of these lengths into blocks with `room` for so many tokens: the longest first, and beside it what fits,
/// longest first again (best-fit decreasing; Johnson 1973).  Returns the texts' positions, in the order of the blocks'
/// first texts, so that how far the work is can be read from how many texts are done.
pub fn blocks(lengths: &[usize], room: usize) -> Vec<Vec<usize>> {
    let mut waiting = BTreeMap::<usize, Vec<usize>>::new();
    for (position, length) in lengths.iter().enumerate().rev() {
        waiting.entry(*length).or_default().push(position);
    }
    let mut longest_up_to = |most: usize| {
        let (length, texts) = waiting.range_mut(..=most).next_back()?;
        let (length, position) = (*length, texts.pop()?);
        if texts.is_empty() {
            waiting.remove(&length);
        }
        Some((length, position))
    };
    let mut blocks = Vec::new();
    while let Some((length, first)) = longest_up_to(usize::MAX) {
        let (mut block, mut left) = (vec![first], room.saturating_sub(length));
        while let Some((length, position)) = longest_up_to(left) {
            block.push(position);
            left -= length;
        }
        blocks.push(block);
    }
    blocks.sort_unstable();
    blocks
}
