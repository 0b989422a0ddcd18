//! A lake on an S3-compatible store: moto, from the project's Python environment.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::ObjectStoreExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use tithe_engine::{Engine, EngineOptions, ErrorKind, Principal};
use tithe_testkit::python_or_skip;

/// Set for the part of the test that runs in a process of its own, where the environment is the server's.
const INSIDE: &str = "TITHE_TEST_INSIDE_S3";

struct Server {
    process: Child,
    endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _status = self.process.wait();
    }
}

fn server(python: &Path) -> Server {
    let program = python.with_file_name("moto_server");
    for _attempt in 0..5 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
        let ready = said.by_ref().map_while(Result::ok).any(|line| line.contains("Running on"));
        std::thread::spawn(move || said.for_each(drop));
        if ready {
            return Server { process, endpoint: format!("http://127.0.0.1:{port}") };
        }
        let _status = process.wait();
    }
    panic!("{} does not start", program.display());
}

fn create_bucket(python: &Path, server: &Server, bucket: &str) {
    let script = "import boto3, sys\nboto3.client('s3', endpoint_url=sys.argv[1], region_name='us-east-1', aws_access_key_id='k', aws_secret_access_key='s').create_bucket(Bucket=sys.argv[2])";
    let status = Command::new(python).args(["-c", script, &server.endpoint, bucket]).status().unwrap();
    assert!(status.success());
}

fn store(server: &Server, bucket: &str) -> AmazonS3 {
    AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_endpoint(&server.endpoint)
        .with_allow_http(true)
        .with_region("us-east-1")
        .with_access_key_id("k")
        .with_secret_access_key("s")
        .build()
        .unwrap()
}

fn inside(test: &str, environment: &[(&str, &str)]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env_remove("AWS_REGION")
        .env_remove("AWS_DEFAULT_REGION")
        .env(INSIDE, "1")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn parquet(numbers: &[i64]) -> Vec<u8> {
    let numbers = Arc::new(arrow::array::Int64Array::from(numbers.to_vec())) as arrow::array::ArrayRef;
    let batch = arrow::array::RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_in_a_bucket() {
    let Some(python) = python_or_skip("a_lake_in_a_bucket") else { return };
    let server = server(&python);
    create_bucket(&python, &server, "authority");
    let store = store(&server, "authority");
    let put = async |name: &str, content: Vec<u8>| {
        store.put(&object_store::path::Path::from(name), content.into()).await.unwrap();
    };
    put("lakes/tw/invoice/header/period=11502/a.parquet", parquet(&[1, 2])).await;
    put("lakes/tw/invoice/header/period=11504/a.parquet", parquet(&[4])).await;
    put("lakes/tw/third_party/post_raw/a.jsonl", "{\"n\":7,\"文\":\"團購\"}\n".as_bytes().to_vec()).await;
    put("lakes/tw/third_party/page_raw/a.html", "<p>開箱".as_bytes().to_vec()).await;
    inside(
        "s3::asks_the_bucket",
        &[("AWS_ENDPOINT_URL", &server.endpoint), ("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")],
    );
}

async fn open(lake: &str) -> Result<Arc<Engine>, tithe_engine::EngineError> {
    Engine::open(EngineOptions { lake: Some(lake.parse().unwrap()), ..EngineOptions::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by a_lake_in_a_bucket with the server's environment"]
async fn asks_the_bucket() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let session = open("s3://authority/lakes/tw").await.unwrap().session(Principal::local()).unwrap();
    let value = async |sql: &str| {
        let batches = session.query(sql).await.unwrap().collect().await.unwrap();
        arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string()
    };
    let sum = "SELECT sum(n) AS total FROM invoice.header WHERE period <= '11503'";
    assert!(value(sum).await.contains("| 3 "));
    assert!(value("SELECT \"文\", n FROM third_party.post_raw").await.contains("| 團購 | 7 |"));
    assert!(value("SELECT content FROM third_party.page_raw").await.contains("開箱"));
    let names: Vec<String> =
        session.tables().await.unwrap().into_iter().map(|t| format!("{}.{}", t.schema, t.table)).collect();
    assert_eq!(names, ["invoice.header", "third_party.page_raw", "third_party.post_raw"]);
    let store = AmazonS3Builder::from_env()
        .with_bucket_name("authority")
        .with_allow_http(true)
        .with_region("us-east-1")
        .build()
        .unwrap();
    let later = object_store::path::Path::from("lakes/tw/invoice/header/period=11502/b.parquet");
    store.put(&later, parquet(&[10]).into()).await.unwrap();
    assert!(value(sum).await.contains("| 13 "), "a new object is seen");
    store.put(&later, parquet(&[20]).into()).await.unwrap();
    assert!(value(sum).await.contains("| 23 "), "a replaced object is seen, within the same second as well");
    let missing = session.query("SELECT * FROM invoice.heder").await.unwrap_err().to_string();
    assert_eq!(missing, "table invoice.heder does not exist; did you mean invoice.header?");
    for lake in ["s3://authority/nothing/here", "s3://no-such-bucket/lake"] {
        assert_eq!(open(lake).await.unwrap_err().kind(), ErrorKind::NotFound, "{lake}");
    }
}

#[test]
fn an_unreachable_store_is_told_soon() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    inside(
        "s3::asks_nobody",
        &[
            ("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{free}")),
            ("AWS_ACCESS_KEY_ID", "k"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
        ],
    );
}

#[tokio::test]
#[ignore = "run by an_unreachable_store_is_told_soon"]
async fn asks_nobody() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let began = Instant::now();
    let error = open("s3://authority/lake").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(began.elapsed() < Duration::from_secs(11), "{:?}", began.elapsed());
    let message = error.to_string();
    assert!(message.starts_with("cannot reach s3://authority/lake/: "), "{message}");
    assert!(message.contains("onnection refused") && message.contains("AWS_ENDPOINT_URL"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}
