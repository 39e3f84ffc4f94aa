//! Silences through one router while the other is away.

use super::clients::{self, karma};
use super::report;
use super::stage::{Stage, WEB1, nothing_more, until};
use crate::cluster::nodes::{sees, set_silence, silence, silences};

#[test]
fn s5_a_silence_holds_on_a_router_that_was_away_and_an_ended_one_stays_ended() {
    let mut stage = Stage::start();
    // One that both know, and that is ended while the second is away.
    let ended = set_silence(&stage.machines[0].router, None, "ProbeFailed", "ended meanwhile");
    until("both know it", || stage.machines.iter().all(|machine| silences(&machine.router).len() == 1).then_some(()));
    stage.machines[1].router.kill();
    sees(&stage.machines[0].router, &["mon1"]);
    let first = &stage.machines[0].router;
    first.client().delete(&format!("/api/v2/silence/{ended}")).ok();
    let made = silence(first, "NodeDown");

    stage.machines[1].router.launch();
    stage.see_each_other();
    until("both know both", || {
        let known = stage.machines.each_ref().map(|machine| silences(&machine.router));
        (known[0].len() == 2 && known[0] == known[1]).then_some(())
    });
    clients::agree(&stage);

    // It holds where it was not made, also alone.
    stage.machines[0].router.kill();
    sees(&stage.machines[1].router, &["mon2"]);
    stage.network.cut(WEB1);
    let second = stage.machines[1].router.client();
    until("the router that was away mutes what fires", || (karma(&second).silenced == 1).then_some(()));
    let mut wanted = vec![(ended, "expired".to_owned()), (made, "active".to_owned())];
    wanted.sort();
    let sinks = &stage.sinks;
    nothing_more(|| {
        let told = sinks.said("#web").len() + sinks.mailbox("web-oncall").len() + sinks.issues("web/site").len();
        (told > 0 || states(&stage) != wanted).then(|| (states(&stage), report::everything(sinks)))
    });
    // A third start, from its own disk.
    stage.machines[1].router.stop();
    stage.machines[1].router.launch();
    let sinks = &stage.sinks;
    assert_eq!(states(&stage), wanted);
    let remarks = "the one holds on mon2, the other stays ended, also after a restart; what #ops hears is that mon1's router is away";
    report::write(
        5,
        "A silence is made and another ended through mon1 while mon2's router is away; then mon1's goes away, and the target fails",
        report::everything(sinks),
        remarks,
    );
}

/// The silences of the second router: id and state.
fn states(stage: &Stage) -> Vec<(String, String)> {
    silences(&stage.machines[1].router).into_iter().map(|[id, state, _]| (id, state)).collect()
}
