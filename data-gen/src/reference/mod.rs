//! The fixed lists: bureaus, counties, taxes, industries, goods, names, phrases, agencies, priors, weights of links.

mod agency;
mod category;
mod county;
mod industry;
mod link_weight;
mod names;
mod phrase;
mod prior;
mod table_text;
mod tax_type;

pub(crate) use agency::{Agency, agencies};
pub(crate) use category::{Category, category_by_weight};
pub(crate) use county::{Bureau, County, bureaus, counties, county_by_population};
pub(crate) use industry::{Industry, Product, industries, industry_by_weight};
pub(crate) use link_weight::{LinkWeight, link_weights};
pub(crate) use names::words;
pub(crate) use phrase::{Fill, fill, phrases};
pub(crate) use prior::{Prior, priors};
pub(crate) use tax_type::{TaxType, tax_types};
