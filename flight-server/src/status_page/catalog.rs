//! The tables that whoever looks may see, and what the policy comes to for them.

use std::net::SocketAddr;

use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use tithe_engine::{TableFormat, TableInfo, VisibleRows, VisibleTable};

use super::answer::Refusal;
use super::viewer::Viewer;
use super::{StatusPage, answer, html};

pub(super) async fn page(
    page: &StatusPage,
    headers: &HeaderMap,
    peer: SocketAddr,
) -> Result<Response, Refusal> {
    let viewer = page.viewer(headers, peer).await?;
    let tables = tables(page, &viewer).await?;
    Ok(answer::page(&html::catalog(&viewer, &tables)))
}

pub(super) async fn json(
    page: &StatusPage,
    headers: &HeaderMap,
    peer: SocketAddr,
) -> Result<Response, Refusal> {
    let viewer = page.viewer(headers, peer).await?;
    let tables = tables(page, &viewer).await?;
    let tables: Vec<Value> = tables
        .iter()
        .map(|(info, visible)| {
            json!({
                "schema": info.schema,
                "table": info.table,
                "format": format(info.format),
                "rows": rows(&visible.rows),
                "privileges": visible.privileges,
            })
        })
        .collect();
    Ok(answer::json(&json!({
        "user": viewer.principal.name,
        "groups": viewer.policy.memberships.groups,
        "roles": viewer.policy.memberships.roles,
        "policy": viewer.policy.version,
        "tables": tables,
    })))
}

pub(super) async fn table(
    page: &StatusPage,
    headers: &HeaderMap,
    peer: SocketAddr,
    schema: &str,
    table: &str,
) -> Result<Response, Refusal> {
    let viewer = page.viewer(headers, peer).await?;
    let (session, of, named) = (viewer.session.clone(), schema.to_owned(), table.to_owned());
    let visible = page.apart(async move { session.visible_table(&of, &named).await }).await?;
    Ok(answer::page(&html::table(&viewer, schema, table, &visible)))
}

async fn tables(page: &StatusPage, viewer: &Viewer) -> Result<Vec<(TableInfo, VisibleTable)>, Refusal> {
    let session = viewer.session.clone();
    let tables = page.apart(async move { session.tables().await }).await?;
    let seen = tables.into_iter().map(|info| {
        let visible = viewer.session.visible(&info.schema, &info.table);
        (info, visible)
    });
    Ok(seen.collect())
}

/// What its files are, in a word.
pub(super) fn format(format: TableFormat) -> &'static str {
    match format {
        TableFormat::Parquet => "Parquet",
        TableFormat::JsonLines => "JSON lines",
        TableFormat::Text => "text",
        TableFormat::Temporary => "temporary",
        TableFormat::Unreadable => "unreadable",
    }
}

/// Which rows, in words.
pub(super) fn rows(rows: &VisibleRows) -> String {
    match rows {
        VisibleRows::All => "all".to_owned(),
        VisibleRows::Filtered => "some, by rule".to_owned(),
        VisibleRows::Groups(group) => format!("groups of {group}"),
    }
}
