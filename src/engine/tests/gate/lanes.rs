//! The two lanes: what is kept for whom, and who goes first.

use super::*;

/// Background runs that use a core, and those that wait to start.
fn background(engine: &Engine) -> (u32, u32) {
    let gauges = engine.gauges();
    (gauges.background_running, gauges.background_waiting)
}

#[test]
fn a_backlog_never_has_all_permits() {
    let engine = narrow(4, 16, 8);
    let backlog = batch(&engine, 5, &held(3));
    eventually("the background has its share", || background(&engine) == (3, 2));
    for _ in 0..20 {
        assert_eq!(body_of(run_on(&engine, "7", |_| ())), "7");
    }
    eventually("they are over", || engine.gauges().in_flight == 3);
    assert_eq!(background(&engine), (3, 2), "and no more than that");
    release(3);
    all_end_well(&backlog);
}

#[test]
fn a_backlog_never_has_all_places_in_flight() {
    let engine = narrow(4, 4, 8);
    let backlog = batch(&engine, 5, "sleep(1000)");
    let asleep = Gauges { in_flight: 3, background_waiting: 2, threads: 3, ..Gauges::default() };
    eventually("as many sleep as may", || engine.gauges() == asleep);
    assert_eq!(body_of(run_on(&engine, "7", |_| ())), "7");
    eventually("it is over", || engine.gauges().in_flight == 3);
    assert_eq!(background(&engine), (0, 2));
    engine.stop(Duration::ZERO);
    for outcome in backlog {
        let failure = failure_of(outcome.recv_timeout(PATIENCE).expect("an outcome"));
        assert_eq!(failure.kind, FailureKind::Stopped);
    }
}

#[test]
fn a_quarter_is_kept_and_at_least_one() {
    let slots = |in_flight| narrow(1, in_flight, 1).background_slots();
    let slots: Vec<_> = [0, 1, 2, 3, 8, 48, 128].map(slots).into();
    assert_eq!(slots, [1, 1, 1, 2, 6, 36, 96]);
}

#[test]
fn interactive_runs_may_have_everything() {
    let engine = narrow(2, 2, 8);
    let (first, second) = (endless(&engine), endless(&engine));
    let backlog = batch(&engine, 1, "1");
    assert_eq!(
        engine.gauges(),
        Gauges { running: 2, in_flight: 2, background_waiting: 1, threads: 2, ..Gauges::default() }
    );
    engine.stop(Duration::ZERO);
    for outcome in [first, second].into_iter().chain(backlog) {
        let failure = failure_of(outcome.recv_timeout(PATIENCE).expect("an outcome"));
        assert_eq!(failure.kind, FailureKind::Stopped);
    }
}

#[test]
fn where_one_may_run_an_interactive_job_runs_beside_the_background() {
    for (in_flight, latches) in [(1, [4, 5]), (8, [6, 7])] {
        let engine = narrow(1, in_flight, 8);
        let backlog = batch(&engine, 2, &held(latches[0]));
        eventually("one runs", || background(&engine) == (1, 1));
        assert_eq!(body_of(run_on(&engine, "7", |_| ())), "7");
        eventually("it is over", || engine.gauges().in_flight == 1);
        let order = Order::default();
        let first = order.submit(&engine, "first", &held(latches[1]));
        eventually("it runs beside", || engine.gauges().running == 2);
        let second = order.submit(&engine, "second", "1");
        assert_eq!(engine.gauges().queued, 1, "but not two of them");
        assert_eq!(engine.gauges().threads, 2);
        release(latches[1]);
        all_end_well(&[first, second]);
        eventually("they are over", || engine.gauges().in_flight == 1);
        assert_eq!(background(&engine), (1, 1));
        release(latches[0]);
        all_end_well(&backlog);
    }
}

#[test]
fn where_one_may_run_the_background_does_not_run_beside_it() {
    let engine = narrow(1, 8, 8);
    let order = Order::default();
    let running = order.submit(&engine, "running", &held(8));
    eventually("it runs", || engine.gauges().running == 1);
    let backlog = batch(&engine, 1, "1");
    assert_eq!((background(&engine), engine.gauges().threads), ((0, 1), 1));
    release(8);
    all_end_well(&[running]);
    all_end_well(&backlog);
}

