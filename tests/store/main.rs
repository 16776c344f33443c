//! What is learned, on a real disk: journals, views, damage, several writers.

mod damage;
mod kit;
mod undo;
mod views;
mod writers;
