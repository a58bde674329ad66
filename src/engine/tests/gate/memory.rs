//! The memory of all runs as a limit of the gate.

use super::*;

/// An engine whose runs together may hold two MiB.
fn small() -> Engine {
    engine(|settings| {
        (settings.running, settings.in_flight, settings.memory_of_all) = (4, 8, 2 << 20);
    })
}

/// A script that holds all the memory of such an engine until `latch` lets it go.
fn hoarder(latch: usize) -> String {
    format!("let b = blob(2000000, 1); {}", held(latch))
}

#[test]
fn nothing_starts_while_no_memory_is_left_and_all_goes_on_when_there_is() {
    let engine = small();
    let order = Order::default();
    let first = order.submit(&engine, "hoarder", &hoarder(18));
    eventually("it holds all memory", || engine.memory_taken() == 2 << 20);
    let waiting = [order.submit(&engine, "a", &held(19)), order.submit(&engine, "b", &held(19))];
    let backlog = batch(&engine, 2, &held(19));
    // A thread is called, or made, while a job is handed in: none was.
    let gauges = Gauges { running: 1, in_flight: 1, queued: 2, background_waiting: 2, ..Gauges::default() };
    assert_eq!(engine.gauges(), Gauges { threads: 1, ..gauges });
    release(18);
    all_end_well(&[first]);
    eventually("all of them run", || engine.gauges().running == 4);
    release(19);
    all_end_well(&waiting);
    all_end_well(&backlog);
}

#[test]
fn a_run_that_finds_no_memory_on_its_way_has_a_failure_of_its_own() {
    let engine = small();
    let order = Order::default();
    let source = format!("{}; let b = blob(1500000, 1); 1", held(20));
    let second = order.submit(&engine, "second", &source);
    eventually("it runs", || engine.gauges().running == 1);
    let first = order.submit(&engine, "hoarder", &hoarder(21));
    eventually("the other holds all memory", || engine.memory_taken() == 2 << 20);
    release(20);
    let failure = failure_of(second.recv_timeout(PATIENCE).expect("an outcome"));
    assert_eq!((failure.kind.name(), failure.kind.status()), ("memory_of_all", 503));
    assert_eq!(failure.line, Some(1));
    release(21);
    all_end_well(&[first]);
}

#[test]
fn memory_that_nothing_can_free_does_not_close_the_gate() {
    let engine = small();
    let leak = "fn leak() { let x = #{ big: blob(1500000) }; let f = || x; x.f = f; }\nleak(); 1";
    assert!(run_on(&engine, leak, |_| ()).result.is_ok());
    eventually("it is over", || engine.gauges().in_flight == 0);
    assert!(engine.memory_taken() > 1 << 20, "{}", engine.memory_taken());
    all_end_well(&batch(&engine, 5, "1"));
    eventually("they are over", || engine.gauges().in_flight == 0);
    let order = Order::default();
    let first = order.submit(&engine, "first", &held(22));
    eventually("one runs", || engine.gauges().running == 1);
    let second = order.submit(&engine, "second", "1");
    assert_eq!((engine.gauges().running, engine.gauges().queued), (1, 1), "but one at a time");
    release(22);
    all_end_well(&[first, second]);
}

#[test]
fn who_waits_for_memory_counts_for_the_bound_of_the_queue() {
    let engine = engine(|settings| (settings.queue, settings.memory_of_all) = (1, 2 << 20));
    let order = Order::default();
    let first = order.submit(&engine, "hoarder", &hoarder(23));
    eventually("it holds all memory", || engine.memory_taken() == 2 << 20);
    let waiting = order.submit(&engine, "waiting", "1");
    assert_eq!(engine.submit(job("1", |_| ()).0).err(), Some(Full));
    release(23);
    all_end_well(&[first, waiting]);
}
