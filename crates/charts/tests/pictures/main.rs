//! Every chart: what it makes of odd input.

mod odd;
