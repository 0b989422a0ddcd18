//! What runs once for several operators, each time that their plan is run.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::TryStreamExt;

use super::kept::Kept;

/// The runs of one part of a plan. A run belongs to the context in which the whole plan is run: a plan may be kept and run many
/// times, also several times at once, and rules may put its operators together again.
pub(super) struct SharedRuns {
    /// Tells it from others of the plan.
    pub(super) number: usize,
    /// The operators that read it.
    pub(super) readers: usize,
    running: Mutex<Vec<(Weak<TaskContext>, Arc<Run>)>>,
}

impl fmt::Debug for SharedRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRuns").field("number", &self.number).finish_non_exhaustive()
    }
}

/// One of them.
struct Run {
    /// The input of the operator that was the first to be run; those of the others are not.
    input: Arc<dyn ExecutionPlan>,
    partitions: Vec<Mutex<Option<Arc<Kept>>>>,
}

impl SharedRuns {
    pub(super) fn new(number: usize, readers: usize) -> Self {
        Self { number, readers, running: Mutex::default() }
    }

    /// The rows of a partition, of an operator with this `input`.
    ///
    /// # Errors
    /// When the input cannot be run.
    pub(super) fn rows(
        &self,
        input: &Arc<dyn ExecutionPlan>,
        partition: usize,
        context: Arc<TaskContext>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<SendableRecordBatchStream> {
        let run = self.run(input, &context);
        let kept = run.kept(partition, self.readers, &context, metrics)?;
        let rows = match kept.read() {
            Some(rows) => rows,
            // All that were to read it have done so, and somebody reads again.
            None => reset_plan_states(Arc::clone(input))?.execute(partition, context)?,
        };
        let metrics = BaselineMetrics::new(metrics, partition);
        let rows = rows.map_ok(move |rows| rows.record_output(&metrics));
        Ok(make_cooperative(Box::pin(RecordBatchStreamAdapter::new(input.schema(), rows))))
    }

    /// The run in `context`.
    fn run(&self, input: &Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> Arc<Run> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // While somebody points at it weakly, no other context has its address.
        running.retain(|(within, _)| within.strong_count() > 0);
        let own = Arc::downgrade(context);
        if let Some((_, run)) = running.iter().find(|(within, _)| within.ptr_eq(&own)) {
            return Arc::clone(run);
        }
        let partitions = input.output_partitioning().partition_count();
        let partitions = (0..partitions).map(|_| Mutex::default()).collect();
        let run = Arc::new(Run { input: Arc::clone(input), partitions });
        running.push((own, Arc::clone(&run)));
        run
    }
}

impl Run {
    /// The rows of `partition`, to be read by `readers`.
    fn kept(
        &self,
        partition: usize,
        readers: usize,
        context: &Arc<TaskContext>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Arc<Kept>> {
        let kept = self.partitions.get(partition);
        let kept =
            kept.ok_or_else(|| internal_datafusion_err!("a shared input has no partition {partition}"))?;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref() {
            return Ok(Arc::clone(kept));
        }
        let rows = self.input.execute(partition, Arc::clone(context))?;
        let new = Arc::new(Kept::new(rows, partition, readers, context, metrics));
        *kept = Some(Arc::clone(&new));
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use arrow::array::AsArray;
    use arrow::array::{Int64Array, RecordBatch};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
    use datafusion::common::{DataFusionError, exec_datafusion_err};
    use datafusion::execution::memory_pool::GreedyMemoryPool;
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
    use futures::{StreamExt, stream};

    use super::*;

    /// Ten batches, and perhaps something else instead of the last.
    #[derive(Debug)]
    struct Source {
        schema: SchemaRef,
        last: Last,
        executed: AtomicUsize,
    }

    #[derive(Debug, Clone, Copy)]
    enum Last {
        Batch,
        Error,
        Panic,
    }

    impl PartitionStream for Source {
        fn schema(&self) -> &SchemaRef {
            &self.schema
        }

        fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
            self.executed.fetch_add(1, Ordering::SeqCst);
            let (schema, last) = (Arc::clone(&self.schema), self.last);
            let batches = stream::iter(0..10).then(move |number| {
                let schema = Arc::clone(&schema);
                async move {
                    tokio::task::yield_now().await;
                    match (number, last) {
                        (9, Last::Error) => Err(exec_datafusion_err!("the disk is gone")),
                        (9, Last::Panic) => panic!("never seen"),
                        _ => {
                            let column = Int64Array::from_iter_values(number * 100..number * 100 + 100);
                            Ok(RecordBatch::try_new(schema, vec![Arc::new(column)])?)
                        }
                    }
                }
            });
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
        }
    }

    struct Test {
        source: Arc<Source>,
        input: Arc<dyn ExecutionPlan>,
        runs: SharedRuns,
        metrics: ExecutionPlanMetricsSet,
    }

    impl Test {
        fn new(last: Last) -> Self {
            let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
            let source =
                Arc::new(Source { schema: Arc::clone(&schema), last, executed: AtomicUsize::new(0) });
            let partitions: Vec<Arc<dyn PartitionStream>> = vec![Arc::clone(&source) as _];
            let input = StreamingTableExec::try_new(schema, partitions, None, None, false, None).unwrap();
            let metrics = ExecutionPlanMetricsSet::new();
            Self { source, input: Arc::new(input), runs: SharedRuns::new(1, 2), metrics }
        }

        fn rows(&self, context: &Arc<TaskContext>) -> SendableRecordBatchStream {
            self.runs.rows(&self.input, 0, Arc::clone(context), &self.metrics).unwrap()
        }

        fn executed(&self) -> usize {
            self.source.executed.load(Ordering::SeqCst)
        }
    }

    async fn numbers(mut rows: SendableRecordBatchStream) -> Result<Vec<i64>> {
        let mut all = Vec::new();
        while let Some(batch) = rows.next().await {
            all.extend(batch?.column(0).as_primitive::<Int64Type>().values());
        }
        Ok(all)
    }

    fn context() -> Arc<TaskContext> {
        Arc::default()
    }

    fn all() -> Vec<i64> {
        (0..1000).collect()
    }

    #[tokio::test]
    async fn one_after_the_other() {
        let test = Test::new(Last::Batch);
        for runs in 1..4 {
            let context = context();
            assert_eq!(numbers(test.rows(&context)).await.unwrap(), all());
            assert_eq!(numbers(test.rows(&context)).await.unwrap(), all());
            assert_eq!(test.executed(), runs);
        }
    }

    #[tokio::test]
    async fn in_turns_and_one_that_stops() {
        let test = Test::new(Last::Batch);
        let context = context();
        let (mut stops, mut goes_on) = (test.rows(&context), test.rows(&context));
        for _ in 0..3 {
            assert_eq!(stops.next().await.unwrap().unwrap(), goes_on.next().await.unwrap().unwrap());
        }
        drop(stops);
        assert_eq!(numbers(goes_on).await.unwrap(), all()[300..]);
        assert_eq!(test.executed(), 1);
    }

    #[tokio::test]
    async fn one_that_waits_does_not_need_the_other() {
        let test = Test::new(Last::Batch);
        let context = context();
        // Begun first, and never asked for a row.
        let waits = test.rows(&context);
        assert_eq!(numbers(test.rows(&context)).await.unwrap(), all());
        assert_eq!(numbers(waits).await.unwrap(), all());
        assert_eq!(test.executed(), 1);
    }

    #[tokio::test]
    async fn at_the_same_time() {
        let test = Arc::new(Test::new(Last::Batch));
        for _ in 0..50 {
            let context = context();
            let readers = (0..2).map(|_| tokio::spawn(numbers(test.rows(&context))));
            for reader in readers.collect::<Vec<_>>() {
                assert_eq!(reader.await.unwrap().unwrap(), all());
            }
        }
        assert_eq!(test.executed(), 50);
    }

    #[tokio::test]
    async fn whoever_comes_too_late_runs_it_again() {
        let test = Test::new(Last::Batch);
        let context = context();
        for executed in [1, 1, 2, 3] {
            assert_eq!(numbers(test.rows(&context)).await.unwrap(), all());
            assert_eq!(test.executed(), executed);
        }
        // Also when a reader was sent away before all rows had come.
        let another = super::tests::context();
        let mut stops = test.rows(&another);
        stops.next().await.unwrap().unwrap();
        drop(stops);
        assert_eq!(numbers(test.rows(&another)).await.unwrap(), all());
    }

    #[tokio::test]
    async fn rows_beyond_the_memory_lie_on_disk() {
        let test = Test::new(Last::Batch);
        for bytes in [0, 2000] {
            let pool = Arc::new(GreedyMemoryPool::new(bytes));
            let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().unwrap();
            let context = Arc::new(TaskContext::default().with_runtime(Arc::clone(&runtime)));
            let (mut first, second) = (test.rows(&context), test.rows(&context));
            first.next().await.unwrap().unwrap();
            assert_eq!(numbers(second).await.unwrap(), all());
            assert_eq!(runtime.memory_pool.reserved() > 0, bytes > 0);
            assert_eq!(numbers(first).await.unwrap(), all()[100..]);
            assert_eq!(runtime.memory_pool.reserved(), 0);
        }
        assert_eq!(test.metrics.clone_inner().spill_count(), Some(10 + 8));
    }

    #[tokio::test]
    async fn all_are_told_what_went_wrong() {
        for (last, told) in [(Last::Error, "the disk is gone"), (Last::Panic, "never seen")] {
            let test = Test::new(last);
            let context = context();
            for rows in [test.rows(&context), test.rows(&context)] {
                let error: DataFusionError = numbers(rows).await.unwrap_err();
                assert!(error.to_string().contains(told), "{error}");
            }
            assert_eq!(test.executed(), 1);
        }
    }
}
