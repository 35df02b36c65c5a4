//! Smooth edges by supersampling: a bitmap is drawn a few times too large, then every square becomes one pixel.
//!
//! A crate of its own because it touches every byte of every picture, and so is compiled for speed (see Cargo.toml).

/// Bytes of one pixel: red, green, blue.
const CHANNELS: usize = 3;

/// The picture behind `bitmap` (rows from top to bottom, RGB, `zoom` times `width` pixels wide): each pixel is the mean
/// of a square of `zoom` by `zoom` pixels, rounded half up.  Rows at the bottom that fill no square are left out.
pub fn shrink(bitmap: &[u8], width: usize, zoom: usize) -> Vec<u8> {
    let row = width * zoom * CHANNELS;
    let square = (zoom * zoom) as u32;
    let mut picture = Vec::with_capacity(bitmap.len() / (zoom * zoom).max(1));
    let mut sums = vec![0; width * CHANNELS];
    for band in bitmap.chunks_exact((row * zoom).max(1)) {
        sums.fill(square / 2);
        for line in band.chunks_exact(row) {
            for (sum, across) in sums.chunks_exact_mut(CHANNELS).zip(line.chunks_exact(CHANNELS * zoom)) {
                for pixel in across.chunks_exact(CHANNELS) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, byte)| *sum += u32::from(*byte));
                }
            }
        }
        picture.extend(sums.iter().map(|sum| (sum / square) as u8));
    }
    picture
}
