//! `CommandGetXdbcTypeInfo`: the SQL types, for JDBC and ODBC drivers.

use arrow_flight::sql::metadata::{XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{Nullable, Searchable, XdbcDataType, XdbcDatetimeSubcode};
use tonic::Status;

/// Every type that a column of a lake or a result may have, but for nested ones.
pub(super) fn data() -> Result<XdbcTypeInfoData, Status> {
    let mut types = XdbcTypeInfoDataBuilder::new();
    types.append(plain("BOOLEAN", XdbcDataType::XdbcBit, 1));
    types.append(integer("TINYINT", XdbcDataType::XdbcTinyint, 3));
    types.append(integer("SMALLINT", XdbcDataType::XdbcSmallint, 5));
    types.append(integer("INTEGER", XdbcDataType::XdbcInteger, 10));
    types.append(integer("BIGINT", XdbcDataType::XdbcBigint, 19));
    types.append(XdbcTypeInfo { num_prec_radix: Some(2), ..number("REAL", XdbcDataType::XdbcReal, 24) });
    types.append(XdbcTypeInfo { num_prec_radix: Some(2), ..number("DOUBLE", XdbcDataType::XdbcDouble, 53) });
    types.append(XdbcTypeInfo {
        create_params: Some(vec!["precision".to_owned(), "scale".to_owned()]),
        minimum_scale: Some(0),
        maximum_scale: Some(38),
        ..number("DECIMAL", XdbcDataType::XdbcDecimal, 38)
    });
    types.append(XdbcTypeInfo {
        case_sensitive: true,
        ..quoted("VARCHAR", "'", XdbcDataType::XdbcVarchar, i32::MAX)
    });
    types.append(quoted("VARBINARY", "X'", XdbcDataType::XdbcVarbinary, i32::MAX));
    types.append(instant("DATE", XdbcDataType::XdbcDate, 10, XdbcDatetimeSubcode::XdbcSubcodeYear));
    types.append(instant("TIME", XdbcDataType::XdbcTime, 18, XdbcDatetimeSubcode::XdbcSubcodeTime));
    types.append(instant(
        "TIMESTAMP",
        XdbcDataType::XdbcTimestamp,
        29,
        XdbcDatetimeSubcode::XdbcSubcodeTimestamp,
    ));
    Ok(types.build()?)
}

fn plain(name: &str, data_type: XdbcDataType, size: i32) -> XdbcTypeInfo {
    XdbcTypeInfo {
        type_name: name.to_owned(),
        data_type,
        column_size: Some(size),
        nullable: Nullable::NullabilityNullable,
        searchable: Searchable::Full,
        local_type_name: Some(name.to_owned()),
        sql_data_type: data_type,
        ..XdbcTypeInfo::default()
    }
}

fn number(name: &str, data_type: XdbcDataType, digits: i32) -> XdbcTypeInfo {
    XdbcTypeInfo {
        unsigned_attribute: Some(false),
        auto_increment: Some(false),
        num_prec_radix: Some(10),
        ..plain(name, data_type, digits)
    }
}

fn integer(name: &str, data_type: XdbcDataType, digits: i32) -> XdbcTypeInfo {
    XdbcTypeInfo { minimum_scale: Some(0), maximum_scale: Some(0), ..number(name, data_type, digits) }
}

fn quoted(name: &str, prefix: &str, data_type: XdbcDataType, size: i32) -> XdbcTypeInfo {
    XdbcTypeInfo {
        literal_prefix: Some(prefix.to_owned()),
        literal_suffix: Some("'".to_owned()),
        ..plain(name, data_type, size)
    }
}

fn instant(name: &str, data_type: XdbcDataType, size: i32, subcode: XdbcDatetimeSubcode) -> XdbcTypeInfo {
    XdbcTypeInfo {
        sql_data_type: XdbcDataType::XdbcDatetime,
        datetime_subcode: Some(subcode),
        ..quoted(name, &format!("{name} '"), data_type, size)
    }
}
