//! What the hand takes in, and that it lets everything go again.

use proptest::prelude::*;

use super::{super::sample::claimed, *};
use crate::{
    base::id::AppId,
    events::{Refusal, settle},
};

const MIB: usize = 1 << 20;

/// A row that was claimed, with a body of this many bytes.
fn row(body: usize) -> (Key, Held) {
    held(claimed(AppId::new(), body))
}

fn held(row: Claimed) -> (Key, Held) {
    let begun = settle::refused(&row, &Refusal::gone("no"));
    ((row.execution_id, row.attempt), Held::claimed(row, begun))
}

/// A hand that holds epoch 1 and has looked: nothing waits.
fn quiet() -> Hand {
    let mut hand = Hand::default();
    hand.begin(1);
    hand.backlog = false;
    hand
}

/// Whether the hand takes a fresh row of an app that has none in it.
fn takes(hand: &Hand, epoch: i64) -> bool {
    hand.takes_fresh(epoch, AppId::new(), 32)
}

/// The head of a request may have 256 KiB.
#[test]
fn payloads_weigh_as_bodies_do() {
    let mut hand = quiet();
    for rows in 0..32 {
        assert!(!hand.is_heavy(), "{rows} rows");
        let mut row = claimed(AppId::new(), 0);
        row.payload = "x".repeat(256 << 10);
        let (key, held) = held(row);
        hand.hold(key, held);
    }
    let (key, held) = row(1);
    hand.hold(key, held);
    assert!(hand.is_heavy());
}

#[test]
fn bodies_beyond_8_mib_leave_no_room_until_one_goes() {
    let mut hand = quiet();
    let mut keys = Vec::new();
    while !hand.is_heavy() {
        assert!(takes(&hand, 1), "{} rows", keys.len());
        let (key, held) = row(MIB + 1);
        hand.hold(key, held);
        keys.push(key);
        assert!(keys.len() <= 8, "there is no bound");
    }
    assert_eq!(keys.len(), 8);
    assert!(!takes(&hand, 1));
    hand.let_go(keys[3]).expect("it is held");
    assert!(!hand.is_heavy() && takes(&hand, 1));
    // One that is larger than the bound is not kept out of an empty hand.
    let mut hand = quiet();
    let (key, held) = row(12 * MIB);
    hand.hold(key, held);
    assert!(hand.is_heavy());
    hand.begin(2);
    assert!(!hand.is_heavy(), "what another epoch held weighs nothing");
    hand.backlog = false;
    assert!(takes(&hand, 2));
}

/// What the database frees that we do not hold must not be taken in hand meanwhile.
#[test]
fn while_rows_may_be_astray_nothing_fresh_is_taken() {
    let mut hand = quiet();
    assert!(takes(&hand, 1) && hand.doubtful().is_none());
    hand.lost_an_answer();
    assert!(!takes(&hand, 1));
    let (key, held) = row(0);
    let (id, app) = (held.id, held.begun.app_id);
    hand.hold(key, held);
    assert_eq!(hand.doubtful(), Some(vec![id]));
    assert!(!takes(&hand, 1), "it was asked and has not answered");
    hand.reconciled(false);
    assert!(takes(&hand, 1) && hand.doubtful().is_none());
    assert!(!takes(&hand, 2), "another epoch's row is not ours");
    hand.lost_an_answer();
    hand.reconciled(true);
    assert!(!hand.takes_fresh(1, app, 32), "what was freed waits before it");
}

/// One app's backlog does not keep another's single row waiting.
#[test]
fn where_rows_wait_an_app_with_none_in_hand_has_its_turn() {
    let mut hand = quiet();
    hand.backlog = true;
    let (loud, shy) = (AppId::new(), AppId::new());
    for _ in 0..100 {
        let (key, held) = held(claimed(loud, 0));
        hand.hold(key, held);
    }
    assert!(!hand.takes_fresh(1, loud, 32), "its rows wait");
    assert!(hand.takes_fresh(1, shy, 32));
    let (key, held) = held(claimed(shy, 0));
    hand.hold(key, held);
    assert!(!hand.takes_fresh(1, shy, 32), "one at a time");
    assert!(!hand.takes_fresh(1, AppId::new(), 2), "so many apps as find room");
    hand.let_go(key).expect("it is held");
    assert!(hand.takes_fresh(1, shy, 32));
    hand.backlog = false;
    assert!(!hand.takes_fresh(1, loud, 32), "there is no room beside what is in hand");
    assert!(hand.takes_fresh(1, loud, 200));
}

/// What is not settled yet is not astray, whatever became of it.
#[test]
fn the_database_is_told_of_every_row_that_is_not_written_yet() {
    let mut hand = quiet();
    let fail = |held: &Held| Failed {
        id: held.id,
        started_at: crate::base::time::Timestamp::now(),
        errors: Vec::new(),
        wait: Duration::ZERO,
    };
    let rows: Vec<Held> = (0..6).map(|_| row(0).1).collect();
    let mut ids: Vec<OutboxId> = rows.iter().map(|held| held.id).collect();
    hand.settled.done.push(rows[0].id);
    hand.settled.freed.push(rows[1].id);
    hand.settled.unrun.push(rows[2].id);
    hand.settled.again.push(fail(&rows[3]));
    hand.settled.buried.push(fail(&rows[4]));
    hand.stuck.push(fail(&rows[5]));
    let (key, held) = row(0);
    ids.push(held.id);
    hand.hold(key, held);
    hand.lost_an_answer();
    let mut told = hand.doubtful().expect("rows may be astray");
    told.sort();
    ids.sort();
    assert_eq!(told, ids);
}

/// What happens to a hand: rows by their number among those that live.
#[derive(Clone, Copy, Debug)]
enum Act {
    Hold,
    End(usize),
    NotRun(usize),
    Begin,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => Just(Act::Hold),
        2 => any::<usize>().prop_map(Act::End),
        2 => any::<usize>().prop_map(Act::NotRun),
        1 => Just(Act::Begin),
    ];
    prop::collection::vec(act, 1..60)
}

proptest! {
    #[test]
    fn nothing_is_kept_of_a_row_whose_run_has_ended_or_never_will_be(acts in acts()) {
        let mut hand = quiet();
        let (mut living, mut epoch) = (Vec::new(), 1);
        let ends = std::iter::repeat_n(Act::End(0), acts.len());
        for act in acts.iter().copied().chain(ends) {
            match act {
                Act::Hold => {
                    let (key, held) = row(10);
                    hand.hold(key, held);
                    living.push((key, epoch));
                }
                Act::Begin => {
                    epoch += 1;
                    hand.begin(epoch);
                }
                Act::End(_) | Act::NotRun(_) if living.is_empty() => {}
                Act::End(which) => {
                    let (key, of) = living.swap_remove(which % living.len());
                    let held = hand.let_go(key);
                    prop_assert_eq!(held.is_some(), of == epoch);
                    prop_assert_eq!(hand.let_go_void(key).is_some(), of != epoch, "its run is recorded");
                }
                Act::NotRun(which) => {
                    let (key, of) = living.swap_remove(which % living.len());
                    prop_assert_eq!(hand.let_go_unrun(key).is_some(), of == epoch, "only ours is given back");
                }
            }
            prop_assert_eq!(hand.held.len() + hand.void.len(), living.len());
        }
        prop_assert_eq!((hand.held.len(), hand.void.len(), hand.bytes), (0, 0, 0));
    }
}
