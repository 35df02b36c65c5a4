//! What Rust's own methods give, as hashes: `scripts/processors.py` compares them between processors.

use numeric as _;

#[path = "../tests/methods/mod.rs"]
mod methods;

fn main() {
    for (name, hash) in methods::hashes() {
        println!("{name:<28} {hash}");
    }
}