/// Hands in jobs that each note their name, behind one that holds the only
/// permit there is for them, and says in which order they ended.
fn in_turn(latch: usize, interactive: &[&'static str], backlog: &[&'static str]) -> Vec<&'static str> {
    let engine = narrow(2, 8, 64);
    let _other = endless(&engine);
    let order = Order::default();
    let mut outcomes = vec![order.submit(&engine, "first", &held(latch))];
    eventually("both permits are taken", || engine.gauges().running == 2);
    let noting = |name: &&'static str| order.noting(name, "1", Lane::Background);
    let (jobs, later): (Vec<_>, Vec<_>) = backlog.iter().map(noting).unzip();
    assert!(engine.submit_all(jobs).is_ok());
    outcomes.extend(later);
    outcomes.extend(interactive.iter().map(|name| order.submit(&engine, name, "1")));
    release(latch);
    all_end_well(&outcomes);
    engine.stop(Duration::ZERO);
    let names = order.names();
    assert_eq!(names[0], "first");
    names[1..].to_vec()
}

#[test]
fn interactive_jobs_go_first_and_each_lane_in_its_order() {
    let order = in_turn(9, &["a", "b", "c"], &["1", "2", "3"]);
    assert_eq!(order, ["a", "b", "c", "1", "2", "3"]);
}

#[test]
fn one_start_in_eight_is_the_backgrounds_while_both_wait() {
    let order = in_turn(10, &["i"; 20], &["b"; 3]).concat();
    assert_eq!(order, "iiiiiiib".repeat(2) + "iiiiii" + "b");
}

#[test]
fn a_background_run_resumes_within_the_share() {
    let engine = narrow(2, 8, 8);
    let sleeper = batch(&engine, 1, "sleep(1); 1");
    eventually("it sleeps", || is_asleep(&engine));
    let other = batch(&engine, 1, &held(11));
    eventually("the sleeper wants its permit back", || engine.gauges().resuming == 1);
    assert_eq!(body_of(run_on(&engine, "7", |_| ())), "7", "what is kept is free");
    eventually("it is over", || engine.gauges().in_flight == 2);
    assert_eq!((engine.gauges().resuming, background(&engine)), (1, (1, 0)));
    release(11);
    all_end_well(&other);
    all_end_well(&sleeper);
}

#[test]
fn an_interactive_run_resumes_before_a_background_run_that_may_not() {
    let engine = narrow(2, 8, 8);
    let order = Order::default();
    let sleeper = batch(&engine, 1, "sleep(1); 1");
    eventually("it sleeps", || is_asleep(&engine));
    let other = batch(&engine, 1, &held(12));
    eventually("the sleeper wants its permit back", || engine.gauges().resuming == 1);
    let interactive = order.submit(&engine, "interactive", "sleep(0.01); 1");
    all_end_well(&[interactive]);
    eventually("it is over", || engine.gauges().in_flight == 2);
    assert_eq!(engine.gauges().resuming, 1);
    release(12);
    all_end_well(&other);
    all_end_well(&sleeper);
}

#[test]
fn a_background_run_that_wakes_up_goes_before_new_interactive_work() {
    let engine = narrow(2, 8, 8);
    let order = Order::default();
    let (sleeper, woken) = order.noting("sleeper", "sleep(1); 1", Lane::Background);
    assert!(engine.submit_all(vec![sleeper]).is_ok());
    eventually("it sleeps", || is_asleep(&engine));
    let _other = endless(&engine);
    let busy = order.submit(&engine, "busy", &held(13));
    let later = order.submit(&engine, "later", "1");
    eventually("it wants its permit back", || engine.gauges().resuming == 1);
    assert_eq!(engine.gauges().queued, 1);
    release(13);
    all_end_well(&[busy, woken, later]);
    assert_eq!(order.names(), ["busy", "sleeper", "later"]);
    engine.stop(Duration::ZERO);
}
