//! Every chart: where its marks stand, the picture that was looked at once, and what it makes of odd input.

mod golden;
mod histogram;
mod odd;
mod reading;
mod samples;
mod scene;
