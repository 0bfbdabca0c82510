//! C4, C5: a network that is slow, narrow, torn or dead between the node and one
//! destination, by a small proxy; the other destination notices nothing.
//!
//! What each answer of a destination leads to is in `tests/forward`.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::check::check;
use crate::dice::Dice;
use crate::support::process::wait_until;
use crate::trial::{Trial, configuration_through};

/// What the network does to a connection that begins now.
#[derive(Debug, Clone, Copy)]
enum Weather {
    Fine,
    /// Each piece waits so long.
    Latency(Duration),
    /// At most so many bytes a second towards the destination.
    Narrow(usize),
    /// The connection is reset after so many bytes towards the destination.
    Torn(usize),
    /// Bytes are taken and lead nowhere.
    Dead,
}

/// A proxy on loopback; it ends with the process.
#[derive(Debug, Clone)]
struct Proxy {
    port: u16,
    weather: Arc<Mutex<Weather>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn to(destination: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy =
            Self { port, weather: Arc::new(Mutex::new(Weather::Fine)), open: Arc::default() };
        let here = proxy.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let weather = *here.weather.lock().unwrap();
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, destination)) else {
                    continue;
                };
                here.open
                    .lock()
                    .unwrap()
                    .extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                let (there, back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || carry(there, server, weather));
                thread::spawn(move || carry(back, client, weather.of_answers()));
            }
        });
        proxy
    }

    fn turn(&self, weather: Weather) {
        *self.weather.lock().unwrap() = weather;
    }

    /// Ends all connections, as a switch that is turned off.
    fn cut_all(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

impl Weather {
    fn of_answers(self) -> Self {
        match self {
            Self::Fine | Self::Narrow(_) | Self::Torn(_) => Self::Fine,
            Self::Latency(_) | Self::Dead => self,
        }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, weather: Weather) {
    let mut left = match weather {
        Weather::Torn(bytes) => bytes,
        _ => usize::MAX,
    };
    let mut buffer = [0; 1_024];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 {
            break;
        }
        match weather {
            Weather::Latency(delay) => thread::sleep(delay),
            Weather::Narrow(bytes_per_s) => {
                thread::sleep(
                    Duration::from_secs(1) * u32::try_from(count).unwrap()
                        / u32::try_from(bytes_per_s).unwrap(),
                );
            }
            Weather::Dead => continue,
            Weather::Fine | Weather::Torn(_) => {}
        }
        let sent = count.min(left);
        if to.write_all(&buffer[..sent]).is_err() {
            break;
        }
        left -= sent;
        if left == 0 {
            break;
        }
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}

/// Sends under this weather; the folder must have all long before the sink need.
fn sent_under(weather: Weather, count: usize, act: impl Fn(&Proxy)) -> Trial {
    let mut trial = Trial::new("hmac");
    let proxy = Proxy::to(trial.sink.port());
    trial.node.configure(&configuration_through(proxy.port, "hmac"));
    proxy.turn(weather);
    trial.node.start_again();
    let begun = Instant::now();
    trial.send(count, &mut Dice::of(1, "chaos")).into_iter().for_each(|one| one.join().unwrap());
    let other = || {
        (trial.node.queue()["outbox"]["folder"] == 0 && trial.node.queue()["received"] == 0)
            .then_some(())
    };
    wait_until("the other destination", Duration::from_secs(20), other, || trial.node.log_tail());
    println!("{weather:?}: the other destination has all after {:?}", begun.elapsed());
    act(&proxy);
    trial.drain();
    println!("{weather:?}: all delivered after {:?}", begun.elapsed());
    let tally = check(&trial);
    let tolerated = |fault: &String| fault.contains("delivered twice without a crash");
    let faults: Vec<_> = tally.faults.iter().filter(|fault| !tolerated(fault)).collect();
    assert!(faults.is_empty() && tally.quarantined == 0, "{weather:?}: {tally:#?}");
    assert_eq!(tally.delivered, trial.log.count(), "{weather:?}");
    trial
}

/// Deliveries beyond one of each.
fn repeated(trial: &Trial) -> usize {
    trial.sink.count() - trial.sink.by_number().len()
}

#[test]
fn a_slow_or_narrow_network_delays_its_own_destination_only() {
    let slow = sent_under(Weather::Latency(Duration::from_millis(100)), 8, |_| {});
    assert_eq!(repeated(&slow), 0);
    let narrow = sent_under(Weather::Narrow(8 << 10), 8, |_| {});
    assert_eq!(repeated(&narrow), 0);
}

#[test]
fn a_connection_torn_inside_a_pdu_costs_at_most_one_repeat() {
    // Inside the association request, a command, and a data set.
    thread::scope(|scope| {
        for bytes in [50, 700, 4_000, 10_000] {
            scope.spawn(move || {
                let trial = sent_under(Weather::Torn(bytes), 8, |proxy| proxy.turn(Weather::Fine));
                assert!(repeated(&trial) <= 1, "torn after {bytes}: {}", repeated(&trial));
            });
        }
    });
}

#[test]
fn a_dead_connection_is_given_up_and_its_instances_go_over_the_next() {
    let dead = sent_under(Weather::Dead, 6, |proxy| {
        proxy.turn(Weather::Fine);
        proxy.cut_all();
    });
    assert_eq!(repeated(&dead), 0);
}
