//! A GitLab that keeps everything in memory and behaves as GitLab's documentation says: projects, people, tokens, issues,
//! notes, labels, links, milestones and the alert endpoint of REST v4, with quick actions that are really executed.
//! Knows nothing of Watchbell.

mod access;
mod alerts;
mod answer;
mod call;
mod change;
mod issue_list;
mod issues;
mod labels;
mod limits;
mod links;
mod markdown;
mod notes;
mod operations;
mod page;
mod params;
mod people;
mod quick;
mod route;
mod serve;
mod shown;
mod treatment;
mod world;

pub(crate) use answer::Answer;
pub(crate) use call::Call;
pub(crate) use limits::Throttle;
pub(crate) use markdown::html_in;
pub(crate) use route::Operation;
pub(crate) use serve::{Entry, Fate, Gitlab};
pub(crate) use treatment::{End, Treatment};
pub(crate) use world::{Clock, Deed, Issue, Level, World};
