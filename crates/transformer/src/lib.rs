//! The forward pass of a BERT encoder (Devlin et al. 2019): tokens in, a vector a text out, and the same bits on every
//! processor.
//!
//! How that is reached:
//!
//! - **Every number is one scalar program.**  The lanes of a vector register are tokens ([`Panels`]); what is added up for
//!   a token is added up within its lane, in order: a product over k = 0, 1, …, a norm over the features, an attention over
//!   the tokens of the text.  So neither the width of the registers nor the shape of the tiles can change a bit.
//! - **Every step is an IEEE 754 operation** that all processors round alike: +, -, *, /, square root, and a * b + c rounded
//!   once.  Rust neither reorders nor fuses them.
//! - **No function of a C library**: those pick their variants by processor.  `functions` has the exponential and GELU.
//!
//! [`Kind`] is the instructions that are used: AVX-512 or AVX2 with FMA where the processor has them, otherwise portable
//! code.  `tests/bits.rs` holds them against each other, `scripts/processors.py` runs them on emulated processors.

mod attention;
mod avx2;
mod avx512;
mod functions;
mod model;
mod norm;
mod panels;
mod portable;
mod processor;
mod product;

pub use model::{DenseParts, LayerParts, Model, ModelError, NormParts, Parts, Scratch};
pub use panels::Panels;
pub use processor::Kind;

/// Single steps, for tests and for whoever looks for the step that differs.
pub mod steps {
    pub use crate::attention::{Attention, Span};
    pub use crate::functions::{exponentials, gelus};
    pub use crate::norm::Norm;
    pub use crate::panels::Strips;
    pub use crate::product::{Bias, BiasGelu, BiasResidual, product};
}
