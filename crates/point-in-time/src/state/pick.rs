//! The best event of every window.

use std::collections::HashMap;

use datafusion::arrow::array::UInt32Array;

use crate::windows::Windows;

/// The position of the smallest (or largest) of `keys` in each window, the earliest of equal ones; NULL for none.
pub fn pick(keys: &[i64], windows: &Windows, largest: bool) -> UInt32Array {
    let better = |a: u32, b: u32| -> u32 {
        let (first, second) = (keys[a as usize], keys[b as usize]);
        let second_wins = if largest { second > first } else { second < first };
        if second_wins { b } else { a }
    };
    let mut begins = vec![false; keys.len() + 1];
    windows.first.iter().for_each(|first| begins[*first as usize] = true);
    let mut so_far: Vec<u32> = Vec::with_capacity(keys.len());
    for position in 0..keys.len() as u32 {
        so_far.push(match position.checked_sub(1) {
            Some(last) if !begins[position as usize] => better(so_far[last as usize], position),
            _ => position,
        });
    }
    let slides = (0..windows.len()).any(|row| windows.low[row] != windows.first[row] && !windows.range(row).is_empty());
    let tree = if slides { Tree::new(keys.len(), &better) } else { Tree::default() };
    let best = |row: usize| {
        let window = windows.range(row);
        if window.is_empty() {
            None
        } else if windows.low[row] == windows.first[row] {
            Some(so_far[window.end - 1])
        } else {
            Some(tree.best(window, &better))
        }
    };
    (0..windows.len()).map(best).collect()
}

/// The position of the best event in each window where the latest (or earliest) are the best; NULL for none.  Of those
/// at the `same_time`, which a window holds all or none of, `better` chooses between two.
pub fn pick_by_time(
    windows: &Windows,
    latest: bool,
    same_time: impl Fn(u32, u32) -> bool,
    better: impl Fn(u32, u32) -> u32,
) -> UInt32Array {
    // By the event at the window's edge, where others share its time: many windows may end there.
    let mut known = HashMap::new();
    let best = |row: usize| {
        let (low, high) = (windows.low[row], windows.high[row]);
        if low == high {
            return None;
        }
        let edge = if latest { high - 1 } else { low };
        let nth = |n: u32| if latest { edge - n } else { edge + n };
        let tied = |n: &u32| *n < high - low && same_time(edge, nth(*n));
        match tied(&1) {
            false => Some(edge),
            true => Some(*known.entry(edge).or_insert_with(|| (1..).take_while(tied).map(nth).fold(edge, &better))),
        }
    };
    (0..windows.len()).map(best).collect()
}

/// The best of every pair, of every pair of pairs, and so on: any window is made of a few of them.
#[derive(Default)]
struct Tree {
    nodes: Vec<u32>,
}

impl Tree {
    fn new(leaves: usize, better: &impl Fn(u32, u32) -> u32) -> Self {
        let mut nodes = vec![0; leaves];
        nodes.extend(0..leaves as u32);
        for node in (1..leaves).rev() {
            nodes[node] = in_order(nodes[2 * node], nodes[2 * node + 1], better);
        }
        Self { nodes }
    }

    fn best(&self, window: std::ops::Range<usize>, better: &impl Fn(u32, u32) -> u32) -> u32 {
        let leaves = self.nodes.len() / 2;
        let mut best = window.start as u32;
        let (mut low, mut high) = (window.start + leaves, window.end + leaves);
        while low < high {
            if low % 2 == 1 {
                best = in_order(best, self.nodes[low], better);
                low += 1;
            }
            if high % 2 == 1 {
                high -= 1;
                best = in_order(best, self.nodes[high], better);
            }
            (low, high) = (low / 2, high / 2);
        }
        best
    }
}

fn in_order(a: u32, b: u32, better: &impl Fn(u32, u32) -> u32) -> u32 {
    better(a.min(b), a.max(b))
}
