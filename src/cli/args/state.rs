//! The arguments of the commands about the state.

use clap::{Args as ClapArgs, Subcommand};

use super::Json;

#[derive(Debug, Subcommand)]
pub enum State {
    /// List the linked pairs, or what was refused
    List(StateList),
    /// Show the whole, an account, an activity (ACCOUNT/ID) or an address
    Show(StateShow),
    /// List past runs
    History(Json),
    /// Forget what is known about an address; the next plan finds it again by key
    Rm(AddressArg),
    /// Check the state file
    Verify,
    /// Decide: this is the same activity as ID at the destination
    Adopt(Adopt),
    /// Decide: it is none of the candidates; upload it
    Distinct(AddressArg),
    /// Decide: leave it alone until it changes
    Ignore(SubjectArg),
    /// Take a decision back
    Undecide(SubjectArg),
}

#[derive(Debug, ClapArgs)]
pub struct StateList {
    /// List what was refused instead: when, how often, and when it is looked at again
    #[arg(long)]
    pub refused: bool,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct StateShow {
    /// ADDRESS, ACCOUNT or ACCOUNT/ID
    pub subject: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct AddressArg {
    /// As the plan shows it: RULE/START or RULE/@SOURCE_ID
    pub address: String,
}

#[derive(Debug, ClapArgs)]
pub struct SubjectArg {
    /// As the plan shows it: RULE/START or RULE/@SOURCE_ID; or ACCOUNT/ID of a destination's file that
    /// cannot be opened
    pub address: String,
}

#[derive(Debug, ClapArgs)]
pub struct Adopt {
    /// As the plan shows it: RULE/START or RULE/@SOURCE_ID
    pub address: String,
    /// Its counterpart's id at the destination
    #[arg(long = "as", value_name = "ID")]
    pub counterpart: String,
}
