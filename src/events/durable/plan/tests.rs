//! Whose turn it is within a batch.

use proptest::prelude::*;

use super::{super::sample::claimed, *};
use crate::base::id::OutboxId;

/// The rows of `app` in the order in which they are there.
fn of(app: AppId, rows: &[Claimed]) -> Vec<OutboxId> {
    rows.iter().filter(|row| row.app_id == app).map(|row| row.id).collect()
}

/// For each row, how many of its app's are there up to it.
fn turns(rows: &[Claimed]) -> Vec<usize> {
    (1..=rows.len()).map(|to| of(rows[to - 1].app_id, &rows[..to]).len()).collect()
}

#[test]
fn one_apps_single_row_is_not_behind_anothers_many() {
    let (many, single) = (AppId::new(), AppId::new());
    let mut rows: Vec<Claimed> = (0..100).map(|_| claimed(many, 0)).collect();
    rows.push(claimed(single, 0));
    let rows = in_turns(rows);
    assert_eq!(rows.iter().position(|row| row.app_id == single), Some(1));
}

proptest! {
    #[test]
    fn the_nth_rows_of_all_apps_come_before_any_ones_next(
        batch in prop::collection::vec(0_usize..6, 0..120),
    ) {
        let apps: [AppId; 6] = std::array::from_fn(|_| AppId::new());
        let came: Vec<Claimed> = batch.into_iter().map(|app| claimed(apps[app], 0)).collect();
        let turn = in_turns(came.clone());
        prop_assert_eq!(turn.len(), came.len());
        for app in apps {
            prop_assert_eq!(of(app, &turn), of(app, &came), "an app's rows stay in their order");
        }
        let numbers = turns(&turn);
        prop_assert!(numbers.is_sorted(), "{:?}", numbers);
        let place = |row: &Claimed| came.iter().position(|other| other.id == row.id);
        let rounds: Vec<(usize, Option<usize>)> = numbers.into_iter().zip(turn.iter().map(place)).collect();
        prop_assert!(rounds.is_sorted(), "within a turn they stay as they came: {:?}", rounds);
    }
}
