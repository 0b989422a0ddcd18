//! A job whose lake is in a bucket, on an S3-compatible server: moto, from the project's Python environment.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tithe_testkit::python_or_skip;

use crate::job_support::{WORK, job, place_with_entries};
use crate::support::{Place, Ran, send, wait_until};

pub(crate) const BUCKET: &str = "s3://authority/lake";

pub(crate) struct Server {
    process: Child,
    endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _status = self.process.wait();
    }
}

pub(crate) fn server(python: &Path) -> Server {
    for _attempt in 0..5 {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
        let mut process = Command::new(python.with_file_name("moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto");
        let mut said = BufReader::new(process.stderr.take().expect("standard error")).lines();
        let ready = said.by_ref().map_while(Result::ok).any(|line| line.contains("Running on"));
        std::thread::spawn(move || said.for_each(drop));
        if ready {
            return Server { process, endpoint: format!("http://127.0.0.1:{port}") };
        }
        let _status = process.wait();
    }
    panic!("moto does not start");
}

/// A lake in a bucket, and the folder that `tithe` runs in.
pub(crate) struct Bucket<'p> {
    pub(crate) python: &'p Path,
    pub(crate) server: &'p Server,
    pub(crate) place: Place,
}

impl Bucket<'_> {
    /// Runs Python with `s3`, a client of the server, and gives what it printed.
    pub(crate) fn python(&self, script: &str) -> String {
        let client = "import sys, boto3\ns3 = boto3.client('s3', endpoint_url=sys.argv[1], region_name='us-east-1', \
                      aws_access_key_id='k', aws_secret_access_key='s')\n";
        let output = Command::new(self.python)
            .args(["-c", &format!("{client}{script}"), &self.server.endpoint])
            .current_dir(self.place.folder())
            .output()
            .expect("Python");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command
            .env("AWS_ENDPOINT_URL", &self.server.endpoint)
            .env("AWS_ACCESS_KEY_ID", "k")
            .env("AWS_SECRET_ACCESS_KEY", "s")
            .env_remove("AWS_REGION")
            .env_remove("AWS_DEFAULT_REGION");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().expect("tithe runs").into()
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("tithe starts")
    }

    fn entries(&self) -> usize {
        let count = "print(s3.list_objects_v2(Bucket='authority', Prefix='lake/out/result/_jobs/job/log/')['KeyCount'])";
        self.python(count).trim().parse().expect("a number")
    }
}

const RUN: [&str; 5] = ["job", "run", "job.toml", "--lake", BUCKET];

#[test]
fn killed_and_cancelled_in_a_bucket_it_goes_on_where_it_was() {
    const GROUPS: u32 = 200;
    let Some(python) = python_or_skip("killed_and_cancelled_in_a_bucket_it_goes_on_where_it_was") else {
        return;
    };
    let server = server(&python);
    let bucket = Bucket { python: &python, server: &server, place: place_with_entries(GROUPS) };
    bucket.python(
        "s3.create_bucket(Bucket='authority')\ns3.upload_file('lake/sales/entry/a.parquet', 'authority', \
         'lake/sales/entry/a.parquet')",
    );
    bucket.place.write("job.toml", job(WORK, "overwrite-partition", "concurrency = 2\nlease = \"3s\""));
    for round in 0..4_u64 {
        let before = bucket.entries();
        let mut child = bucket.start(&RUN);
        wait_until("the job to record something", || {
            bucket.entries() > before + 1 || child.try_wait().expect("a process").is_some()
        });
        if round == 0 && child.try_wait().expect("a process").is_none() {
            let refused = bucket.run(&RUN).failure(5);
            assert!(refused.contains("it is being run by process"), "{refused}");
        }
        std::thread::sleep(Duration::from_millis(40 * round));
        if child.try_wait().expect("a process").is_some_and(|status| status.success()) {
            // A fast machine may be done before the last rounds.
            assert!(round > 1, "it was done before it was killed twice: give it more to do");
            continue;
        }
        match round {
            3 => {
                let cancelled = bucket.run(&["job", "cancel", "job.toml", "--lake", BUCKET]);
                assert_eq!(cancelled.code, Some(0), "{}", cancelled.stderr);
                assert_eq!(child.wait().expect("its end").code(), Some(130));
            }
            _ => {
                send("KILL", &child);
                child.wait().expect("its end");
            }
        }
    }
    let ran = bucket.run(&RUN);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("200 of 200 partitions are there"), "{}", ran.stderr);
    let again = bucket.run(&RUN);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    let ask = "SELECT count(*) AS n, count(DISTINCT n) AS different, sum(twice) AS twice, count(DISTINCT k) AS k FROM out.result";
    let answer = bucket.run(&["sql", "--lake", BUCKET, "--format", "csv", "-c", ask]).result();
    assert_eq!(answer, "n,different,twice,k\n600,600,359400,200\n");
    // Every object is whole under its name, and what is not finished is nowhere.
    let files = bucket.python(
        "for page in s3.get_paginator('list_objects_v2').paginate(Bucket='authority', Prefix='lake/out/result/k='):\n \
         for found in page['Contents']: print(found['Key'])",
    );
    let files: Vec<&str> = files.lines().collect();
    assert_eq!(files.len(), 200);
    assert!(files.iter().all(|name| name.ends_with("/job.parquet")), "{files:?}");
    let verified = bucket.run(&["job", "verify", "job.toml", "--lake", BUCKET, "--sample", "3"]);
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    let restarted = bucket.run(&["job", "run", "job.toml", "--lake", BUCKET, "--restart"]);
    assert_eq!(restarted.code, Some(0), "{}", restarted.stderr);
    assert_eq!(bucket.run(&["sql", "--lake", BUCKET, "--format", "csv", "-c", ask]).result(), answer);
}
