//! A picture packed as PNG.

use super::error::ChartError;

/// Packs `picture` (rows from top to bottom, RGB, `width` by `height`).
pub fn pack(picture: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>, ChartError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // The fast compressor is the one that packs the same on every processor.  It packs runs of zeros, and what is left
    // of flat colours after the row above is taken away is zeros.
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::FilterType::Up);
    encoder.write_header()?.write_image_data(picture)?;
    Ok(bytes)
}
