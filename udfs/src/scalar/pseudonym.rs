use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::types::logical_string;
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::functions::utils::make_scalar_function;
use datafusion::logical_expr::{
    Coercion, ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, TypeSignatureClass, Volatility,
};

use super::text_rows::{normalise, text_rows};
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::pseudonym_key::PseudonymKey;
use crate::registry::{FunctionEntry, Implementation};

static DOC: FunctionDoc = FunctionDoc {
    name: "pseudonym",
    kind: FunctionKind::Scalar,
    section: "Privacy",
    summary: "Gives a keyed pseudonym: the same for the same value, and worth nothing without the key.",
    description: "Two tables that hold the same identifier can be joined on its pseudonym without showing it. A digest \
                  without a key would be undone in minutes by trying every identifier; this one needs the key, which \
                  the operator gives in a file (`--pseudonym-key FILE`, `TITHE_PSEUDONYM_KEY_FILE`, or \
                  `pseudonym_key_file` in tithe.toml) and no query can read or choose. Values are compared in their \
                  plain form: half-width, without blank space around them. The pseudonym begins with a name of the \
                  key, so that values from before and after a change of key are never mistaken for each other. \
                  Pseudonyms in different domains have nothing in common.",
    syntax: "pseudonym(value, domain)",
    arguments: &[
        ArgumentDoc { name: "value", sql_type: "VARCHAR", description: "The identifier to hide." },
        ArgumentDoc {
            name: "domain",
            sql_type: "VARCHAR",
            description: "What it identifies, such as 'taxpayer'. Columns that shall be joined take the same.",
        },
    ],
    returns: "VARCHAR of 41 characters: eight of the key's name, a hyphen, and 128 bits of HMAC-SHA-256 in hexadecimal.",
    nulls: "NULL where an argument is NULL.",
    errors: "A plan-time error where no key was given.",
    source: "HMAC: RFC 2104, with SHA-256 of FIPS 180-4, over the length of the domain in eight bytes, the domain and \
             the value.",
    examples: &[Example {
        sql: "SELECT length(pseudonym('A123456789', 'taxpayer')) AS length, pseudonym('A123456789', 'taxpayer') = pseudonym(' Ａ123456789', 'taxpayer') AS joins, pseudonym('A123456789', 'taxpayer') = pseudonym('A123456789', 'creator') AS across_domains",
        result: "
+--------+-------+----------------+
| length | joins | across_domains |
+--------+-------+----------------+
| 41     | true  | false          |
+--------+-------+----------------+
",
    }],
};

/// Without a key it can be looked up and documented, and not called.
pub(super) fn entry() -> FunctionEntry {
    FunctionEntry { doc: &DOC, implementation: Implementation::Scalar(Arc::new(pseudonym(None))) }
}

/// The function with the key that it uses.
pub(crate) fn pseudonym(key: Option<Arc<PseudonymKey>>) -> ScalarUDF {
    let text = || Coercion::new_exact(TypeSignatureClass::Native(logical_string()));
    ScalarUDF::from(Pseudonym {
        key,
        documentation: DOC.to_datafusion(),
        signature: Signature::coercible(vec![text(), text()], Volatility::Immutable),
    })
}

#[derive(Debug)]
struct Pseudonym {
    key: Option<Arc<PseudonymKey>>,
    documentation: Documentation,
    signature: Signature,
}

impl Pseudonym {
    fn key_id(&self) -> Option<&str> {
        self.key.as_deref().map(PseudonymKey::id)
    }
}

impl PartialEq for Pseudonym {
    fn eq(&self, other: &Self) -> bool {
        self.key_id() == other.key_id()
    }
}

impl Eq for Pseudonym {}

impl Hash for Pseudonym {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key_id().hash(state);
    }
}

impl ScalarUDFImpl for Pseudonym {
    fn name(&self) -> &str {
        DOC.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _argument_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        if self.key.is_none() {
            return plan_err!(
                "pseudonym needs a key: make one with `head -c 32 /dev/urandom > FILE`, and name it with \
                 --pseudonym-key FILE or `pseudonym_key_file` in tithe.toml"
            );
        }
        let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), DataType::Utf8, nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(key) = self.key.clone() else { return internal_err!("pseudonym was planned without a key") };
        make_scalar_function(move |arguments: &[ArrayRef]| evaluate(&key, arguments), vec![])(&args.args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

fn evaluate(key: &PseudonymKey, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let [values, domains] = arguments else {
        return internal_err!("pseudonym of two arguments was called with {}", arguments.len());
    };
    let pseudonyms: StringArray = text_rows(values)?
        .zip(text_rows(domains)?)
        .map(|(value, domain)| Some(key.pseudonym(domain?, normalise(value?).trim())))
        .collect();
    Ok(Arc::new(pseudonyms))
}
