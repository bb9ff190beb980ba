//! Drives the real `pony-collector` over real HTTP, against real git.

mod collector;
mod hostile;
mod http;
mod methods;
mod pages;
mod restart;
mod uploads;
