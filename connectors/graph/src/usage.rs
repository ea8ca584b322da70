//! The mailbox usage report: items, bytes and whether there is an online archive, without asking any mailbox.
//!
//! Graph docs: getMailboxUsageDetail. The answer is a redirect to a CSV at a pre-signed address, valid for minutes and
//! asked for without a token; it begins with a byte order mark, its columns drift, its figures lag a day or two, and a
//! tenant may conceal the names in it. It is welcome and not needed: nothing ever waits for it long.

use crate::{faults::Asked, service::Service};
use std::{collections::HashMap, time::Duration};
use tokio::sync::OnceCell;
use transhume_contract::{Fault, Reach, Size, What};
use transhume_http::Request;

const REPORT: &str = "/reports/getMailboxUsageDetail(period='D7')";
const NAMED: &str = "the mailbox usage report";
const CSV_LIMIT: usize = 256 << 20;
/// The longest a report is waited for. Told to come back in minutes, we go without.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the report tells of one mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageRow {
    pub items: Option<u64>,
    pub bytes: Option<u64>,
    pub has_archive: bool,
    /// Prohibit Send/Receive Quota.
    pub quota: Option<u64>,
}

impl UsageRow {
    pub fn size(&self) -> Size {
        Size { items: self.items, bytes: self.bytes }
    }
}

/// The whole report, by address in lower case.
#[derive(Debug, Default)]
pub struct Report {
    rows: HashMap<String, UsageRow>,
    /// The tenant conceals names: rows are there, and fit no account.
    pub concealed: bool,
    pub missing: Option<Missing>,
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Not for this application, this tenant or this cloud; with the service's code.
    Refused(String),
    /// The service would give it at another time: it was asked too often, or fails.
    NotNow(String),
}

/// The report of one tenant, asked for once.
#[derive(Default)]
pub struct Usage {
    report: OnceCell<Report>,
}

impl Usage {
    /// What it tells of the account with one of these addresses.
    pub async fn of(&self, service: &Service, addresses: &[String]) -> Result<Option<UsageRow>, Fault> {
        let report = self.report(service).await?;
        Ok(addresses.iter().find_map(|address| report.rows.get(&address.to_lowercase()).copied()))
    }

    /// Where it cannot be had, it is empty and says why. Only a refused token is a fault.
    pub async fn report(&self, service: &Service) -> Result<&Report, Fault> {
        self.report.get_or_try_init(|| had(service)).await
    }
}

async fn had(service: &Service) -> Result<Report, Fault> {
    let fault = match download(service).await {
        Err(fault) if fault.what != What::Unauthenticated => fault,
        other => return other,
    };
    tracing::info!(code = fault.code, "there is no mailbox usage report: {fault}");
    let missing = match fault.what {
        What::Forbidden | What::Unsupported | What::Vanished => Missing::Refused(fault.code.unwrap_or_default()),
        What::Throttled => Missing::NotNow("it was asked for too often in the last minutes".into()),
        _ => Missing::NotNow(fault.code.unwrap_or_else(|| fault.what.name().to_owned())),
    };
    Ok(Report { missing: Some(missing), ..Report::default() })
}

async fn download(service: &Service) -> Result<Report, Fault> {
    let request = service.endpoint.report(service.endpoint.at(REPORT)).within(PATIENCE);
    let answer = service.whole(request.clone(), Asked::Directory, NAMED).await?;
    let Some(location) = answer.location() else {
        return parse(&answer.body);
    };
    parse(&second_leg(service, &request, location).await?)
}

/// The pre-signed address gets no token, whatever host it is on.
async fn second_leg(service: &Service, from: &Request, location: &str) -> Result<bytes::Bytes, Fault> {
    let request = service.road.follow(from, location)?.anonymous();
    let answer = service.road.whole(request, CSV_LIMIT).await?;
    if answer.status.as_u16() < 400 {
        return Ok(answer.body);
    }
    let sentence = format!("the mailbox usage report could not be downloaded (HTTP {})", answer.status.as_u16());
    Err(Fault::new(What::Unreachable, sentence).reaching(Reach::Run))
}

/// Reads the report by the names of its columns.
pub fn parse(bytes: &[u8]) -> Result<Report, Fault> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let columns: HashMap<String, usize> = match reader.headers() {
        Ok(header) => header.iter().enumerate().map(|(n, name)| (name.trim().to_lowercase(), n)).collect(),
        Err(error) => return Err(strange(&error)),
    };
    let mut report = Report::default();
    let mut seen = 0;
    for record in reader.records() {
        let record = record.map_err(|error| strange(&error))?;
        let cell = |name: &str| columns.get(name).and_then(|n| record.get(*n)).map(str::trim);
        let number = |name: &str| cell(name).and_then(|text| text.parse().ok());
        let is = |name: &str| cell(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let Some(address) = cell("user principal name").filter(|_| !is("is deleted")) else { continue };
        seen += 1;
        let row = UsageRow {
            items: number("item count"),
            bytes: number("storage used (byte)"),
            has_archive: is("has archive"),
            quota: number("prohibit send/receive quota (byte)"),
        };
        if address.contains('@') {
            report.rows.insert(address.to_lowercase(), row);
        }
    }
    report.concealed = seen > 0 && report.rows.is_empty();
    Ok(report)
}

fn strange(error: &csv::Error) -> Fault {
    Fault::new(What::Malformed, format!("the mailbox usage report cannot be read: {error}")).reaching(Reach::Run)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_report_is_read_by_its_column_names() {
        let csv = "\u{FEFF}Report Refresh Date,Has Archive,User Principal Name,Is Deleted,Storage Used (Byte),Item Count\r\n\
                   2026-01-01,True,Anna@town.example,False,2048,12\r\n\
                   2026-01-01,False,old@town.example,True,1,1\r\n";
        let report = parse(csv.as_bytes()).unwrap();
        let expected = UsageRow { items: Some(12), bytes: Some(2048), has_archive: true, quota: None };
        assert_eq!(report.rows.get("anna@town.example"), Some(&expected));
        assert_eq!((report.rows.len(), report.concealed), (1, false));
    }

    #[test]
    fn concealed_names_are_noticed() {
        let csv = "User Principal Name,Item Count\nA94F3C0DE,5\n";
        assert!(parse(csv.as_bytes()).unwrap().concealed);
    }

    #[test]
    fn an_empty_report_is_no_concealment() {
        assert!(!parse(b"User Principal Name,Item Count\n").unwrap().concealed);
    }
}
