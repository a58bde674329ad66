//! graphile-worker on the same server: installed from npm, tuned as its documentation tunes it, and by default.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

const VERSION: &str = "graphile-worker@0.17.3";

/// Adds jobs while no worker runs, then works them off, and prints the seconds between the first and the last.
const PROGRAM: &str = r#"
import { run, runMigrations } from "graphile-worker";
import pg from "pg";
const [socket, rows, tuned] = [process.argv[2], Number(process.argv[3]), process.argv[4] === "tuned"];
const pgPool = new pg.Pool({ host: socket, user: "picloud", database: "picloud", max: tuned ? 20 : 10 });
pgPool.on("error", () => {}); pgPool.on("connect", (client) => client.on("error", () => {}));
await runMigrations({ pgPool });
for (let added = 0; added < rows; added += 1000) {
  await pgPool.query("select graphile_worker.add_jobs(array(select json_populate_record(null::graphile_worker.job_spec, '{\"identifier\": \"noop\", \"payload\": {}}') from generate_series(1, $1)))", [Math.min(1000, rows - added)]);
}
let left = rows, first, done;
const finished = new Promise((resolve) => { done = resolve; });
const noop = () => { first ??= performance.now(); if (--left === 0) done(performance.now()); };
const quiet = { error() {}, warn() {}, info() {}, debug() {} };
const { Logger } = await import("graphile-worker");
const preset = tuned
  ? { worker: { concurrentJobs: 24, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } }
  : { worker: {} };
const began = performance.now();
const runner = await run({ pgPool, taskList: { noop }, preset, logger: new Logger(() => () => {}) });
const end = await finished;
console.log(((end - Math.max(began, first ?? began)) / 1000).toString());
await runner.stop();
await pgPool.end();
process.exit(0);
"#;

/// graphile-worker, installed.
pub(crate) struct Graphile {
    folder: PathBuf,
    socket: String,
}

impl Graphile {
    /// Installs it where it is not yet.
    pub(crate) fn install(socket: &str) -> Result<Self, String> {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("graphile");
        std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
        if !folder.join("node_modules/graphile-worker").exists() {
            let installed = Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--silent", VERSION, "pg@8"])
                .current_dir(&folder)
                .env_remove("LD_PRELOAD")
                .status();
            if !installed.is_ok_and(|status| status.success()) {
                return Err(format!("the peer is missing: npm install {VERSION}"));
            }
        }
        std::fs::write(folder.join("drain.mjs"), PROGRAM).map_err(|e| e.to_string())?;
        Ok(Self { folder, socket: socket.to_owned() })
    }

    /// Works off `rows` trivial jobs; the seconds that took.
    pub(crate) fn drain(&self, rows: u32, tuned: bool) -> Result<f64, String> {
        let output = Command::new("node")
            .args(["drain.mjs", &self.socket, &rows.to_string(), if tuned { "tuned" } else { "default" }])
            .current_dir(&self.folder)
            .env_remove("LD_PRELOAD")
            .stderr(Stdio::inherit())
            .output()
            .map_err(|e| format!("node: {e}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        said.trim().parse().map_err(|_| format!("graphile-worker said {said:?}"))
    }
}
