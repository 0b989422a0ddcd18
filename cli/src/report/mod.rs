//! The demo's report: answers of the query library as sections with figures, for the terminal and as one HTML
//! page. Computes nothing that a query can compute.

mod answer;
mod circles;
mod creators;
mod figure;
mod gap;
mod number;
mod page;
mod registration;
mod revenue;
mod rows;
mod section;
mod terminal;
mod year_ago;

use tithe_engine::Session;

use crate::failure::Result;

pub(crate) use page::page;
pub(crate) use section::Section;
pub(crate) use terminal::print;

/// Every section, in the order of reading; `tell` hears which is being worked on.
pub(crate) async fn sections(session: &Session, tell: impl Fn(&str)) -> Result<Vec<Section>> {
    tell("forecasting Taiwan's taxes");
    let mut sections = vec![revenue::section(session).await?];
    tell("estimating creators' incomes");
    sections.push(creators::section(session).await?);
    tell("looking for circular trading");
    sections.push(circles::section(session).await?);
    tell("comparing invoices with VAT returns");
    sections.push(gap::section(session).await?);
    tell("checking registration thresholds");
    sections.push(registration::section(session).await?);
    Ok(sections)
}
