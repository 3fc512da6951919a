//! How the engines find what a request asks for: by an index alone, however many documents there are.

use api_server::database::{Error, FromRow, Row, Sql};
use api_server::documents::store::{FIND, LIST};

use crate::suite::server::Server;

/// A line of a plan.
struct Step(String);

impl FromRow for Step {
    fn from_row(row: &mut Row<'_>) -> Result<Self, Error> {
        if !crate::ON_POSTGRES {
            // Before it SQLite numbers the steps.
            for _ in 0..3 {
                row.column::<i64>()?;
            }
        }
        row.column().map(Self)
    }
}

async fn plan(server: &Server, sql: &str, arguments: &[api_server::database::Value<'_>]) -> String {
    // As many as a test makes, each once.
    let explain =
        |how: &str| -> &'static str { Box::leak(format!("{how} {sql}").into_boxed_str()) };
    let database = &server.app.database;
    let steps: Vec<Step> = if crate::ON_POSTGRES {
        let mut connection = database.read().await.unwrap();
        // So few rows are read whole otherwise; what is asked is whether the index can answer.
        for other in ["SET enable_seqscan = off", "SET enable_bitmapscan = off"] {
            connection.execute(other, &[]).await.unwrap();
        }
        let sql = Sql::from(explain("EXPLAIN"));
        connection.fetch_all(sql, arguments).await.unwrap()
    } else {
        let sql = explain("EXPLAIN QUERY PLAN");
        database.read_few(sql, arguments).await.unwrap()
    };
    let lines: Vec<_> = steps.into_iter().map(|Step(line)| line).collect();
    lines.join("\n")
}

/// Whatever the cursor: the index is entered at the page's first item, read in the page's order, and left at its end.
#[tokio::test]
async fn a_page_is_read_in_the_order_of_an_index_and_nothing_is_sorted() {
    let server = Server::start().await;
    for (created_at, id) in [(i64::MAX, ""), (1, "00000000-0000-7000-8000-000000000000")] {
        let plan = plan(
            &server,
            LIST,
            api_server::args!["u", created_at, id, 21_i64],
        )
        .await;
        let found = if crate::ON_POSTGRES {
            "Index Scan using documents_newest on documents"
        } else {
            "SEARCH documents USING COVERING INDEX documents_newest (owner=? AND (created_at,id)<(?,?))"
        };
        assert!(plan.contains(found), "{plan}");
        for word in ["Sort", "TEMP B-TREE", "SCAN", "Seq Scan"] {
            assert!(!plan.contains(word), "{plan}");
        }
        // The cursor is where the scan begins, not what its rows are sifted by.
        if crate::ON_POSTGRES {
            assert!(plan.contains("ROW(created_at, id) < ROW("), "{plan}");
            assert!(!plan.contains("Filter"), "{plan}");
        }
    }
}

#[tokio::test]
async fn one_document_is_found_by_its_key() {
    let server = Server::start().await;
    let plan = plan(&server, FIND, api_server::args!["u", "x"]).await;
    let found = if crate::ON_POSTGRES {
        // Which of the indices with both, it decides by their sizes.
        "Index Cond: ((owner = 'u'::text) AND (id = 'x'::text))"
    } else {
        "SEARCH documents USING INDEX documents_identity (owner=? AND id=?)"
    };
    assert!(plan.contains(found), "{plan}");
}
