//! A shim: the exit status that [`pony_report::main`] returns is documented in its package.

fn main() {
    std::process::exit(pony_report::main());
}
