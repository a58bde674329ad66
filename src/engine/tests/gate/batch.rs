//! Batches of background jobs: handed in at once, taken back, and what becomes of them at the stop.

use std::time::Instant;

use super::*;

/// A gate whose background has one permit, held by a run that `latch` lets go.
fn occupied(latch: usize) -> (Engine, Vec<mpsc::Receiver<Outcome>>) {
    let engine = narrow(2, 8, 8);
    let running = batch(&engine, 1, &held(latch));
    eventually("it runs", || engine.gauges().background_running == 1);
    (engine, running)
}

#[test]
fn a_batch_is_not_bounded_and_runs_on_as_few_threads_as_may_run() {
    let engine = narrow(4, 16, 1);
    let outcomes = batch(&engine, 500, "1");
    all_end_well(&outcomes);
    assert!(engine.gauges().threads <= 3, "{:?}", engine.gauges());
    assert_eq!(engine.submit_all(Vec::new()).map_err(|jobs| jobs.len()), Ok(()));
}

#[test]
fn in_the_background_nobody_is_answered() {
    let engine = narrow(2, 8, 8);
    let outcomes = batch(&engine, 1, "#{ statusCode: 9999 }");
    let outcome = outcomes[0].recv_timeout(PATIENCE).expect("an outcome");
    assert!(outcome.result.is_ok_and(|response| response.body_kind == BodyKind::Empty));
}

#[test]
fn what_has_not_started_is_taken_back_but_for_the_oldest() {
    let (engine, running) = occupied(14);
    let order = Order::default();
    let noting = |name| order.noting(name, "1", Lane::Background);
    let (jobs, outcomes): (Vec<_>, Vec<_>) = ["a", "b", "c", "d", "e"].map(noting).into_iter().unzip();
    let ids: Vec<_> = jobs.iter().map(|job| job.invocation.execution_id).collect();
    assert!(engine.submit_all(jobs).is_ok());
    assert_eq!(engine.take_back(5).len(), 0);
    let back = engine.take_back(2);
    let back_ids: Vec<_> = back.iter().map(|job| job.invocation.execution_id).collect();
    assert_eq!(back_ids, ids[2..]);
    assert_eq!(engine.gauges().background_waiting, 2);
    release(14);
    all_end_well(&running);
    all_end_well(&outcomes[..2]);
    assert_eq!(order.names(), ["a", "b"]);
    assert!(engine.submit_all(back).is_ok(), "they are as they were");
    all_end_well(&outcomes[2..]);
    assert_eq!(order.names(), ["a", "b", "c", "d", "e"]);
    assert_eq!(engine.take_back(0).len(), 0);
}

#[test]
fn an_interactive_job_is_not_taken_back() {
    let (engine, running) = occupied(15);
    let blocking = endless(&engine);
    let order = Order::default();
    let waiting = order.submit(&engine, "waiting", "1");
    assert_eq!(engine.take_back(0).len(), 0);
    assert_eq!(engine.gauges().queued, 1);
    release(15);
    all_end_well(&running);
    engine.stop(Duration::ZERO);
    drop((blocking, waiting));
}

#[test]
fn what_goes_ahead_runs_before_the_backlog_and_is_taken_back_after_it() {
    let engine = narrow(1, 2, 8);
    let first = batch(&engine, 1, &held(28));
    eventually("it runs", || engine.gauges().background_running == 1);
    let order = Order::default();
    let noting = |name: &'static str| order.noting(name, "1", Lane::Background).0;
    engine.submit_all(vec![noting("one"), noting("two")]).map_err(drop).expect("the gate is open");
    engine.submit_ahead(vec![noting("ahead")]).map_err(drop).expect("the gate is open");
    assert_eq!(engine.gauges().background_waiting, 3);
    assert_eq!(engine.take_back(2).len(), 1, "the last of the backlog");
    release(28);
    all_end_well(&first);
    eventually("both ran", || order.names().len() == 2);
    assert_eq!(order.names(), ["ahead", "one"]);
}

#[test]
fn a_closed_gate_gives_the_jobs_back() {
    let engine = narrow(2, 8, 8);
    engine.stop(Duration::ZERO);
    let (jobs, outcomes): (Vec<_>, Vec<_>) =
        (0..3).map(|_| job("1", |job| job.lane = Lane::Background)).unzip();
    let ids: Vec<_> = jobs.iter().map(|job| job.invocation.execution_id).collect();
    let back = engine.submit_all(jobs).expect_err("the gate is closed");
    assert_eq!(back.iter().map(|job| job.invocation.execution_id).collect::<Vec<_>>(), ids);
    assert!(outcomes.iter().all(|outcome| outcome.try_recv().is_err()), "nothing was answered");
}

#[test]
fn stopping_lets_a_backlog_finish() {
    let engine = narrow(2, 8, 8);
    let outcomes = batch(&engine, 50, "1");
    engine.stop(PATIENCE);
    for outcome in outcomes {
        assert!(outcome.try_recv().is_ok_and(|outcome| outcome.result.is_ok()));
    }
    eventually("the threads leave", || engine.gauges().threads == 0);
}

#[test]
fn stopping_answers_the_backlog_that_does_not_end() {
    let engine = narrow(2, 8, 8);
    let outcomes = batch(&engine, 5, "loop {}");
    engine.stop(Duration::ZERO);
    for outcome in outcomes {
        let failure = failure_of(outcome.try_recv().expect("an outcome"));
        assert_eq!(failure.kind, FailureKind::Stopped);
    }
    eventually("the threads leave", || engine.gauges().threads == 0);
}

#[test]
fn a_stop_does_not_wait_for_what_is_taken_back() {
    let (engine, running) = occupied(16);
    let waiting = batch(&engine, 3, "loop {}");
    let stopping = engine.clone();
    let stop = std::thread::spawn(move || stopping.stop(PATIENCE));
    eventually("it is closed", || !engine.is_running());
    assert_eq!(engine.take_back(0).len(), 3);
    release(16);
    stop.join().expect("no panic");
    all_end_well(&running);
    assert!(waiting.iter().all(|outcome| outcome.try_recv().is_err()), "nothing was answered");
    eventually("the threads leave", || engine.gauges().threads == 0);
}

#[test]
fn an_outcome_tells_how_long_its_job_waited() {
    let (engine, running) = occupied(17);
    let blocking = Order::default().submit(&engine, "blocking", &held(17));
    eventually("both permits are taken", || engine.gauges().running == 2);
    let waiting = [batch(&engine, 1, "1"), vec![Order::default().submit(&engine, "interactive", "1")]];
    let came = Instant::now();
    while came.elapsed() < Duration::from_millis(2) {
        std::thread::yield_now();
    }
    let least = came.elapsed();
    release(17);
    all_end_well(&running);
    all_end_well(&[blocking]);
    for outcome in waiting.iter().flatten() {
        let waited = outcome.recv_timeout(PATIENCE).expect("an outcome").waited;
        assert!((least..PATIENCE).contains(&waited), "{waited:?}");
    }
}

#[test]
fn a_batch_outlives_a_thread_that_dies() {
    let engine = narrow(2, 8, 8);
    let (mut jobs, outcomes): (Vec<_>, Vec<_>) =
        (0..4).map(|_| job("1", |job| job.lane = Lane::Background)).unzip();
    jobs[1].done = Box::new(|_| panic!("the thread dies outside of any run"));
    assert!(engine.submit_all(jobs).is_ok());
    all_end_well(&outcomes[..1]);
    all_end_well(&outcomes[2..]);
    eventually("the gate is in order", || engine.gauges() == Gauges { threads: 1, ..Gauges::default() });
}
