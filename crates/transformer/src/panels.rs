//! How numbers are laid out: what belongs to tokens in [`Panels`], what they are multiplied by in [`Strips`].

use crate::processor::LANES;

/// Tokens of a panel.
pub const TOKENS: usize = 32;
/// Rows of a strip: the rows of a tile.  With 12 x 32 numbers, a tile takes 24 of the 32 registers of AVX-512; a quarter of it
/// takes 12 of the 16 of AVX2.
pub const ROWS: usize = 12;

/// One number of each of [`TOKENS`] tokens, at an address that a register of 64 bytes is quickly read from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub struct Line([f32; TOKENS]);

impl Line {
    const ZERO: Self = Self([0.0; TOKENS]);

    /// Two times [`LANES`] tokens.
    #[inline(always)]
    pub(crate) fn halves(&self) -> &[[f32; LANES]] {
        self.0.as_chunks().0
    }

    /// As [`Line::halves`], to be written.
    #[inline(always)]
    pub(crate) fn halves_mut(&mut self) -> &mut [[f32; LANES]] {
        self.0.as_chunks_mut().0
    }
}

/// `rows x tokens` numbers: [`TOKENS`] tokens side by side, row below row, then the next tokens.  Tokens that fill up the last
/// panel hold anything; no other token depends on them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panels {
    rows: usize,
    tokens: usize,
    numbers: Vec<Line>,
}

impl Panels {
    /// Takes this shape; what it holds then is left over or zero.
    pub fn shape(&mut self, rows: usize, tokens: usize) {
        (self.rows, self.tokens) = (rows, tokens);
        self.numbers.resize(rows * tokens.div_ceil(TOKENS), Line::ZERO);
    }

    /// Zeros in this shape.
    pub fn zeros(rows: usize, tokens: usize) -> Self {
        let mut panels = Self::default();
        panels.shape(rows, tokens);
        panels
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// The panels, each `rows` times [`TOKENS`] numbers.
    pub fn panels(&self) -> impl ExactSizeIterator<Item = &[Line]> {
        self.numbers.chunks_exact(self.rows.max(1))
    }

    pub(crate) fn panel(&self, number: usize) -> &[Line] {
        &self.numbers[number * self.rows..][..self.rows]
    }

    pub(crate) fn panel_mut(&mut self, number: usize) -> &mut [Line] {
        &mut self.numbers[number * self.rows..][..self.rows]
    }

    pub(crate) fn count(&self) -> usize {
        self.tokens.div_ceil(TOKENS)
    }

    pub fn get(&self, row: usize, token: usize) -> f32 {
        self.numbers[token / TOKENS * self.rows + row].0[token % TOKENS]
    }

    pub fn set(&mut self, row: usize, token: usize, value: f32) {
        self.numbers[token / TOKENS * self.rows + row].0[token % TOKENS] = value;
    }

    /// Calls `visit(place, numbers)` with the numbers of `row` from `start` on, in runs that lie together; `place` counts from
    /// `start`.
    pub(crate) fn runs(&self, row: usize, start: usize, length: usize, mut visit: impl FnMut(usize, &[f32])) {
        let mut done = 0;
        while done < length {
            let token = start + done;
            let run = (TOKENS - token % TOKENS).min(length - done);
            let line = &self.numbers[token / TOKENS * self.rows + row];
            visit(done, &line.0[token % TOKENS..][..run]);
            done += run;
        }
    }

    /// Writes numbers into `row` from the token `start` on.
    pub(crate) fn write(&mut self, row: usize, start: usize, mut numbers: &[f32]) {
        let mut token = start;
        while !numbers.is_empty() {
            let run = (TOKENS - token % TOKENS).min(numbers.len());
            let (now, later) = numbers.split_at(run);
            self.numbers[token / TOKENS * self.rows + row].0[token % TOKENS..][..run].copy_from_slice(now);
            (token, numbers) = (token + run, later);
        }
    }
}

/// `rows x depth` numbers: [`ROWS`] rows side by side for each k of the depth, then the next rows.  Rows that fill up the last
/// strip hold anything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Strips {
    rows: usize,
    depth: usize,
    numbers: Vec<[f32; ROWS]>,
}

impl Strips {
    /// Takes this shape; what it holds then is left over or zero.
    pub(crate) fn shape(&mut self, rows: usize, depth: usize) {
        (self.rows, self.depth) = (rows, depth);
        self.numbers.resize(depth * rows.div_ceil(ROWS), [0.0; ROWS]);
    }

    /// The matrix whose rows of `depth` numbers stand one after the other.
    pub fn pack(matrix: &[f32], depth: usize) -> Self {
        let mut strips = Self::default();
        strips.shape(matrix.len() / depth.max(1), depth);
        for (row, line) in matrix.chunks_exact(depth.max(1)).enumerate() {
            for (k, value) in line.iter().enumerate() {
                strips.numbers[row / ROWS * depth + k][row % ROWS] = *value;
            }
        }
        strips
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn depth(&self) -> usize {
        self.depth
    }

    pub(crate) fn strip(&self, number: usize) -> &[[f32; ROWS]] {
        &self.numbers[number * self.depth..][..self.depth]
    }

    pub(crate) fn count(&self) -> usize {
        self.rows.div_ceil(ROWS)
    }

    /// Writes numbers into the rows from `start` on, all at depth `k`.
    pub(crate) fn write_rows(&mut self, start: usize, k: usize, mut numbers: &[f32]) {
        let mut row = start;
        while !numbers.is_empty() {
            let run = (ROWS - row % ROWS).min(numbers.len());
            let (now, later) = numbers.split_at(run);
            self.numbers[row / ROWS * self.depth + k][row % ROWS..][..run].copy_from_slice(now);
            (row, numbers) = (row + run, later);
        }
    }

    /// Writes numbers into `row` at the depths from `start` on.
    pub(crate) fn write_row(&mut self, row: usize, start: usize, numbers: &[f32]) {
        let strip = &mut self.numbers[row / ROWS * self.depth..][..self.depth];
        for (line, value) in strip[start..].iter_mut().zip(numbers) {
            line[row % ROWS] = *value;
        }
    }
}
