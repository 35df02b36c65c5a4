//! A picture packed as PNG with a palette: a chart has few colours, and what is committed with every change must be small.
//!
//! Its bytes are the same on every processor: colours are counted and averaged in whole numbers, and the compressor is
//! miniz_oxide itself. flate2, which the png crate would ask, is built on whichever compressor another crate of a
//! program chose, and some of those pack by what the processor can do.

use std::collections::{BTreeMap, HashMap};

use super::error::ChartError;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Pixels of one colour side by side: the colour, and how many.
type Stretch = (Rgb, usize);

/// What a palette holds at most: a pixel is one byte.
const MOST_COLORS: usize = 256;
/// What a picture weighs at most, where coarser shades can help.
const MOST_BYTES: usize = 120_000;
/// By which steps of a channel colours are told apart, the finest that is good enough: with the first, an edge between
/// black and white has 16 shades; with the last, there are 8 colours beside those that are kept.
const STEPS: [u8; 4] = [16, 32, 64, 128];
/// How long the compressor looks for what was there before, 0 to 10; more takes long and gains little.
const EFFORT: u8 = 5;

/// Packs `picture` (rows from top to bottom, RGB, `width` by `height`) as PNG with at most 256 colours.  Those of `kept`
/// stay as they are (248 of them); others that are alike become one, their mean.
pub fn pack(picture: &[u8], (width, height): (u32, u32), kept: &[Rgb]) -> Result<Vec<u8>, ChartError> {
    let rows: Vec<Vec<Stretch>> = picture.chunks_exact(width as usize * 3).map(stretches).collect();
    let mut counts = HashMap::new();
    for (color, length) in rows.iter().flatten() {
        *counts.entry(*color).or_default() += *length as u64;
    }
    let kept = &kept[..kept.len().min(MOST_COLORS - 8)];
    let mut packed = Vec::new();
    for step in STEPS {
        let groups = alike(&counts, kept, step);
        if groups.len() > MOST_COLORS {
            continue;
        }
        let (palette, places) = reduce(&counts, groups);
        packed = write(&rows, (width, height), &palette, &places)?;
        if packed.len() <= MOST_BYTES {
            break;
        }
    }
    Ok(packed)
}

/// The PNG of a picture whose colours have these `places` in the palette.
fn write(
    rows: &[Vec<Stretch>],
    (width, height): (u32, u32),
    palette: &[Rgb],
    places: &HashMap<Rgb, u8>,
) -> Result<Vec<u8>, ChartError> {
    let mut indices = Vec::with_capacity((width as usize + 1) * height as usize);
    for row in rows {
        // The filter of each row: none.
        indices.push(0);
        for (color, length) in row {
            indices.resize(indices.len() + length, places.get(color).copied().unwrap_or_default());
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    let data = miniz_oxide::deflate::compress_to_vec_zlib(&indices, EFFORT);
    encoder.write_header()?.write_chunk(png::chunk::IDAT, &data)?;
    Ok(bytes)
}

/// The colours of a row, pixels of one colour beside each other at once.
fn stretches(row: &[u8]) -> Vec<Stretch> {
    row.as_chunks().0.chunk_by(|a, b| a == b).map(|stretch| (stretch[0], stretch.len())).collect()
}

/// The palette, most frequent first, and the place in it of every colour of the picture.
fn reduce(counts: &HashMap<Rgb, u64>, groups: Vec<Vec<Rgb>>) -> (Vec<Rgb>, HashMap<Rgb, u8>) {
    let mut groups: Vec<(u64, Rgb, Vec<Rgb>)> = groups.into_iter().map(|group| mean(counts, group)).collect();
    groups.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let places =
        groups.iter().zip(0..).flat_map(|((.., colors), place)| colors.iter().map(move |color| (*color, place)));
    (groups.iter().map(|group| group.1).collect(), places.collect())
}

/// Colours whose channels fall into the same steps; a kept one stays alone.
fn alike(counts: &HashMap<Rgb, u64>, kept: &[Rgb], step: u8) -> Vec<Vec<Rgb>> {
    let mut groups = BTreeMap::<(bool, Rgb), Vec<Rgb>>::new();
    for color in counts.keys() {
        let own = kept.contains(color);
        groups.entry((own, if own { *color } else { color.map(|channel| channel / step) })).or_default().push(*color);
    }
    groups.into_values().collect()
}

/// How many pixels a group has, and their mean colour, rounded half up.
fn mean(counts: &HashMap<Rgb, u64>, group: Vec<Rgb>) -> (u64, Rgb, Vec<Rgb>) {
    let weights = || group.iter().map(|color| (color, counts.get(color).copied().unwrap_or_default()));
    let total: u64 = weights().map(|(_, count)| count).sum();
    let mean = std::array::from_fn(|channel| {
        let sum: u64 = weights().map(|(color, count)| u64::from(color[channel]) * count).sum();
        ((sum + total / 2) / total.max(1)) as u8
    });
    (total, mean, group)
}
