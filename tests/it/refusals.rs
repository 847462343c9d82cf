//! What accounts refuse: looked at with dates, never silent on the first day, never in others' way,
//! and told as it was.
#![cfg(test)]

mod comparing;
mod deeds;
mod looks;
mod shell;
