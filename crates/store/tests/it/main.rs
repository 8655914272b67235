//! Tests of the store from outside: run folders, database, damage, locks, kills and the documentation.

#![allow(clippy::unwrap_used)]

mod damage;
mod folders;
mod index;
mod kill;
mod locks;
mod properties;
mod sample;
mod spec;
mod speed;
