//! Every point of a crash, every overlap, and backlogs: seconds for each test. The fast tier leaves
//! them out.

mod crashes;
mod many_channels;
mod portions;
mod rescue_crashes;
