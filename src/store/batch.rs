//! What the statements share that write many rows at once: the rows come as
//! arrays, one for each column, and those of apps that are gone are left out.

/// One column of `rows`, to be bound as an array.
pub(super) fn column<'r, R, T>(rows: &'r [R], value: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// The common table `living`: which of the apps in the array `$apps` are there.
///
/// They are locked against removal until the rows that name them are written,
/// else the foreign key of one row could fail all; in the order of their ids, so
/// that two who write do not wait for one another.
macro_rules! living {
    ($apps:literal) => {
        concat!(
            "living as (
                 select id from apps where id = any(",
            $apps,
            ") and deleted_at is null order by id for key share
             )"
        )
    };
}

pub(super) use living;
