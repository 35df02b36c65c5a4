//! The C library's mathematical functions, with the same bits on every machine.
//!
//! Rust's `f64::exp`, `ln`, `powf`, `cos` and the like call the C library, and so does every crate: DataFusion for `exp` and
//! `ln` in SQL, linfa for the loss of a model, statrs for quantiles.  glibc picks variants of them by processor (with and
//! without FMA), its versions differ from one another, and none promises the last bit.  A program that contains this crate
//! has them from `libm` instead, a port of musl's functions to Rust, built of +, -, *, / and shifts alone: they are defined
//! here by their C names, and the linker takes a program's own definition before that of a shared library.
//!
//! So one line, `use numeric as _;`, in a crate that every program contains, is all there is to it; `tests/bits.rs` holds
//! `f64`'s methods to known bits.  What needs no definition: square roots, remainders and fused steps are exact everywhere;
//! `powi` is compiled in.  What the compiler works out itself, of constants, is out of reach; write such constants as numbers.

/// Defines functions by their C names.
macro_rules! defined {
    ($number:ty: $($name:ident($($argument:ident),+))+) => { $(
        // SAFETY: the name is the C library's, and so are the arguments and what is returned.
        #[unsafe(no_mangle)]
        extern "C" fn $name($($argument: $number),+) -> $number {
            libm::$name($($argument),+)
        }
    )+ };
}

defined! { f64:
    exp(x) exp2(x) expm1(x) log(x) log2(x) log10(x) log1p(x) pow(x, y) cbrt(x) hypot(x, y)
    sin(x) cos(x) tan(x) asin(x) acos(x) atan(x) atan2(y, x) sinh(x) cosh(x) tanh(x)
}

defined! { f32:
    expf(x) exp2f(x) expm1f(x) logf(x) log2f(x) log10f(x) log1pf(x) powf(x, y) cbrtf(x) hypotf(x, y)
    sinf(x) cosf(x) tanf(x) asinf(x) acosf(x) atanf(x) atan2f(y, x) sinhf(x) coshf(x) tanhf(x)
}

/// The compiler calls it where both are wanted of one number.
///
/// # Safety
/// As in C: both pointers lead to a number that may be written.
// SAFETY: the name is the C library's, and so are the arguments.
#[unsafe(no_mangle)]
unsafe extern "C" fn sincos(x: f64, sine: *mut f64, cosine: *mut f64) {
    let (s, c) = libm::sincos(x);
    // SAFETY: who calls it promises that.
    unsafe {
        *sine = s;
        *cosine = c;
    }
}

/// As `sincos`.
///
/// # Safety
/// As in C: both pointers lead to a number that may be written.
// SAFETY: the name is the C library's, and so are the arguments.
#[unsafe(no_mangle)]
unsafe extern "C" fn sincosf(x: f32, sine: *mut f32, cosine: *mut f32) {
    let (s, c) = libm::sincosf(x);
    // SAFETY: who calls it promises that.
    unsafe {
        *sine = s;
        *cosine = c;
    }
}
