//! `docs/configuration.md`, made of the slice of keys.

use std::fmt::Write;

use super::{Config, KEYS};
use crate::system::hardware::Hardware;

const HEAD: &str = "\
# Configuration

<!-- Made by `picloud config reference > docs/configuration.md`; a test compares the two. -->

PiCloud runs without any configuration. What is set is taken, each overriding the ones before it, from

1. the defaults, some of which follow from the machine (`picloud doctor` says why);
2. `/etc/picloud/picloud.toml`, or the file that `--config` names;
3. variables of the environment, `PICLOUD_...`;
4. flags of the command line.

`picloud config show` prints each value with where it came from. A name that does not exist or a value that is not
allowed stops the start with exit code 78, in every layer and even where a later one would override it; all faults
are told at once.

In the file, numbers and `true` or `false` stand as they are, everything else in quotes; sizes may be numbers of bytes,
and host names and addresses a list:

```toml
listen = \"0.0.0.0:8080\"
body_limit = \"2MiB\"
own_names = [\"pi.example.org\"]
claim_window = { minutes = 10, from = \"boot\" }
```

## Keys
";

/// The document, in Markdown.
pub fn reference() -> String {
    let machine = Hardware { model: None, cores: 1, memory: 0, host_name: String::new() };
    let mut defaults = Config::defaults(&machine);
    let mut page = HEAD.to_owned();
    for key in KEYS {
        let default = match key.slot.show(&mut defaults) {
            _ if key.sized => "follows from the machine".to_owned(),
            value if value.is_empty() => "nothing".to_owned(),
            value => format!("`{value}`"),
        };
        let (name, variable, flag) = (key.name, key.variable(), key.flag());
        // Writing to text cannot fail.
        let _ = write!(
            page,
            "\n### {name}\n{}\n\n`{variable}`, `--{flag}`. Default: {default}. Allowed: {}.\n",
            key.doc,
            key.slot.allowed()
        );
    }
    page
}
