//! Functions without a module name: our own in place of Rhai's, and the methods of `ctx`.

use std::time::{Duration, Instant};

use rhai::{Blob, EvalAltResult, FuncRegistration, Map, Module};

use crate::engine::{call, checked, natives};

/// Builds the module of functions that every engine has without a prefix.
pub(in crate::engine) fn base() -> Module {
    let mut module = Module::new();
    natives::register(&mut module);
    checked::register(&mut module);
    FuncRegistration::new("sleep").with_volatility(true).set_into_module(&mut module, sleep_seconds);
    FuncRegistration::new("sleep").with_volatility(true).set_into_module(&mut module, sleep_fraction);
    FuncRegistration::new("body_bytes")
        // `ctx` is constant, and only a pure function may be called on a constant.
        .with_purity(true)
        .with_volatility(true)
        .set_into_module(&mut module, body_bytes);
    module.build_index();
    module
}

fn sleep_seconds(seconds: i64) -> Result<(), Box<EvalAltResult>> {
    sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn sleep_fraction(seconds: f64) -> Result<(), Box<EvalAltResult>> {
    // Not a number and what is negative are no time at all; what no `Duration` holds is for ever.
    let span = if seconds > 0.0 {
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    } else {
        Duration::ZERO
    };
    sleep(span)
}

/// Waits without a running permit, and ends at the run's deadline at the latest.
fn sleep(span: Duration) -> Result<(), Box<EvalAltResult>> {
    if span.is_zero() {
        return Ok(());
    }
    let now = Instant::now();
    // What the clock cannot count to lies beyond every deadline.
    let until = now.checked_add(span).unwrap_or(now + Duration::from_secs(86_400));
    call::pause(until)
}

/// `ctx.request.body_bytes()`: the body as it came.
fn body_bytes(_request: &mut Map) -> Blob {
    call::raw_body().to_vec()
}
