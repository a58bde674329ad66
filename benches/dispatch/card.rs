//! A model of an SD card: a library that delays fsync, loaded into PostgreSQL alone.

use std::{path::PathBuf, process::Command};

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static void wait5(void) { struct timespec t = {0, 5000000}; nanosleep(&t, 0); }
int fsync(int fd) { wait5(); return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd); }
int fdatasync(int fd) { wait5(); return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd); }
"#;

/// Has the children of this process use it. Picloud syncs nothing of its own.
pub(crate) fn slow_down() -> Result<(), String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (source, library) = (folder.join("card.c"), PathBuf::from("/var/tmp/picloud-bench-card.so"));
    std::fs::write(&source, SOURCE).map_err(|e| e.to_string())?;
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl")
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("the model of a card needs a C compiler: apt-get install gcc libc6-dev".to_owned());
    }
    // Before anything else runs in this process.
    #[expect(unsafe_code, reason = "no other thread runs yet that could read the environment")]
    unsafe {
        std::env::set_var("LD_PRELOAD", &library);
    }
    Ok(())
}
