//! Tells the functions of a series which backend their session asks for.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, plan_datafusion_err};
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{AggregateUDF, Expr, WindowFunctionDefinition};

use crate::aggregate::with_backend;
use crate::backend::{BACKEND_OPTION, Backend, check_backend, requested_backend};

/// Puts the backend into the functions of a plan while it is analysed: at every execution of a prepared one too, and
/// in windows as in groups. Functions that differ in nothing else are equal, and so are their plans.
#[derive(Debug)]
pub(crate) struct SessionBackend;

impl FunctionRewrite for SessionBackend {
    fn name(&self) -> &'static str {
        "session_backend"
    }

    /// # Errors
    /// When the session asks for a backend that cannot be had.
    fn rewrite(&self, expr: Expr, _schema: &DFSchema, config: &ConfigOptions) -> Result<Transformed<Expr>> {
        match expr {
            Expr::ScalarFunction(mut call) => {
                match crate::scalar::with_backend(&call.func, || asked_for(call.func.name(), config))? {
                    Some(function) => {
                        call.func = function;
                        Ok(Transformed::yes(Expr::ScalarFunction(call)))
                    }
                    None => Ok(Transformed::no(Expr::ScalarFunction(call))),
                }
            }
            Expr::AggregateFunction(mut call) => match told(&call.func, config)? {
                Some(function) => {
                    call.func = function;
                    Ok(Transformed::yes(Expr::AggregateFunction(call)))
                }
                None => Ok(Transformed::no(Expr::AggregateFunction(call))),
            },
            Expr::WindowFunction(mut call) => {
                if let WindowFunctionDefinition::AggregateUDF(function) = &call.fun
                    && let Some(function) = told(function, config)?
                {
                    call.fun = WindowFunctionDefinition::AggregateUDF(function);
                    return Ok(Transformed::yes(Expr::WindowFunction(call)));
                }
                Ok(Transformed::no(Expr::WindowFunction(call)))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

/// Whether `expr` is a call of a function whose work is worth a device, and takes long without one.
#[must_use]
pub fn is_worth_a_device(expr: &Expr) -> bool {
    let any = || Ok(Backend::Cpu);
    let of = |function: &AggregateUDF| with_backend(function, any).is_ok_and(|told| told.is_some());
    match expr {
        Expr::ScalarFunction(call) => {
            crate::scalar::with_backend(&call.func, any).is_ok_and(|told| told.is_some())
        }
        Expr::AggregateFunction(call) => of(&call.func),
        Expr::WindowFunction(call) => match &call.fun {
            WindowFunctionDefinition::AggregateUDF(function) => of(function),
            WindowFunctionDefinition::WindowUDF(_) => false,
        },
        _ => false,
    }
}

/// The function told the backend of its session; `None` for one that does not ask.
fn told(function: &AggregateUDF, config: &ConfigOptions) -> Result<Option<Arc<AggregateUDF>>> {
    with_backend(function, || asked_for(function.name(), config))
}

/// The backend that a session asks for, for `function`.
///
/// # Errors
/// When it cannot be had.
fn asked_for(function: &str, config: &ConfigOptions) -> Result<Backend> {
    let refused = |error| plan_datafusion_err!("{function}: {error}");
    let options = config.extensions.iter().flat_map(|(_, options)| options.entries());
    let named = options.into_iter().find(|entry| entry.key == BACKEND_OPTION);
    let backend = requested_backend(named.and_then(|entry| entry.value).as_deref()).map_err(refused)?;
    check_backend(backend).map_err(refused)?;
    Ok(backend)
}
