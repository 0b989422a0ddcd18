use std::fs::File;
use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use super::links::{LinkRows, LinkTables};
use super::{Count, Work};
use crate::calendar::day;
use crate::community::{
    Community, Creator, Kind, Taxpayer, creators, documents, payslips, tax_due, withheld,
};
use crate::error::GenerateError;
use crate::random::{Stream, Topic, to_whole};
use crate::tables::{
    CHANNELS, ChannelDocument, CreatorIncomeRow, DONATIONS, DocumentRow, IncomeReturnRow, LinkRow, PAGES,
    POSTS, PaymentRow, PlatformReportRow, RemittanceRow, TaxpayerRow, VIDEOS, WithholdingRow, donations,
    pages, posts, videos,
};
use crate::write::{Compression, JsonLines, Lines, Record, Table};

/// A community's rows for the tables that are written in order.
#[derive(Default)]
struct Made {
    taxpayers: Vec<TaxpayerRow>,
    withholding: Vec<WithholdingRow>,
    returns: Vec<IncomeReturnRow>,
    payments: Vec<PaymentRow>,
    remittances: Vec<RemittanceRow>,
    reports: Vec<PlatformReportRow>,
    incomes: Vec<CreatorIncomeRow>,
    links: Vec<LinkRow>,
    link_rows: LinkRows,
    documents: Vec<DocumentRow>,
    channels: Lines,
    videos: Lines,
    posts: Lines,
    donations: Lines,
    pages: u64,
}

/// Taxpayers, what they earn and declare, and what creators show in public.
pub(super) fn write(work: &Work<'_>) -> Result<Vec<Count>, GenerateError> {
    let communities: Vec<u64> = (0..work.layout.communities()).collect();
    let mut taxpayers = create::<TaxpayerRow>(work)?;
    let mut withholding = create::<WithholdingRow>(work)?;
    let mut returns = create::<IncomeReturnRow>(work)?;
    let mut payments = create::<PaymentRow>(work)?;
    let mut remittances = create::<RemittanceRow>(work)?;
    let mut reports = create::<PlatformReportRow>(work)?;
    let mut incomes = create::<CreatorIncomeRow>(work)?;
    let mut links = create::<LinkRow>(work)?;
    let mut link_tables = LinkTables::create(work)?;
    let mut document_truth = create::<DocumentRow>(work)?;
    let lines =
        |table, file: &str, compression| JsonLines::create(&work.staging.path(table).join(file), compression);
    let mut channel_lines = lines(CHANNELS, "part-00000.jsonl", Compression::None)?;
    let mut video_lines = lines(VIDEOS, "part-00000.jsonl.gz", Compression::Gzip)?;
    let mut post_lines = lines(POSTS, "part-00000.jsonl", Compression::None)?;
    let mut donation_lines = lines(DONATIONS, "part-00000.jsonl", Compression::None)?;
    let mut page_count = 0;
    work.in_order(
        &communities,
        |&index| make(work, index),
        |made| {
            taxpayers.extend(made.taxpayers)?;
            withholding.extend(made.withholding)?;
            returns.extend(made.returns)?;
            payments.extend(made.payments)?;
            remittances.extend(made.remittances)?;
            reports.extend(made.reports)?;
            incomes.extend(made.incomes)?;
            links.extend(made.links)?;
            link_tables.extend(made.link_rows)?;
            document_truth.extend(made.documents)?;
            channel_lines.append(&made.channels)?;
            video_lines.append(&made.videos)?;
            post_lines.append(&made.posts)?;
            donation_lines.append(&made.donations)?;
            page_count += made.pages;
            Ok(())
        },
    )?;
    let mut counts = vec![
        (TaxpayerRow::TABLE, taxpayers.close()?),
        (WithholdingRow::TABLE, withholding.close()?),
        (IncomeReturnRow::TABLE, returns.close()?),
        (PaymentRow::TABLE, payments.close()?),
        (RemittanceRow::TABLE, remittances.close()?),
        (PlatformReportRow::TABLE, reports.close()?),
        (CreatorIncomeRow::TABLE, incomes.close()?),
        (LinkRow::TABLE, links.close()?),
        (DocumentRow::TABLE, document_truth.close()?),
        (CHANNELS, channel_lines.close()?),
        (VIDEOS, video_lines.close()?),
        (POSTS, post_lines.close()?),
        (DONATIONS, donation_lines.close()?),
        (PAGES, page_count),
    ];
    counts.extend(link_tables.close()?);
    Ok(counts)
}

fn create<R: Record>(work: &Work<'_>) -> Result<Table<R>, GenerateError> {
    Table::create(&work.staging.path(R::TABLE).join("part-00000.parquet"))
}

