//! Types that do not come over the wire as they are.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::TreeNode;
use datafusion::physical_plan::ExecutionPlan;

/// Whether an operator of `plan` yields lists with offsets of 64 bits: arrow-flight 59.3 announces them as lists with
/// offsets of 32 bits, and what arrives is read wrongly.
pub(super) fn has_large_lists(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.exists(|node| Ok(node.schema().fields().iter().any(|field| holds(field.data_type()))))
        .unwrap_or(true)
}

fn holds(kind: &DataType) -> bool {
    match kind {
        DataType::LargeList(_) | DataType::LargeListView(_) => true,
        DataType::List(item)
        | DataType::ListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => holds(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| holds(field.data_type())),
        DataType::Dictionary(_, values) => holds(values),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, Schema};
    use datafusion::physical_plan::empty::EmptyExec;

    use super::*;

    #[test]
    fn large_lists_are_found_wherever_they_are() {
        let found = |kind: DataType| {
            let schema = Schema::new(vec![Field::new("a", kind, true)]);
            has_large_lists(&(Arc::new(EmptyExec::new(Arc::new(schema))) as Arc<dyn ExecutionPlan>))
        };
        let item = |kind| Arc::new(Field::new_list_field(kind, true));
        let large = DataType::LargeList(item(DataType::Int64));
        assert!(found(large.clone()));
        assert!(found(DataType::List(item(large.clone()))));
        assert!(found(DataType::Struct(vec![Field::new("b", large, true)].into())));
        assert!(!found(DataType::List(item(DataType::Int64))));
        assert!(!found(DataType::LargeUtf8));
    }
}
