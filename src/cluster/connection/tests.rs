//! Two ends of a connection in memory, and strangers between and beside them.

use tokio::io::{DuplexStream, duplex};

use super::*;

impl Stream for DuplexStream {}

/// What came of a connection on which `frames` were said.
struct Heard {
    frames: Vec<Frame>,
    ended: Broken,
}

fn said() -> [Frame; 3] {
    [Frame::Leave, Frame::Gossip(vec![1, 2, 3]), Frame::Wanted(vec![4])]
}

/// Says `said` with the keys of one side to the keys of the other. Returns what was heard, and every byte of the speaker.
async fn say(ours: Option<&KeyRing>, theirs: Option<&KeyRing>, change: impl Fn(&mut Vec<u8>)) -> (Heard, Vec<u8>) {
    let ((speaking, between_1), (between_2, listening)) = (duplex(1 << 16), duplex(1 << 16));
    let listener = async { hear(Box::new(listening), theirs).await };
    let speaker = async {
        let opened = Speaker::open(Box::new(speaking), ours).await;
        let Ok(mut speaker) = opened else { return };
        said().iter().for_each(|frame| speaker.add(&frame.encode()));
        speaker.flush().await.unwrap();
        speaker.close().await;
    };
    let wire = async { carry(between_1, between_2, change).await };
    let (heard, (), bytes) = tokio::join!(listener, speaker, wire);
    (heard, bytes)
}

/// Carries the openings, then all that the speaker said, changed.
async fn carry(mut from: DuplexStream, mut to: DuplexStream, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let (mut opening, mut answer, mut bytes) = ([0; OPENING], [0; OPENING], Vec::new());
    from.read_exact(&mut opening).await.unwrap();
    to.write_all(&opening).await.unwrap();
    if to.read_exact(&mut answer).await.is_ok() {
        from.write_all(&answer).await.unwrap();
        from.read_to_end(&mut bytes).await.unwrap();
        change(&mut bytes);
        let _ = to.write_all(&bytes).await;
    }
    [opening.to_vec(), bytes].concat()
}

async fn hear(stream: Box<dyn Stream>, keys: Option<&KeyRing>) -> Heard {
    let mut frames = Vec::new();
    let mut listener = match Listener::accept(stream, keys).await {
        Ok((listener, first)) => {
            frames.push(first);
            listener
        }
        Err(ended) => return Heard { frames, ended },
    };
    loop {
        match listener.next().await {
            Ok((frame, _)) => frames.push(frame),
            Err(ended) => return Heard { frames, ended },
        }
    }
}

fn as_it_is(_: &mut Vec<u8>) {}

#[tokio::test]
async fn frames_arrive_with_and_without_keys() {
    for keys in [None, Some(KeyRing::of("a"))] {
        let (heard, _) = say(keys.as_ref(), keys.as_ref(), as_it_is).await;
        assert_eq!(heard.frames, said());
        assert!(matches!(heard.ended, Broken::Io(_)), "{}", heard.ended);
    }
}

#[tokio::test]
async fn a_key_can_be_changed_without_a_gap() {
    for (ours, theirs) in [("a", "ab"), ("ab", "ba"), ("ba", "ab"), ("ba", "b"), ("b", "ba")] {
        let (heard, _) = say(Some(&KeyRing::of(ours)), Some(&KeyRing::of(theirs)), as_it_is).await;
        assert_eq!(heard.frames, said(), "{ours} to {theirs}");
    }
    let (heard, _) = say(Some(&KeyRing::of("ab")), Some(&KeyRing::of("b")), as_it_is).await;
    assert!(heard.frames.is_empty() && matches!(heard.ended, Broken::Forged), "the old key is of no use any more");
}

#[tokio::test]
async fn who_has_no_key_or_another_is_not_heard() {
    let (a, b) = (KeyRing::of("a"), KeyRing::of("b"));
    for (ours, theirs, reason) in
        [(Some(&a), Some(&b), "forged"), (None, Some(&a), "foreign"), (Some(&a), None, "foreign")]
    {
        let (heard, _) = say(ours, theirs, as_it_is).await;
        assert_eq!((heard.frames.len(), heard.ended.reason()), (0, Some(reason)));
    }
}

#[tokio::test]
async fn nothing_can_be_read_or_changed_on_the_way() {
    let keys = KeyRing::of("a");
    let (_, bytes) = say(Some(&keys), Some(&keys), as_it_is).await;
    assert!(!bytes.windows(3).any(|three| three == [1, 2, 3]));
    for at in (0..bytes.len() - OPENING).filter(|at| !(PREFIX - 2..PREFIX).contains(at)) {
        let (heard, _) = say(Some(&keys), Some(&keys), |bytes| bytes[at] ^= 1).await;
        assert!(heard.frames.len() < 3, "byte {at}");
    }
}

#[tokio::test]
async fn a_record_of_a_connection_is_of_no_use() {
    let keys = KeyRing::of("a");
    let (_, recorded) = say(Some(&keys), Some(&keys), as_it_is).await;
    let (mut replaying, listening) = duplex(1 << 16);
    replaying.write_all(&recorded).await.unwrap();
    let heard = hear(Box::new(listening), Some(&keys)).await;
    assert!(heard.frames.is_empty() && matches!(heard.ended, Broken::Forged), "{}", heard.ended);
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_not_waited_for() {
    let (mut stranger, listening) = duplex(1 << 16);
    stranger.write_all(&opening(false, &Random::default())).await.unwrap();
    stranger.write_all(&u32::MAX.to_le_bytes()).await.unwrap();
    let heard = hear(Box::new(listening), None).await;
    assert!(matches!(heard.ended, Broken::TooLong(_)), "{}", heard.ended);
}

#[tokio::test]
async fn bytes_at_random_are_refused() {
    let mut state = 0x5EED_u64;
    let mut random = |length: usize| -> Vec<u8> {
        let byte = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        (0..length).map(byte).collect()
    };
    for round in 0..2_000 {
        let keys = (round % 2 == 0).then(|| KeyRing::of("a"));
        let (mut stranger, listening) = duplex(1 << 16);
        if round % 3 > 0 {
            stranger.write_all(&opening(keys.is_some(), &Random::default())).await.unwrap();
        }
        let mut bytes = random(round % 200);
        if round % 3 == 2 && bytes.len() > 3 {
            bytes[1..4].fill(0);
        }
        stranger.write_all(&bytes).await.unwrap();
        stranger.shutdown().await.unwrap();
        let heard = hear(Box::new(listening), keys.as_ref()).await;
        assert!(keys.is_none() || heard.frames.is_empty());
    }
}
