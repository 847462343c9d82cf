//! Hard cases of athletes: what stood twice, was said by nobody, went over as something else or took the
//! place of something better with tools of this kind. Each with neighbours of its kind.

mod facts;
mod poorer;
mod twice;
