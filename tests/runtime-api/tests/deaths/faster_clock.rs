//! The world's clock for a function's process: a library that is loaded before all others (`LD_PRELOAD`) and
//! answers in place of the system what time it is and how long to wait. The binary is the one that is
//! deployed, and does not know of it.
//!
//! `WORLD_CLOCK` is `MACHINE,WORLD,FACTOR`: when the machine's clock shows MACHINE, in nanoseconds since
//! 1970, the world's shows WORLD, and it is FACTOR times as fast. The test compiles this file alone, with
//! only the standard library.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::mem::transmute;
use std::sync::OnceLock;

unsafe extern "C" {
    fn dlsym(library: *const c_void, name: *const c_char) -> *const c_void;
}

/// Returns the function of the next library that has it, here the C library (`RTLD_NEXT`).
fn next(name: &CStr) -> *const c_void {
    let library = -1_isize as *const c_void;
    unsafe { dlsym(library, name.as_ptr()) }
}

/// `struct timespec`.
#[repr(C)]
pub struct Time {
    seconds: c_long,
    nanoseconds: c_long,
}

/// `CLOCK_REALTIME` and `CLOCK_REALTIME_COARSE`.
const REALTIME: [c_int; 2] = [0, 5];
/// `CLOCK_PROCESS_CPUTIME_ID` and `CLOCK_THREAD_CPUTIME_ID`.
const USED: [c_int; 2] = [2, 3];

/// Reads the world's clock: the machine's time, the world's time, and its speed.
fn world() -> (i128, i128, i128) {
    static WORLD: OnceLock<(i128, i128, i128)> = OnceLock::new();
    *WORLD.get_or_init(|| {
        let text = std::env::var("WORLD_CLOCK").expect("WORLD_CLOCK is set");
        let mut parts = text.split(',').map(|part| part.parse().expect("a number"));
        let mut part = || parts.next().expect("three numbers");
        (part(), part(), part())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut Time) -> c_int {
    static SYSTEMS: OnceLock<usize> = OnceLock::new();
    let systems = *SYSTEMS.get_or_init(|| next(c"clock_gettime") as usize);
    let systems: extern "C" fn(c_int, *mut Time) -> c_int = unsafe { transmute(systems) };
    let result = systems(clock, time);
    if result != 0 || USED.contains(&clock) {
        return result;
    }
    let (machine, shown, factor) = world();
    let time = unsafe { &mut *time };
    let now = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds);
    let now = if REALTIME.contains(&clock) {
        shown + (now - machine) * factor
    } else {
        now * factor
    };
    time.seconds = (now / 1_000_000_000) as c_long;
    time.nanoseconds = (now % 1_000_000_000) as c_long;
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn epoll_wait(
    epoll: c_int,
    events: *mut c_void,
    most: c_int,
    milliseconds: c_int,
) -> c_int {
    static SYSTEMS: OnceLock<usize> = OnceLock::new();
    let systems = *SYSTEMS.get_or_init(|| next(c"epoll_wait") as usize);
    let systems: extern "C" fn(c_int, *mut c_void, c_int, c_int) -> c_int =
        unsafe { transmute(systems) };
    let factor = world().2 as c_int;
    let lasts = if milliseconds > 0 {
        (milliseconds + factor - 1) / factor
    } else {
        milliseconds
    };
    systems(epoll, events, most, lasts)
}
