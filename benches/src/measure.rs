//! Windows of load, in turns.

use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::flow::{Flow, Worker};
use crate::server::{Kind, Places, Server};

/// How much load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Connections at a time, each of which waits for its answer before it asks again.
    pub(crate) connections: usize,
    /// How long before anything is measured.
    pub(crate) warm_up: Duration,
    /// How long one window is.
    pub(crate) window: Duration,
    /// How many windows each server gets, in turns.
    pub(crate) windows: usize,
}

/// What was measured of one flow at one server.
#[derive(Debug)]
pub(crate) struct Figures {
    /// Processor time of the server per operation, the median of the windows.
    pub(crate) cpu: Duration,
    /// The least and the greatest of the windows.
    pub(crate) cpu_range: (Duration, Duration),
    /// Of all windows' operations.
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) per_second: f64,
    /// KiB, after the last window and at its highest.
    pub(crate) resident: u64,
    pub(crate) peak: u64,
    /// The members of the token response.
    pub(crate) members: Vec<String>,
}

/// Measures a flow at both servers.
pub(crate) async fn flow(flow: Flow, places: &Places, load: Load) -> Result<[Figures; 2]> {
    let servers = [Server::start(Kind::Attesto, places).await?, Server::start(Kind::Peer, places).await?];
    let [attesto, peer] = &servers;
    let mut runs = [Run::prepare(flow, attesto, load).await?, Run::prepare(flow, peer, load).await?];
    for _ in 0..load.windows {
        for run in &mut runs {
            run.window(load).await?;
        }
    }
    let [attesto, peer] = runs;
    Ok([attesto.figures()?, peer.figures()?])
}

/// How long a request takes that finds no instance: Attesto's go when idle for a second.
pub(crate) async fn cold(places: &Places, times: usize) -> Result<Duration> {
    let server = Server::start(Kind::Attesto, places).await?;
    let mut took = Vec::new();
    for _ in 0..times {
        let mut worker = Worker::new(Flow::ClientCredentials, &server).await?;
        sleep(Duration::from_millis(1500)).await;
        let start = Instant::now();
        worker.once().await?;
        took.push(start.elapsed());
    }
    Ok(percentile(&mut took, 50))
}

struct Run<'a> {
    server: &'a Server,
    workers: Vec<Worker<'a>>,
    members: Vec<String>,
    cpu: Vec<Duration>,
    took: Vec<Duration>,
    time: Duration,
}

impl<'a> Run<'a> {
    async fn prepare(flow: Flow, server: &'a Server, load: Load) -> Result<Self> {
        let mut workers = Vec::new();
        for _ in 0..load.connections {
            workers.push(Worker::new(flow, server).await?);
        }
        let mut members = Vec::new();
        if let Some(worker) = workers.first_mut() {
            members = names(&worker.once().await?);
        }
        let mut run =
            Self { server, workers, members, cpu: Vec::new(), took: Vec::new(), time: Duration::ZERO };
        run.load(load.warm_up).await?;
        server.forget_peak()?;
        Ok(run)
    }

    async fn window(&mut self, load: Load) -> Result<()> {
        let before = self.server.cpu()?;
        let start = Instant::now();
        let took = self.load(load.window).await?;
        self.time += start.elapsed();
        let cpu = self.server.cpu()? - before;
        self.cpu.push(cpu / u32::try_from(took.len().max(1))?);
        self.took.extend(took);
        Ok(())
    }

    /// All workers at once, for a time; how long each operation took.
    async fn load(&mut self, time: Duration) -> Result<Vec<Duration>> {
        let end = Instant::now() + time;
        let work = self.workers.iter_mut().map(|worker| async move {
            worker.reconnect().await?;
            let mut took = Vec::new();
            let mut start = Instant::now();
            while start < end {
                worker.once().await?;
                let now = Instant::now();
                took.push(now - start);
                start = now;
            }
            Ok::<_, anyhow::Error>(took)
        });
        Ok(try_join_all(work).await?.concat())
    }

    fn figures(mut self) -> Result<Figures> {
        let (resident, peak) = self.server.memory()?;
        let ends = |cpu: &[Duration]| {
            (cpu.first().copied().unwrap_or_default(), cpu.last().copied().unwrap_or_default())
        };
        Ok(Figures {
            cpu: percentile(&mut self.cpu, 50),
            cpu_range: ends(&self.cpu),
            p50: percentile(&mut self.took, 50),
            p99: percentile(&mut self.took, 99),
            per_second: self.took.len() as f64 / self.time.as_secs_f64(),
            resident,
            peak,
            members: self.members,
        })
    }
}

fn names(response: &Value) -> Vec<String> {
    // serde_json keeps an object's members in order of name.
    response.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default()
}

/// Sorts, and gives the value that `percent` of them do not exceed.
fn percentile(values: &mut [Duration], percent: usize) -> Duration {
    values.sort_unstable();
    let place = (values.len() * percent).div_ceil(100).saturating_sub(1);
    values.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut values: Vec<_> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut values, 50), Duration::from_millis(100));
        assert_eq!(percentile(&mut values, 99), Duration::from_millis(198));
        assert_eq!(percentile(&mut [], 50), Duration::ZERO);
    }
}
