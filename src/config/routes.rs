//! The routing tree: every route with what it inherits, its key and its id.

use std::collections::BTreeSet;
use std::time::Duration;

use smol_str::SmolStr;
use watchbell_engine::label::Labels;
use watchbell_engine::matcher::Matcher;
use watchbell_engine::policy::{GroupBy, Route};

use super::check::Check;
use super::error::Place;
use super::file;
use super::matchers::matchers;
use super::yaml::At;

/// More routes than this are refused; the largest known files have a few thousand.
const MAX_ROUTES: usize = 50_000;

/// What the root route has where the file is silent.
const DEFAULT_GROUP_WAIT: Duration = Duration::from_secs(30);
const DEFAULT_GROUP_INTERVAL: Duration = Duration::from_secs(5 * 60);
const DEFAULT_REPEAT_INTERVAL: Duration = Duration::from_secs(4 * 60 * 60);

/// The tree below `root`, depth first.
pub(super) fn routes(root: &mut At<file::Route>, check: &mut Check<'_>) -> Vec<Route> {
    check_root(root, check);
    let mut tree = Tree { routes: Vec::new(), check };
    let mut route = defaults();
    tree.apply(&mut route, root, &root.place);
    tree.add(route, &mut root.value);
    let excess = tree.routes.len() > MAX_ROUTES;
    tree.check.refuse_if(excess, &root.place, &format!("more than {MAX_ROUTES} routes"));
    tree.routes
}

struct Tree<'c, 'o> {
    routes: Vec<Route>,
    check: &'c mut Check<'o>,
}

fn check_root(root: &At<file::Route>, check: &mut Check<'_>) {
    let place = &root.place;
    let receiver = root.receiver.as_ref().is_some_and(|name| !name.is_empty());
    let matchers = !(root.equal.is_empty() && root.match_re.is_empty() && root.matchers.is_empty());
    check.refuse_if(!receiver, place, "root route must specify a default receiver");
    check.refuse_if(matchers, place, "root route must not have any matchers");
    check.refuse_if(!root.mute_time_intervals.is_empty(), place, "root route must not have any mute time intervals");
    check.refuse_if(
        !root.active_time_intervals.is_empty(),
        place,
        "root route must not have any active time intervals",
    );
    check.refuse_if(root.continues, place, "cannot have continue in root route");
}

fn defaults() -> Route {
    Route {
        id: "{}".into(),
        key: "{}".into(),
        matchers: Vec::new(),
        receiver: SmolStr::default(),
        group_by: GroupBy::Names(Vec::new()),
        group_wait: DEFAULT_GROUP_WAIT,
        group_interval: DEFAULT_GROUP_INTERVAL,
        repeat_interval: DEFAULT_REPEAT_INTERVAL,
        mute_time_intervals: Vec::new(),
        active_time_intervals: Vec::new(),
        continues: false,
        children: Vec::new(),
        labels: Labels::default(),
    }
}

impl Tree<'_, '_> {
    /// Takes `route` into the tree, and its children after it; gives its number.
    fn add(&mut self, route: Route, written: &mut file::Route) -> usize {
        let number = self.routes.len();
        self.routes.push(route);
        if number > MAX_ROUTES {
            return number;
        }
        let children = written.routes.iter_mut().enumerate().filter_map(|(i, child)| self.add_child(number, i, child));
        let children = children.collect();
        self.routes[number].children = children;
        number
    }

    fn add_child(&mut self, parent: usize, index: usize, written: &mut At<Option<file::Route>>) -> Option<usize> {
        let Some(child) = &mut written.value else {
            self.check.problem(&written.place, "missing route");
            return None;
        };
        let matchers = matchers(self.check, &child.equal, &child.match_re, &mut child.matchers);
        let parent = &self.routes[parent];
        let text = key_part(&matchers);
        let mut route = Route {
            id: format!("{}/{text}/{index}", parent.id).into(),
            key: format!("{}/{text}", parent.key).into(),
            matchers,
            children: Vec::new(),
            ..parent.clone()
        };
        self.apply(&mut route, child, &written.place);
        Some(self.add(route, child))
    }

    /// Overrides what is inherited by what is written; names of time intervals and `continue` are not inherited.
    fn apply(&mut self, route: &mut Route, written: &file::Route, place: &Place) {
        if let Some(name) = written.receiver.as_ref().filter(|name| !name.is_empty()) {
            self.check.defined_receiver(name);
            route.receiver = name.as_str().into();
        }
        if let Some(names) = &written.group_by {
            route.group_by = self.group_by(names);
        }
        self.apply_timing(route, written, place);
        route.mute_time_intervals = self.interval_names(&written.mute_time_intervals);
        route.active_time_intervals = self.interval_names(&written.active_time_intervals);
        route.continues = written.continues;
        self.apply_labels(route, written);
    }

    fn apply_timing(&mut self, route: &mut Route, written: &file::Route, place: &Place) {
        if let Some(wait) = written.group_wait {
            route.group_wait = wait.0;
        }
        if let Some(interval) = &written.group_interval {
            self.check.refuse_if(interval.is_zero(), &interval.place, "group_interval cannot be zero");
            route.group_interval = interval.0;
        }
        if let Some(interval) = &written.repeat_interval {
            self.check.refuse_if(interval.is_zero(), &interval.place, "repeat_interval cannot be zero");
            route.repeat_interval = interval.0;
        }
        let inherited = written.group_interval.is_none() && written.repeat_interval.is_none();
        if !inherited || self.routes.is_empty() {
            self.check.repetition(place, route.repeat_interval, route.group_interval);
        }
    }

    fn apply_labels(&mut self, route: &mut Route, written: &file::Route) {
        for (name, value) in &written.labels {
            self.check.label_name(name, &value.place, " in route labels");
        }
        let own = written.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        route.labels = route.labels.iter().chain(own).collect();
    }

    fn group_by(&mut self, names: &At<Vec<At<String>>>) -> GroupBy {
        let (all, others): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.value == "...");
        let mut labels = BTreeSet::new();
        for name in &others {
            self.check.label_name(name, &name.place, " in group_by list");
            if !labels.insert(SmolStr::from(name.as_str())) {
                self.check.problem(&name.place, format!("duplicated label {:?} in group_by", name.value));
            }
        }
        if all.is_empty() {
            return GroupBy::Names(labels.into_iter().collect());
        }
        let mixed = "cannot have wildcard group_by (`...`) and other labels at the same time";
        self.check.refuse_if(!others.is_empty(), &names.place, mixed);
        GroupBy::All
    }

    fn interval_names(&mut self, names: &[At<String>]) -> Vec<SmolStr> {
        names.iter().for_each(|name| self.check.defined_time_interval(name));
        names.iter().map(|name| name.as_str().into()).collect()
    }
}

/// A route's matchers as they stand in keys and ids.
fn key_part(matchers: &[Matcher]) -> String {
    let texts: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", texts.join(","))
}
