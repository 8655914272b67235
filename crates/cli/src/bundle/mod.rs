//! Bundles: one file that holds a run and everything that reproduces it on another machine.
//!
//! A bundle is a gzip-compressed tar archive. Its first entry, `bundle.json`, lists every other one with its length and
//! blake3 hash: the run folder below `results/runs`, and the lake's files of the series that the run reads below `data`,
//! as they lie there. Unpacked, it is a workspace in which the commands find the run and its bars.
//!
//! The times and owners of the files are left out, so that the same run over the same lake gives the same bundle, byte for
//! byte.

mod listing;
mod read;
mod write;

pub(crate) use read::unpack;
pub(crate) use write::pack;

/// The folder of a bundle that is the results folder.
pub(crate) const RESULTS: &str = "results";
/// The folder of a bundle that is the lake.
pub(crate) const DATA: &str = "data";
