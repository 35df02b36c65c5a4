//! What each layer makes, held against rust-bert's model on libtorch.

use std::path::Path;

use rust_bert::bert::{BertConfig, BertEmbeddings, BertModel};
use tch::{Device, Kind, Tensor, nn::VarStore};
use transformer::{Panels, Scratch};

use crate::{MODEL, loaded, reference};

/// Each number is the end of some thousand roundings; kinds of processors differ by as much within libtorch itself.
const MOST: f32 = 1e-5;

/// The states of one text after every layer, `tokens x width` each.
fn of_libtorch(model: &BertModel<BertEmbeddings>, tokens: &[i64]) -> Vec<Vec<f32>> {
    let tokens = Tensor::from_slice(tokens).unsqueeze(0);
    let forward = || model.forward_t(Some(&tokens), None, None, None, None, None, None, false);
    let states = tch::no_grad(forward).unwrap().all_hidden_states.unwrap();
    states.iter().map(|state| Vec::try_from(state.to_kind(Kind::Float).flatten(0, -1)).unwrap()).collect()
}

#[test]
fn layers_make_what_libtorch_makes() {
    let config = std::fs::read(Path::new(MODEL).join("config.json")).unwrap();
    let mut config: BertConfig = serde_json::from_slice(&config).unwrap();
    config.output_hidden_states = Some(true);
    let mut store = VarStore::new(Device::Cpu);
    let model = BertModel::<BertEmbeddings>::new(store.root(), &config);
    store.load(Path::new(MODEL).join("model.safetensors")).unwrap();

    // Together, so that texts begin and end within panels.
    let texts = loaded().tokens(&reference().texts);
    let texts: Vec<&[i64]> = texts.iter().map(Vec::as_slice).collect();
    let expected: Vec<Vec<Vec<f32>>> = texts.iter().map(|tokens| of_libtorch(&model, tokens)).collect();
    let mut seen = 0;
    let watch = |layer: usize, rows: &Panels| {
        seen += 1;
        // rust-bert does not hand out what enters the first layer.
        let Some(layer) = layer.checked_sub(1) else { return };
        let mut start = 0;
        for (text, states) in texts.iter().zip(&expected) {
            let state = &states[layer];
            assert_eq!(state.len(), text.len() * rows.rows());
            for (place, expected) in state.iter().enumerate() {
                let found = rows.get(place % rows.rows(), start + place / rows.rows());
                let off = (found - expected).abs();
                assert!(off <= MOST * expected.abs().max(1.0), "layer {layer}: {found}, libtorch has {expected}");
            }
            start += text.len();
        }
    };
    loaded().model().watched(&texts, &mut Scratch::default(), watch).unwrap();
    assert_eq!((seen, expected[0].len()), (7, 6));
}
