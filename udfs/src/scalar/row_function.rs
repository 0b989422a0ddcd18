//! What the scalar functions share: one value a row, from the row's own values alone, NULL where an argument is
//! NULL. The functions themselves give only types and an evaluation over arrays.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::types::{logical_date, logical_string};
use datafusion::common::{Result, internal_err};
use datafusion::functions::utils::make_scalar_function;
use datafusion::logical_expr::function::Hint;
use datafusion::logical_expr::{
    Coercion, ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, TypeSignature, TypeSignatureClass, Volatility,
};

use crate::documentation::FunctionDoc;
use crate::registry::{FunctionEntry, Implementation};

/// Whether rows without a NULL argument always have a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Totality {
    /// Every value has a result: the column is nullable only where an argument is.
    Total,
    /// Values that cannot be read give NULL.
    Partial,
}

#[derive(Debug)]
pub(super) struct RowFunction {
    doc: &'static FunctionDoc,
    documentation: Documentation,
    signature: Signature,
    totality: Totality,
    result_type: fn(&[DataType]) -> DataType,
    check_call: fn(&ReturnFieldArgs) -> Result<()>,
    evaluate: fn(&[ArrayRef]) -> Result<ArrayRef>,
}

impl RowFunction {
    /// A function of one text. `evaluate` gets arrays of any string type; those after the first have one row when
    /// the call gives a constant.
    pub(super) fn of_text(
        doc: &'static FunctionDoc,
        totality: Totality,
        result_type: fn(&[DataType]) -> DataType,
        evaluate: fn(&[ArrayRef]) -> Result<ArrayRef>,
    ) -> Self {
        Self {
            doc,
            documentation: doc.to_datafusion(),
            signature: Signature::coercible(vec![text()], Volatility::Immutable),
            totality,
            result_type,
            check_call: |_| Ok(()),
            evaluate,
        }
    }

    /// The same function over other argument types.
    pub(super) fn with_arguments(mut self, signatures: &[&[Argument]]) -> Self {
        let alternatives = signatures
            .iter()
            .map(|arguments| TypeSignature::Coercible(arguments.iter().map(Argument::coercion).collect()))
            .collect();
        self.signature = Signature::one_of(alternatives, Volatility::Immutable);
        self
    }

    /// The same function with a check of its constant arguments when the query is planned.
    pub(super) fn with_check(mut self, check_call: fn(&ReturnFieldArgs) -> Result<()>) -> Self {
        self.check_call = check_call;
        self
    }

    pub(super) fn into_entry(self) -> FunctionEntry {
        FunctionEntry {
            doc: self.doc,
            implementation: Implementation::Scalar(Arc::new(ScalarUDF::from(self))),
        }
    }
}

/// The type of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    Text,
    Date,
}

impl Argument {
    fn coercion(&self) -> Coercion {
        match self {
            Self::Text => text(),
            Self::Date => Coercion::new_exact(TypeSignatureClass::Native(logical_date())),
        }
    }
}

fn text() -> Coercion {
    Coercion::new_exact(TypeSignatureClass::Native(logical_string()))
}

/// The array of a function with one argument.
pub(super) fn only(arguments: &[ArrayRef]) -> Result<&ArrayRef> {
    match arguments {
        [array] => Ok(array),
        _ => internal_err!("a function of one argument was called with {}", arguments.len()),
    }
}

impl PartialEq for RowFunction {
    fn eq(&self, other: &Self) -> bool {
        self.doc.name == other.doc.name
    }
}

impl Eq for RowFunction {}

impl Hash for RowFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.doc.name.hash(state);
    }
}

impl ScalarUDFImpl for RowFunction {
    fn name(&self) -> &str {
        self.doc.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, argument_types: &[DataType]) -> Result<DataType> {
        Ok((self.result_type)(argument_types))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        (self.check_call)(&args)?;
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable =
            self.totality == Totality::Partial || args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), (self.result_type)(&types), nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut hints = vec![Hint::AcceptsSingular; args.args.len()];
        if let Some(first) = hints.first_mut() {
            *first = Hint::Pad;
        }
        make_scalar_function(self.evaluate, hints)(&args.args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