fn make(work: &Work<'_>, index: u64) -> Result<Made, GenerateError> {
    let community = Community::build(work.seed, &work.layout, index);
    let creators = creators(work.seed, &work.layout, &community);
    let mut made = Made::default();
    let mut next_creator = creators.iter().peekable();
    for (at, person) in community.taxpayers.iter().enumerate() {
        let creator = next_creator.next_if(|creator| creator.taxpayer == at);
        if let Kind::Individual { .. } = person.kind {
            file_income(work.seed, &community, person, creator, &mut made);
        }
        pay_local_taxes(work.seed, person, &mut made);
    }
    made.link_rows.register(&community, &creators);
    for creator in &creators {
        tell_truth(&community, creator, &mut made);
        report_abroad(work.seed, &community, creator, &mut made);
        publish(work, &community, creator, &mut made)?;
    }
    let taxpayers = community.taxpayers.len() as u64;
    made.taxpayers = community.taxpayers.into_iter().map(TaxpayerRow).collect();
    work.progress.advance(taxpayers, "tax.taxpayer");
    Ok(made)
}

/// Withholding statements, income tax returns and their payments.
fn file_income(
    seed: u64,
    community: &Community,
    person: &Taxpayer,
    creator: Option<&Creator>,
    made: &mut Made,
) {
    let firms: Vec<_> = community.firms().collect();
    for (at, year) in crate::calendar::YEARS.into_iter().enumerate() {
        let part = u32::try_from(year).unwrap_or(0);
        let mut random = Stream::new(seed, Topic::Return, part, person.index);
        let mut confusion = Stream::new(seed, Topic::LinkKey, part, person.index);
        let mut statement =
            |payer: usize, row: (&'static str, Option<&'static str>, i64, i64), description, paid_on| {
                let (taxpayer, business) = firms[payer];
                let (code, sub_code, gross_amount, withheld_amount) = row;
                made.withholding.push(WithholdingRow {
                    year,
                    payer_ban: business.ban,
                    payee_id: person.id.clone(),
                    code,
                    sub_code,
                    gross_amount,
                    withheld_amount,
                    description,
                    paid_on,
                    bureau_code: taxpayer.county.bureau_code,
                });
            };
        let mut total_income = 0;
        for slip in payslips(seed, community, person, year) {
            total_income += slip.gross;
            let row = (slip.code, slip.sub_code, slip.gross, slip.withheld);
            statement(slip.payer, row, slip.description.to_owned(), slip.paid_on);
        }
        let truth = creator.and_then(|creator| creator.years.get(at));
        for (creator, deal) in creator.into_iter().flat_map(|creator| {
            creator.years[at].deals.iter().filter(|deal| deal.reported).map(move |deal| (creator, deal))
        }) {
            let (code, sub_code, mut words) = match random.below(20) {
                0..12 => ("9A", Some("76"), "演藝人員表演費".to_owned()),
                12..15 => ("9B", Some("98"), "稿費".to_owned()),
                15..18 => ("92", None, "網路行銷費用".to_owned()),
                _ => ("50", None, "臨時工作薪資".to_owned()),
            };
            let named = random.below(20);
            match named {
                0..7 => words = format!("影音合作費-{}", creator.title),
                7..9 => words = format!("業配費用 {}", creator.handle),
                9..11 => words = format!("{}社群推廣費", deal.brand),
                _ => {}
            }
            if named < 9 && confusion.per_mille(40) && creator.keys.neighbour.channel_id != creator.channel_id
            {
                words = format!("業配費用 {}", creator.keys.neighbour.handle);
                made.link_rows.misnamed(creator, &person.id);
            }
            let paid_on = (deal.day + random.days(20, 60)).min(day(year, 12, 31));
            statement(deal.payer, (code, sub_code, deal.amount, withheld(code, deal.amount)), words, paid_on);
        }
        let declared = truth.map_or(0, |truth| truth.declared);
        total_income += declared;
        if total_income < 228_000 && declared == 0 && random.per_mille(400) {
            continue;
        }
        // Expenses of creators count at the standard 45 %.
        let tax_due = tax_due(total_income - declared * 45 / 100);
        let due_date = day(year + 1, 5, 31);
        let filed_on =
            if random.per_mille(25) { due_date + random.days(1, 90) } else { due_date - random.days(0, 30) };
        if tax_due > 0 {
            made.payments.push(PaymentRow {
                payment_id: format!("I{year}{:09}", person.index),
                taxpayer_id: person.id.clone(),
                tax_type: "personal_income",
                county_code: person.county.code,
                paid_on: filed_on,
                amount: tax_due,
            });
        }
        made.returns.push(IncomeReturnRow {
            taxpayer_id: person.id.clone(),
            year,
            declared_creator_income: declared,
            total_income,
            tax_due,
            filed_on,
            bureau_code: person.county.bureau_code,
        });
    }
}

