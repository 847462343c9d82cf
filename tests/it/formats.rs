//! Every format of a plan and of an apply: what it says, that it holds together, that nothing remote
//! breaks out of it, and that one run writes all of them.

mod browser;
mod html;
mod junit;
mod same;
mod schemas;
mod shown;
mod together;
mod worlds;
