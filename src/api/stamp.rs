//! When an answer still holds: stamps on what was answered, which clients bring back as entity tags. An answer follows from
//! what is known, from the configuration, and from the time; it holds until one of the first two changes or an instant
//! passes at which it says something else.

use std::sync::Mutex;

use axum::http::{HeaderMap, HeaderValue, header};
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::{View, ViewVersion};

/// What an answer tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Alerts,
    Groups,
    Silences,
}

/// What an answer was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    subject: Subject,
    /// Tells this run of the program from others, whose versions say nothing here.
    run: Timestamp,
    version: ViewVersion,
    loaded_at: Timestamp,
    made_at: Timestamp,
}

impl Subject {
    fn letter(self) -> char {
        match self {
            Self::Alerts => 'a',
            Self::Groups => 'g',
            Self::Silences => 's',
        }
    }

    fn version(self, view: &View) -> ViewVersion {
        match self {
            Self::Alerts | Self::Groups => view.version(),
            Self::Silences => view.silences_version(),
        }
    }

    fn next_change_after(self, view: &View, at: Timestamp) -> Timestamp {
        match self {
            Self::Alerts | Self::Groups => view.next_change_after(at),
            Self::Silences => view.next_silence_change_after(at),
        }
    }
}

impl Stamp {
    /// The stamp of an answer made now.
    pub(super) fn new(subject: Subject, run: Timestamp, view: &View, loaded_at: Timestamp, made_at: Timestamp) -> Self {
        Self { subject, run, version: subject.version(view), loaded_at, made_at }
    }

    pub(super) fn subject(self) -> Subject {
        self.subject
    }

    /// Weak: the same list may be sent compressed.
    pub(super) fn tag(self) -> HeaderValue {
        let [run, loaded_at, made_at] = [self.run, self.loaded_at, self.made_at].map(Timestamp::as_micros);
        let (letter, version) = (self.subject.letter(), self.version.0);
        let tag = format!("W/\"{letter}-{run:x}-{version:x}-{loaded_at:x}-{made_at:x}\"");
        HeaderValue::from_str(&tag).expect("it is ASCII")
    }

    /// The stamps that a client still has answers of; only those that could be of an answer like `self`.
    pub(super) fn held_by_client<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = Self> + 'a {
        let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        lists.flat_map(|list| list.split(',')).filter_map(|tag| self.like(tag.trim()))
    }

    /// The stamp that a tag was made from, if it differs from `self` in nothing but when the answer was made.
    fn like(&self, tag: &str) -> Option<Self> {
        let made_at = tag.strip_suffix('"')?.rsplit_once('-')?.1;
        let stamp = Self { made_at: Timestamp::from_micros(i64::from_str_radix(made_at, 16).ok()?), ..*self };
        let strong = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
        (strong(stamp.tag().to_str().ok()?) == strong(tag)).then_some(stamp)
    }
}

/// Remembers how long the answers of the newest versions hold, since finding out means to look at everything.
#[derive(Debug, Default)]
pub(super) struct Validity(Mutex<[Option<Span>; 2]>);

/// Between these instants nothing changes with time alone.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// What it holds for, but for when that was made.
    of: Stamp,
    from: Timestamp,
    until: Timestamp,
}

impl Validity {
    /// Whether an answer with the stamp `old` would be made the same way again, now that one would be stamped `new`.
    pub(super) fn holds(&self, old: Stamp, new: Stamp, view: &View) -> bool {
        let same = Stamp { made_at: new.made_at, ..old } == new && old.made_at <= new.made_at;
        same && new.made_at < self.until(old, view)
    }

    fn until(&self, stamp: Stamp, view: &View) -> Timestamp {
        let slot = usize::from(stamp.subject == Subject::Silences);
        let known = self.lock()[slot];
        let covers = |span: &Span| {
            let of = Stamp { made_at: stamp.made_at, subject: stamp.subject, ..span.of };
            of == stamp && span.from <= stamp.made_at && stamp.made_at < span.until
        };
        if let Some(span) = known.filter(covers) {
            return span.until;
        }
        let until = stamp.subject.next_change_after(view, stamp.made_at);
        self.lock()[slot] = Some(Span { of: stamp, from: stamp.made_at, until });
        until
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, [Option<Span>; 2]> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
