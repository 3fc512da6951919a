//! What the admin interface tells: counters and gauges, by their full names.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::Envoy;
use crate::client::Request;

impl Envoy {
    /// The counters and gauges whose names start with `prefix`, plain letters and dots.
    ///
    /// They are exact when asked; only histograms, which are not given here, are merged on a timer.
    pub async fn stats(&self, prefix: &str) -> Result<BTreeMap<String, u64>> {
        let filter = prefix.replace('.', "%5C.");
        let target = format!("/stats?format=json&filter=%5E{filter}");
        let answer = Request::get(target).send(self.admin()).await?;
        ensure!(
            answer.status == 200,
            "the admin interface answered {answer:?}"
        );
        let answer: Value = answer.json()?;
        let stats = answer["stats"].as_array().into_iter().flatten();
        let numbers = stats
            .filter_map(|stat| Some((stat["name"].as_str()?.to_owned(), stat["value"].as_u64()?)));
        Ok(numbers.collect())
    }

    /// One counter or gauge; 0 where there is none of that name, as before its first increment.
    pub async fn stat(&self, name: &str) -> Result<u64> {
        Ok(self
            .stats(name)
            .await?
            .get(name)
            .copied()
            .unwrap_or_default())
    }
}
