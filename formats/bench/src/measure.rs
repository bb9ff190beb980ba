//! One reading: how long the processor was busy with it, and how much memory it took.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use cpu_time::ProcessTime;

use crate::Failure;

/// Something that reads a file.
pub(crate) struct Reader {
    /// What the table calls it. Unique.
    pub(crate) name: &'static str,
    pub(crate) work: Work,
}

pub(crate) enum Work {
    /// Reads the file and counts what is in it, this many times.
    Rust(fn(&Path) -> Result<usize, Failure>, u32),
    /// The same in Python: a script that defines `read(path)`.
    Python(&'static str),
}

/// What a child says of its reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// User and system time of one reading, in seconds.
    pub(crate) cpu: f64,
    /// The peak of resident memory, in MiB.
    pub(crate) peak: f64,
    /// How many things it found.
    pub(crate) count: usize,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.cpu, self.peak, self.count)
    }
}

impl FromStr for Sample {
    type Err = Failure;

    fn from_str(line: &str) -> Result<Self, Failure> {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [cpu, peak, count] => {
                Ok(Self { cpu: cpu.parse()?, peak: peak.parse()?, count: count.parse()? })
            }
            _ => Err(format!("not a sample: {line}").into()),
        }
    }
}

/// In the child: takes the sample.
pub(crate) fn sample(reader: &Reader, file: &Path) -> Result<Sample, Failure> {
    let Work::Rust(read, times) = reader.work else { return Err("not for a child".into()) };
    let begin = ProcessTime::now();
    let mut count = 0;
    for _ in 0..times {
        count = std::hint::black_box(read(file)?);
    }
    let cpu = begin.elapsed().as_secs_f64() / f64::from(times);
    Ok(Sample { cpu, peak: peak()?, count })
}

/// The peak of resident memory of this process. 0 where the system does not say.
fn peak() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).unwrap_or("0");
    Ok(kib.parse::<f64>()? / 1024.0)
}

/// In the parent: has a child take the sample.
pub(crate) fn child(reader: &Reader, file: &Path) -> Result<Sample, Failure> {
    let mut command = match reader.work {
        Work::Rust(..) => {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["read", reader.name]);
            command
        }
        Work::Python(script) => {
            let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
            let mut command = Command::new(python);
            command.arg("-c").arg([script, PYTHON_SAMPLE].concat());
            command
        }
    };
    let output = command.arg(file).output()?;
    if !output.status.success() {
        let errout = String::from_utf8_lossy(&output.stderr);
        return Err(errout.trim().lines().last().unwrap_or("no message").to_owned().into());
    }
    str::from_utf8(&output.stdout)?.parse()
}

const PYTHON_SAMPLE: &str = r#"
import sys, time
begin = time.process_time()
count = read(sys.argv[1])
cpu = time.process_time() - begin
status = open("/proc/self/status").read()
print(cpu, int(status.split("VmHWM:")[1].split()[0]) / 1024, count)
"#;