/// House tax in May, vehicle licence tax in April, land value tax in November.
fn pay_local_taxes(seed: u64, taxpayer: &Taxpayer, made: &mut Made) {
    for year in crate::calendar::YEARS {
        let part = u32::try_from(year).unwrap_or(0);
        let mut random = Stream::new(seed, Topic::LocalTax, part, taxpayer.index);
        for (tax_type, letter, chance, month, median) in [
            ("vehicle_license", 'C', 450, 4, 8_500.0),
            ("house", 'H', 300, 5, 5_200.0),
            ("land_value", 'L', 250, 11, 6_400.0),
        ] {
            let paid_on =
                day(year, month, 1) + random.days(2, 29) + if random.per_mille(40) { 40 } else { 0 };
            let amount = to_whole(random.log_normal(median, 0.7));
            if random.per_mille(chance) {
                made.payments.push(PaymentRow {
                    payment_id: format!("{letter}{year}{:09}", taxpayer.index),
                    taxpayer_id: taxpayer.id.clone(),
                    tax_type,
                    county_code: taxpayer.county.code,
                    paid_on,
                    amount,
                });
            }
        }
    }
}

fn tell_truth(community: &Community, creator: &Creator, made: &mut Made) {
    let taxpayer_id = &community.taxpayers[creator.taxpayer].id;
    made.links.push(LinkRow { channel_id: creator.channel_id.clone(), taxpayer_id: taxpayer_id.clone() });
    made.incomes.extend(creator.years.iter().map(|year| CreatorIncomeRow {
        channel_id: creator.channel_id.clone(),
        taxpayer_id: taxpayer_id.clone(),
        year: year.year,
        ads: year.ads,
        sponsorship: year.sponsorship,
        donations: year.donations,
        group_buy: year.group_buy,
        other: year.other,
        total: year.total,
        declared: year.declared,
        compliant: creator.compliant,
        deals: year.deals.len() as i64,
        reported_deals: year.deals.iter().filter(|deal| deal.reported).count() as i64,
    }));
}

/// Monthly money from abroad, and what platforms report of donations and group buys.
fn report_abroad(seed: u64, community: &Community, creator: &Creator, made: &mut Made) {
    const SEASON: [i64; 12] = [80, 85, 95, 97, 98, 97, 93, 95, 102, 110, 124, 124];
    let person = &community.taxpayers[creator.taxpayer];
    for year in &creator.years {
        let part = u32::try_from(year.year).unwrap_or(0);
        if let Some(remitted) = year.remitted {
            let mut random = Stream::new(seed, Topic::Remittance, part, creator.index);
            let platform = if creator.live && random.per_mille(300) { "Twitch" } else { "Google" };
            let mut paid = 0;
            for (month, upto) in (1..).zip(SEASON.iter().scan(0, |sum, share| {
                *sum += share;
                Some(*sum)
            })) {
                let due = i64::try_from(i128::from(remitted) * i128::from(upto) / 1200).unwrap_or(0);
                if due > paid {
                    made.remittances.push(RemittanceRow {
                        remittance_id: format!("R{}{month:02}{:09}", year.year, creator.index),
                        payee_id: person.id.clone(),
                        platform,
                        received_on: day(year.year, month, 21) + random.days(0, 5),
                        currency: "USD",
                        amount_twd: due - paid,
                    });
                    paid = due;
                }
            }
        }
        let mut random = Stream::new(seed, Topic::PlatformReport, part, creator.index);
        let Kind::Individual { national_id, .. } = &person.kind else { continue };
        for (platform, amount, activities) in [
            ("綠界", year.donations * 3 / 10, year.donations / 250),
            ("Portaly", year.group_buy, i64::from(year.campaigns)),
        ] {
            if amount < 2_000 || !random.per_mille(450) {
                continue;
            }
            for quarter in 1..=4_i32 {
                let share = |total: i64| total * i64::from(quarter) / 4 - total * i64::from(quarter - 1) / 4;
                made.reports.push(PlatformReportRow {
                    platform,
                    year: year.year,
                    quarter,
                    seller_tin: *national_id,
                    seller_name: person.name.clone(),
                    consideration_twd: share(amount),
                    activities: share(activities).max(1),
                });
            }
        }
    }
}

/// The channel, its videos and posts, donations on screen, pages.
fn publish(
    work: &Work<'_>,
    community: &Community,
    creator: &Creator,
    made: &mut Made,
) -> Result<(), GenerateError> {
    let documents = documents(work.seed, creator);
    let written = made
        .channels
        .push(&ChannelDocument::new(work.seed, community, creator))
        .and_then(|()| {
            videos(work.seed, community, creator, &documents, &mut made.videos, &mut made.documents)
        })
        .and_then(|()| posts(work.seed, community, creator, &documents, &mut made.posts, &mut made.documents))
        .and_then(|()| donations(work.seed, creator, &mut made.donations));
    written.map_err(|source| GenerateError::Json { path: work.staging.path(CHANNELS), source })?;
    for page in pages(work.seed, community, creator) {
        let path = work.staging.path(PAGES).join(&page.file_name);
        let modified = UNIX_EPOCH + Duration::from_secs(u64::try_from(page.modified).unwrap_or(0));
        File::create(&path)
            .and_then(|mut file| file.write_all(&page.content).and_then(|()| file.set_modified(modified)))
            .map_err(GenerateError::io("write", &path))?;
        made.pages += 1;
    }
    Ok(())
}
