//! What can keep a chart from being drawn.

use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::{BitMapBackend, DrawingBackend};

use super::smooth::InkError;

/// What plotters reports when it cannot paint on its bitmap.
type PaintError = DrawingAreaErrorKind<<BitMapBackend<'static> as DrawingBackend>::ErrorType>;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// A day was not written as year-month-day.
    #[error("\"{0}\" is not a day; write it as 2031-09-21")]
    Date(String),
    /// Plotters could not paint on the bitmap.
    #[error("the picture could not be painted")]
    Paint(#[from] PaintError),
    /// The bitmap could not be packed as PNG.
    #[error("the picture could not be packed as PNG")]
    Png(#[from] png::EncodingError),
}

impl From<InkError> for ChartError {
    fn from(cause: InkError) -> Self {
        Self::Paint(PaintError::BackendError(cause))
    }
}
