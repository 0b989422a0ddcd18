//! A predicate of one text column that is asked once for each text, not once for each row.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_common::physical_expr::proto_encode::PhysicalExprEncodeCtx;
use datafusion_proto::protobuf::PhysicalExprNode;

use super::text_memory::TextMemory;
use crate::execute::one_input;

/// Answers what `predicate` answers, which must always be the same for the same text.
pub(crate) struct OncePerText {
    predicate: Arc<dyn PhysicalExpr>,
    column: Column,
    /// `predicate` over a batch of that column alone.
    of_one_column: Arc<dyn PhysicalExpr>,
    /// One for each thread that asks at the same time.
    memories: Mutex<Vec<TextMemory>>,
}

impl OncePerText {
    /// # Errors
    /// When `predicate` reads no column, or several.
    pub(crate) fn new(predicate: Arc<dyn PhysicalExpr>) -> Result<Self> {
        let mut columns = collect_columns(&predicate).into_iter();
        let (Some(column), None) = (columns.next(), columns.next()) else {
            return internal_err!(
                "a predicate that is asked once for each text reads one column: {predicate}"
            );
        };
        let of_one_column = Arc::clone(&predicate)
            .transform(|part| {
                Ok(match part.downcast_ref::<Column>() {
                    Some(column) => {
                        Transformed::yes(Arc::new(Column::new(column.name(), 0)) as Arc<dyn PhysicalExpr>)
                    }
                    None => Transformed::no(part),
                })
            })
            .data()?;
        Ok(Self { predicate, column, of_one_column, memories: Mutex::default() })
    }
}

impl PhysicalExpr for OncePerText {
    fn data_type(&self, _schema: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.predicate.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let texts = self.column.evaluate(batch)?.into_array(batch.num_rows())?;
        let field = Field::new(self.column.name(), texts.data_type().clone(), true);
        let schema = Arc::new(Schema::new(vec![field]));
        let ask = |texts: &ArrayRef| {
            let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::clone(texts)])?;
            let answers = self.of_one_column.evaluate(&batch)?.into_array(texts.len())?;
            match answers.as_boolean_opt() {
                Some(answers) => Ok(answers.clone()),
                None => internal_err!("a predicate answers with {}: {}", answers.data_type(), self.predicate),
            }
        };
        let memories = || self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = memories().pop().unwrap_or_default();
        let answers = memory.answer(&texts, ask)?;
        memories().push(memory);
        Ok(ColumnarValue::Array(Arc::new(answers)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.predicate]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let predicate = one_input("a predicate that is asked once for each text", children)?;
        Ok(Arc::new(Self::new(predicate)?))
    }

    /// Travels as the predicate itself: a worker makes this of it again.
    fn try_to_proto(&self, context: &PhysicalExprEncodeCtx<'_>) -> Result<Option<PhysicalExprNode>> {
        context.encode_child(&self.predicate).map(Some)
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.predicate.fmt_sql(f)
    }
}

impl fmt::Display for OncePerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "once_per_text({})", self.predicate)
    }
}

impl fmt::Debug for OncePerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OncePerText").field("predicate", &self.predicate).finish_non_exhaustive()
    }
}

impl PartialEq for OncePerText {
    fn eq(&self, other: &Self) -> bool {
        self.predicate.eq(&other.predicate)
    }
}

impl Eq for OncePerText {}

impl Hash for OncePerText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.predicate.hash(state);
    }
}
