//! `simulate`: only the simulated services, for integrators to test against.

use super::{
    args,
    exit::{Exit, Failure},
    session::stop_on_signals,
    terminal::Terminal,
};
use std::path::Path;
use transhume_simulators::{
    Options, SelfSigned, Simulator,
    dump::Dump,
    seed::{Recipe, tenant},
};

pub async fn run(simulate: &args::Simulate, terminal: &Terminal) -> Result<Exit, Failure> {
    if !simulate.listen.ip().is_loopback() {
        return Err(Failure::usage("the simulator listens on loopback only\nUse --listen 127.0.0.1:PORT."));
    }
    let dump = dump(simulate)?;
    if let Some(folder) = &simulate.dump {
        dump.save(folder).map_err(|error| Failure::stuck(error.to_string()))?;
        terminal.say(&format!("wrote {} entries to {}", dump.entries.len(), folder.display()));
        return Ok(Exit::Done);
    }
    let stop = stop_on_signals();
    let not_started = |error| {
        let step = "Choose another port, or leave out --listen for a free one.";
        Failure::stuck(format!("the simulator cannot serve at {}: {error}\n{step}", simulate.listen))
    };
    let running = Simulator::start(dump, options(simulate)?).await.map_err(not_started)?;
    if let Some(authority) = running.authority_pem() {
        terminal.answer(authority);
    }
    terminal.answer(&running.port().to_string());
    terminal.say(&format!("serving Microsoft 365 at {}; stop it with Ctrl-C", running.base_url()));
    stop.wait().await;
    running.stop().await;
    Ok(Exit::Done)
}

fn dump(simulate: &args::Simulate) -> Result<Dump, Failure> {
    let Some(folder) = &simulate.tenant else {
        let args::Simulate { accounts, messages, events, contacts, tasks, files, seed, hostile, .. } = *simulate;
        let recipe = Recipe { accounts, messages, events, contacts, tasks, files, seed, hostile, ..Recipe::default() };
        return Ok(tenant(&recipe));
    };
    let step = "Name a folder that `transhume simulate --dump DIR` wrote.";
    Dump::load(folder).map_err(|error| Failure::usage(format!("{error}\n{step}")))
}

fn options(simulate: &args::Simulate) -> Result<Options, Failure> {
    let secret = simulate.client_secret_file.as_deref().map(read).transpose()?;
    let certificates = simulate.certificate.as_deref().map(read).transpose()?;
    let secret = secret.map_or_else(|| "secret".into(), |text| text.trim_end().to_owned());
    let tls = match simulate.tls {
        Some(args::Tls::SelfSigned) => {
            Some(SelfSigned::new(&["localhost", "127.0.0.1"]).map_err(|error| Failure::stuck(error.to_string()))?)
        }
        None => None,
    };
    Ok(Options {
        listen: simulate.listen,
        client_id: simulate.client_id.clone(),
        client_secret: Some(secret),
        certificates: certificates.into_iter().collect(),
        tls,
        ..Options::default()
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    let step = "Name a file that this user can read.";
    let unreadable = |error| Failure::usage(format!("{} cannot be read: {error}\n{step}", path.display()));
    std::fs::read_to_string(path).map_err(unreadable)
}
