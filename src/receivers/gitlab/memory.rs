//! What is remembered of a group's issue from one notification to the next, on all nodes: the data that the
//! notification log keeps for us. It must not know how an issue is read or written.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use watchbell_engine::nflog::{NflogEntry, ReceiverData, ReceiverDatum};

use super::issue::Issue;
use super::wording::Wording;

const PROJECT: &str = "gitlab.project";
const AT: &str = "gitlab.at";
const IID: &str = "gitlab.iid";
const SET: &str = "gitlab.set";
const TITLE: &str = "gitlab.title";
const REGION: &str = "gitlab.region";
const LABELS: &str = "gitlab.labels";
const CHECKED: &str = "gitlab.checked";

/// What the last notification left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// The project as the operator named it.
    pub(super) project: SmolStr,
    /// The number of the project where the issue is; another one once people have moved it.
    pub(super) at: u64,
    /// The issue's number in that project.
    pub(super) iid: u64,
    /// What was told last.
    pub(super) told: Told,
    /// When, by GitLab's clock, nothing but this issue was open for the group.
    pub(super) checked: Option<Timestamp>,
}

/// Digests of what an issue was last made to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// The alerts that fire.
    pub(super) set: i64,
    pub(super) title: i64,
    pub(super) region: i64,
    pub(super) labels: i64,
}

impl Told {
    pub(super) fn of(wording: &Wording) -> Self {
        let fires = wording.firing.iter().map(|hash| hash.to_be_bytes());
        Self {
            set: digest(fires),
            title: digest([&wording.title]),
            region: digest([&wording.region]),
            labels: digest(&wording.labels),
        }
    }
}

impl Memory {
    /// What the log remembers, if it is about `project`.
    pub(super) fn of(previous: Option<&NflogEntry>, project: &str) -> Option<Self> {
        let data = &previous?.receiver_data;
        let text = |key: &str| match data.get(key) {
            Some(ReceiverDatum::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let integer = |key: &str| match data.get(key) {
            Some(ReceiverDatum::Integer(integer)) => Some(*integer),
            _ => None,
        };
        let number = |key: &str| u64::try_from(integer(key)?).ok();
        Some(Self {
            project: text(PROJECT).filter(|known| known == project)?,
            at: number(AT)?,
            iid: number(IID)?,
            told: Told {
                set: integer(SET)?,
                title: integer(TITLE)?,
                region: integer(REGION)?,
                labels: integer(LABELS)?,
            },
            checked: integer(CHECKED).and_then(|seconds| Timestamp::from_second(seconds).ok()),
        })
    }

    /// Whether it is `issue` that is remembered.
    pub(super) fn is_of(&self, issue: &Issue) -> bool {
        (self.at, self.iid) == (issue.project_id, issue.iid)
    }

    /// As the log keeps it.
    pub(super) fn data(&self) -> ReceiverData {
        let integer = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let integers = [
            (AT, Some(integer(self.at))),
            (IID, Some(integer(self.iid))),
            (SET, Some(self.told.set)),
            (TITLE, Some(self.told.title)),
            (REGION, Some(self.told.region)),
            (LABELS, Some(self.told.labels)),
            (CHECKED, self.checked.map(Timestamp::as_second)),
        ];
        let integers = integers.into_iter().filter_map(|(key, value)| Some((key, ReceiverDatum::Integer(value?))));
        let all = integers.chain([(PROJECT, ReceiverDatum::Text(self.project.clone()))]);
        all.map(|(key, value)| (key.into(), value)).collect()
    }
}

fn digest(parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> i64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.as_ref().len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    i64::from_be_bytes(std::array::from_fn(|i| digest[i]))
}
