//! Metrics: values belong to the proxy, so all VMs add to the same counter; ids belong to one VM.

use std::collections::BTreeMap;

use crate::abi::{MetricType, Status};

/// The value of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricValue {
    /// The sum of all increments.
    Counter(u64),
    /// The last value set, plus and minus later increments.
    Gauge(u64),
    /// Every value recorded, in order.
    Histogram(Vec<u64>),
}

/// The metrics of one proxy.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    values: BTreeMap<(String, MetricType), MetricValue>,
}

/// The metric ids one VM was given; the two low bits of an id are its type, as in Envoy.
#[derive(Debug, Default)]
pub(crate) struct MetricIds {
    names: BTreeMap<u32, String>,
    defined: [u32; 3],
}

impl Metrics {
    /// The metric called `name`; where several types share the name, the counter before the gauge.
    pub(crate) fn find(&self, name: &str) -> Option<&MetricValue> {
        [
            MetricType::Counter,
            MetricType::Gauge,
            MetricType::Histogram,
        ]
        .into_iter()
        .find_map(|metric_type| self.values.get(&(name.to_owned(), metric_type)))
    }

    /// Every metric by name.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, MetricValue> {
        let named =
            |((name, _), value): (&(String, _), &MetricValue)| (name.clone(), value.clone());
        self.values.iter().map(named).collect()
    }

    fn value(&mut self, name: &str, metric_type: MetricType) -> &mut MetricValue {
        self.values
            .entry((name.to_owned(), metric_type))
            .or_insert_with(|| match metric_type {
                MetricType::Counter => MetricValue::Counter(0),
                MetricType::Gauge => MetricValue::Gauge(0),
                MetricType::Histogram => MetricValue::Histogram(Vec::new()),
            })
    }
}

impl MetricIds {
    /// Gives `name` an id; defining a name twice gives two ids of one metric.
    pub(crate) fn define(
        &mut self,
        metrics: &mut Metrics,
        metric_type: MetricType,
        name: &str,
    ) -> u32 {
        let kind = metric_type as u32;
        let count = &mut self.defined[kind as usize];
        *count += 1;
        let id = *count * 4 + kind;
        metrics.value(name, metric_type);
        self.names.insert(id, name.to_owned());
        id
    }

    /// Adds `offset`: to a counter only more than zero, to a histogram never.
    pub(crate) fn increment(
        &self,
        metrics: &mut Metrics,
        id: u32,
        offset: i64,
    ) -> Result<(), Status> {
        match id_type(id) {
            Some(MetricType::Counter | MetricType::Gauge) => {}
            _ => return Err(Status::BadArgument),
        }
        match self.value(metrics, id)? {
            MetricValue::Counter(value) => {
                let offset = u64::try_from(offset).ok().filter(|offset| *offset > 0);
                *value = value.wrapping_add(offset.ok_or(Status::BadArgument)?);
            }
            MetricValue::Gauge(value) => *value = value.wrapping_add_signed(offset),
            MetricValue::Histogram(_) => return Err(Status::BadArgument),
        }
        Ok(())
    }

    /// Records a value: a counter grows by it, a gauge becomes it, a histogram keeps it.
    pub(crate) fn record(
        &self,
        metrics: &mut Metrics,
        id: u32,
        recorded: u64,
    ) -> Result<(), Status> {
        match self.value(metrics, id)? {
            MetricValue::Counter(value) => *value = value.wrapping_add(recorded),
            MetricValue::Gauge(value) => *value = recorded,
            MetricValue::Histogram(values) => values.push(recorded),
        }
        Ok(())
    }

    /// Reads a counter or a gauge.
    pub(crate) fn get(&self, metrics: &mut Metrics, id: u32) -> Result<u64, Status> {
        match id_type(id) {
            Some(MetricType::Counter | MetricType::Gauge) => {}
            _ => return Err(Status::BadArgument),
        }
        match self.value(metrics, id)? {
            MetricValue::Counter(value) | MetricValue::Gauge(value) => Ok(*value),
            MetricValue::Histogram(_) => Err(Status::BadArgument),
        }
    }

    fn value<'a>(&self, metrics: &'a mut Metrics, id: u32) -> Result<&'a mut MetricValue, Status> {
        let name = self.names.get(&id).ok_or(Status::NotFound)?;
        let metric_type = id_type(id).ok_or(Status::NotFound)?;
        Ok(metrics.value(name, metric_type))
    }
}

fn id_type(id: u32) -> Option<MetricType> {
    MetricType::try_from(id & 3).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_takes_what_envoy_lets_it_take() {
        let (mut metrics, mut ids) = (Metrics::default(), MetricIds::default());
        let counter = ids.define(&mut metrics, MetricType::Counter, "c");
        let gauge = ids.define(&mut metrics, MetricType::Gauge, "g");
        let histogram = ids.define(&mut metrics, MetricType::Histogram, "h");
        assert_eq!((counter, gauge, histogram), (4, 5, 6));

        ids.increment(&mut metrics, counter, 2).unwrap();
        assert_eq!(
            ids.increment(&mut metrics, counter, 0),
            Err(Status::BadArgument)
        );
        assert_eq!(
            ids.increment(&mut metrics, counter, -1),
            Err(Status::BadArgument)
        );
        ids.record(&mut metrics, counter, 3).unwrap();
        assert_eq!(ids.get(&mut metrics, counter), Ok(5));

        ids.record(&mut metrics, gauge, 7).unwrap();
        ids.increment(&mut metrics, gauge, -3).unwrap();
        assert_eq!(ids.get(&mut metrics, gauge), Ok(4));

        ids.record(&mut metrics, histogram, 9).unwrap();
        assert_eq!(
            ids.increment(&mut metrics, histogram, 1),
            Err(Status::BadArgument)
        );
        assert_eq!(ids.get(&mut metrics, histogram), Err(Status::BadArgument));
        assert_eq!(metrics.find("h"), Some(&MetricValue::Histogram(vec![9])));
    }

    #[test]
    fn an_unknown_id_is_not_found() {
        let (mut metrics, ids) = (Metrics::default(), MetricIds::default());
        assert_eq!(ids.record(&mut metrics, 4, 1), Err(Status::NotFound));
        assert_eq!(ids.increment(&mut metrics, 4, 1), Err(Status::NotFound));
        assert_eq!(ids.increment(&mut metrics, 3, 1), Err(Status::BadArgument));
    }

    #[test]
    fn two_vms_count_together() {
        let (mut metrics, mut one, mut two) = (
            Metrics::default(),
            MetricIds::default(),
            MetricIds::default(),
        );
        let first = one.define(&mut metrics, MetricType::Counter, "c");
        let second = two.define(&mut metrics, MetricType::Counter, "c");
        one.increment(&mut metrics, first, 1).unwrap();
        two.increment(&mut metrics, second, 1).unwrap();
        assert_eq!(metrics.find("c"), Some(&MetricValue::Counter(2)));
    }
}
