//! Which of the next values is large enough.

/// The largest of every pair, of every pair of pairs, and so on.
pub struct Tree {
    nodes: Vec<i64>,
    leaves: usize,
}

impl Tree {
    pub fn new(values: &[i64]) -> Self {
        let leaves = values.len().next_power_of_two();
        let mut nodes = vec![i64::MIN; 2 * leaves];
        nodes[leaves..leaves + values.len()].copy_from_slice(values);
        for node in (1..leaves).rev() {
            nodes[node] = nodes[2 * node].max(nodes[2 * node + 1]);
        }
        Self { nodes, leaves }
    }

    /// The first place from `from` on whose value is at least `least`.
    pub fn next(&self, from: usize, least: i64) -> Option<usize> {
        let mut node = from + self.leaves;
        if from >= self.leaves {
            return None;
        }
        while self.nodes[node] < least {
            // Up to where a right neighbour is left to look at.
            while node % 2 == 1 {
                node /= 2;
            }
            if node == 0 {
                return None;
            }
            node += 1;
        }
        while node < self.leaves {
            node *= 2;
            if self.nodes[node] < least {
                node += 1;
            }
        }
        Some(node - self.leaves)
    }
}
