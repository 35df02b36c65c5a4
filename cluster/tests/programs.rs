//! Schedulers and executors as processes.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_selvedge-cluster");

/// Ended with the test that started it.
pub struct Process {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Process {
    pub fn start(arguments: &[&str]) -> Self {
        Self::of(Command::new(PROGRAM).args(arguments))
    }

    pub fn of(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (lines, heard) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut heard = heard.lock().unwrap();
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        Self { child, said }
    }

    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// As the kernel ends who takes too much memory.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As Ctrl-C does.
    pub fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Its exit code, once it has ended by itself.
    pub fn ended(&mut self, within: Duration) -> Option<i32> {
        wait_until(within, || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn wait_until(within: Duration, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < within, "it took longer than {within:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn with(arguments: &[&str], certificates: &[String]) -> Process {
    let certificates = certificates.iter().map(String::as_str);
    Process::start(&arguments.iter().copied().chain(certificates).collect::<Vec<_>>())
}

fn scheduler(port: u16, folder: &Path, more: &[&str], certificates: &[String]) -> Process {
    let (port, folder) = (port.to_string(), folder.to_str().unwrap());
    let arguments = ["scheduler", "--port", &port, "--folder", folder, "--lost-after", "8"];
    with(&[&arguments, more].concat(), certificates)
}

/// A scheduler and its executors, on one machine.
pub struct Running {
    pub scheduler: Process,
    pub executors: Vec<Process>,
    pub port: u16,
    pub folder: PathBuf,
    pub certificates: Vec<String>,
}

impl Running {
    /// A cluster that may read `folder`, with certificates where some are named.
    pub fn start(folder: &Path, executors: usize, certificates: Option<&Path>) -> Self {
        Self::start_with(folder, &[], executors, certificates)
    }

    /// The same with more arguments for the scheduler.
    pub fn start_with(folder: &Path, more: &[&str], executors: usize, certificates: Option<&Path>) -> Self {
        let folder = folder.canonicalize().unwrap();
        let certificates = certificates.map(|folder| vec!["--certificates".into(), folder.to_str().unwrap().into()]);
        let (certificates, port) = (certificates.unwrap_or_default(), free_port());
        let scheduler = scheduler(port, &folder, more, &certificates);
        let mut running = Self { scheduler, executors: Vec::new(), port, folder, certificates };
        (0..executors).for_each(|_| running.start_executor(&[]));
        running.wait_for_executors(executors);
        running
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn start_scheduler(&mut self) {
        self.scheduler = scheduler(self.port, &self.folder, &[], &self.certificates);
    }

    pub fn start_executor(&mut self, more: &[&str]) {
        let (port, url) = (free_port().to_string(), self.url());
        let arguments = [&["executor", "--port", &port, "--scheduler", &url, "--tasks", "2"], more].concat();
        self.executors.push(with(&arguments, &self.certificates));
    }

    /// `selvedge-cluster` with the certificates of this cluster.
    pub fn ask(&self, arguments: &[&str]) -> Output {
        Command::new(PROGRAM).args(&arguments[..1]).args(&self.certificates).args(&arguments[1..]).output().unwrap()
    }

    pub fn status(&self) -> String {
        String::from_utf8(self.ask(&["status", "--scheduler", &self.url()]).stdout).unwrap()
    }

    pub fn wait_for_executors(&self, count: usize) {
        wait_until(Duration::from_secs(30), || self.status().matches("\nexecutor ").count() == count);
    }
}
